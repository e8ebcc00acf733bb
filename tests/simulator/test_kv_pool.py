"""The paged pool: nothing is lost, nothing is counted twice, and what was used last is evicted last."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from inferguard_tui.simulator.kv_pool import KvPool


def filled(pool: KvPool, keys: list[int]) -> list[int]:
    """Blocks with known content, one per key, held once."""
    blocks = pool.allocate(len(keys))
    for block, key in zip(blocks, keys, strict=True):
        pool.register(block, key)
    return blocks


def test_usage_is_held_blocks_over_all_blocks() -> None:
    pool = KvPool(10, 16)
    blocks = pool.allocate(3)
    assert pool.usage == 0.3
    pool.release(blocks[:1])
    assert pool.usage == 0.2


def test_a_block_with_content_counts_as_free_once_nobody_refers_to_it() -> None:
    pool = KvPool(10, 16)
    blocks = filled(pool, [1, 2])
    assert (pool.held, pool.free, pool.reusable) == (2, 8, 0)
    pool.release(blocks)
    assert (pool.held, pool.free, pool.reusable) == (0, 10, 2)


def test_a_shared_block_is_held_until_its_last_reference_goes() -> None:
    pool = KvPool(4, 16)
    blocks = filled(pool, [7])
    pool.acquire(pool.match([7]))
    pool.release(blocks)
    assert pool.held == 1
    pool.release(blocks)
    assert pool.held == 0


def test_a_match_stops_at_the_first_block_that_is_missing() -> None:
    pool = KvPool(8, 16)
    a, b, _ = filled(pool, [1, 2, 4])
    assert pool.match([1, 2, 3, 4]) == [a, b]


def test_eviction_takes_the_least_recently_released_content_first() -> None:
    pool = KvPool(3, 16)
    for key in (1, 2, 3):
        pool.release(filled(pool, [key]))
    again = pool.match([1])
    pool.acquire(again)
    pool.release(again)
    pool.allocate(1)
    assert [bool(pool.match([key])) for key in (1, 2, 3)] == [True, False, True]


def test_of_one_request_the_tail_is_evicted_before_the_head() -> None:
    pool = KvPool(3, 16)
    pool.release(filled(pool, [1, 2, 3]))
    pool.allocate(1)
    assert len(pool.match([1, 2, 3])) == 2


def test_blank_blocks_go_before_content_is_evicted() -> None:
    pool = KvPool(4, 16)
    pool.release(filled(pool, [1, 2]))
    pool.allocate(2)
    assert pool.evictions == 0
    pool.allocate(1)
    assert (pool.evictions, pool.eviction_passes) == (1, 1)


@given(st.integers(1, 10_000))
def test_blocks_for_is_the_smallest_number_that_holds_the_tokens(tokens: int) -> None:
    pool = KvPool(1, 16)
    blocks = pool.blocks_for(tokens)
    assert (blocks - 1) * 16 < tokens <= blocks * 16


class PoolMachine(RuleBasedStateMachine):
    """Any order of allocations, shares and releases, checked against plain bookkeeping."""

    held = Bundle("held")

    @initialize()
    def start(self) -> None:
        self.pool = KvPool(24, 16)
        self.references: dict[int, int] = {}
        self.content: dict[int, int] = {}

    @rule(target=held, count=st.integers(1, 6), first=st.integers(0, 40))
    def allocate(self, count: int, first: int) -> list[int]:
        count = min(count, self.pool.free)
        blocks = self.pool.allocate(count)
        assert len(set(blocks)) == count
        for offset, block in enumerate(blocks):
            assert not self.references.get(block)
            self.references[block] = 1
            self.pool.register(block, first + offset)
        return blocks

    @rule(target=held, first=st.integers(0, 40), count=st.integers(1, 6))
    def share(self, first: int, count: int) -> list[int]:
        blocks = self.pool.match(list(range(first, first + count)))
        before = self.pool.free
        leaving = self.pool.unreferenced(blocks)
        self.pool.acquire(blocks)
        assert self.pool.free == before - leaving
        for block in blocks:
            self.references[block] = self.references.get(block, 0) + 1
        return blocks

    @rule(blocks=consumes(held))
    def release(self, blocks: list[int]) -> None:
        self.pool.release(blocks)
        for block in blocks:
            self.references[block] -= 1

    @invariant()
    def adds_up(self) -> None:
        if not hasattr(self, "pool"):
            return
        held = sum(1 for count in self.references.values() if count)
        assert self.pool.held == held
        assert self.pool.blank + self.pool.reusable + held == self.pool.total
        assert self.pool.usage == held / 24


TestPoolMachine = PoolMachine.TestCase
