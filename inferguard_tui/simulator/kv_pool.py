"""A paged KV pool with reference counts and a content-hash prefix cache, evicted least recently used first.

A block nobody references but whose content is known stays reusable and counts as free, as both engines
count it: usage is what live requests hold. The pool knows nothing of requests or time.
"""

from __future__ import annotations

from collections import OrderedDict


class KvPool:
    """`total` blocks of `block_size` tokens each.

    Every block is in exactly one place: blank (no content), reusable (content, no reference) or held.
    """

    def __init__(self, total: int, block_size: int) -> None:
        self.total = total
        self.block_size = block_size
        self.evictions = 0
        """Blocks whose content was given up for a new allocation, since the start."""
        self.eviction_passes = 0
        """Allocations that had to evict, since the start."""
        self._references = [0] * total
        self._key: list[int | None] = [None] * total
        self._by_key: dict[int, int] = {}
        self._blank = list(range(total - 1, -1, -1))
        self._reusable: OrderedDict[int, None] = OrderedDict()

    @property
    def free(self) -> int:
        return len(self._blank) + len(self._reusable)

    @property
    def blank(self) -> int:
        return len(self._blank)

    @property
    def reusable(self) -> int:
        return len(self._reusable)

    @property
    def held(self) -> int:
        return self.total - len(self._blank) - len(self._reusable)

    @property
    def usage(self) -> float:
        """Share of blocks held by live requests, 0 to 1."""
        return self.held / self.total

    def blocks_for(self, tokens: int) -> int:
        return -(-tokens // self.block_size)

    def match(self, keys: list[int]) -> list[int]:
        """Blocks that hold the longest cached prefix of `keys`, in order. Takes no reference."""
        by_key = self._by_key
        found: list[int] = []
        for key in keys:
            block = by_key.get(key)
            if block is None:
                break
            found.append(block)
        return found

    def unreferenced(self, blocks: list[int]) -> int:
        """How many of `blocks` would leave the free side when acquired."""
        references = self._references
        return sum(1 for block in blocks if not references[block])

    def acquire(self, blocks: list[int]) -> None:
        """Take one reference on each of these cached blocks."""
        references = self._references
        for block in blocks:
            if not references[block]:
                del self._reusable[block]
            references[block] += 1

    def allocate(self, count: int) -> list[int]:
        """Take `count` free blocks, blank ones first, then the least recently used reusable ones.

        The caller has checked `count <= free`.
        """
        blank = self._blank
        taken = [blank.pop() for _ in range(min(count, len(blank)))]
        missing = count - len(taken)
        if missing:
            self.eviction_passes += 1
            self.evictions += missing
            taken.extend(self._evict() for _ in range(missing))
        references = self._references
        for block in taken:
            references[block] = 1
        return taken

    def register(self, block: int, key: int) -> None:
        """Say what a full block holds, so that later prompts find it. The first copy of a content wins."""
        if key not in self._by_key:
            self._by_key[key] = block
            self._key[block] = key

    def release(self, blocks: list[int]) -> None:
        """Give back one reference each. The tail becomes evictable before the head it depends on."""
        references = self._references
        for block in reversed(blocks):
            references[block] -= 1
            if not references[block]:
                if self._key[block] is None:
                    self._blank.append(block)
                else:
                    self._reusable[block] = None

    def forget(self) -> None:
        """Flush: no content is found again. Blocks of live requests stay theirs."""
        self._by_key.clear()
        self._key = [None] * self.total
        self._blank.extend(self._reusable)
        self._reusable.clear()

    def _evict(self) -> int:
        block, _ = self._reusable.popitem(last=False)
        key = self._key[block]
        assert key is not None
        del self._by_key[key]
        self._key[block] = None
        return block
