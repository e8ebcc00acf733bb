"""The blocks of requests: what of a prompt is cached, room for more tokens, publishing what became full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.simulator.kv_pool import KvPool

if TYPE_CHECKING:
    from inferguard_tui.simulator.request import Request
    from inferguard_tui.simulator.size import EngineSize


class KvBlocks:
    """Keeps each request's `blocks` and `computed` true to the pool. Decides nothing."""

    def __init__(self, size: EngineSize) -> None:
        self.pool = KvPool(size.num_blocks, size.block_size)
        self._caching = size.prefix_caching

    def cached_prefix(self, request: Request) -> list[int]:
        """Blocks of the longest cached prefix that leaves at least one token to compute."""
        if not self._caching:
            return []
        return self.pool.match(request.keys_to((request.goal - 1) // self.pool.block_size))

    def needed(self, request: Request, hits: list[int]) -> int:
        """Free blocks that admitting all of the request's known tokens would use up."""
        return self.pool.blocks_for(request.goal) - len(hits) + self.pool.unreferenced(hits)

    def take(self, request: Request, hits: list[int]) -> None:
        """Begin with a cached prefix."""
        self.pool.acquire(hits)
        request.blocks = list(hits)
        request.computed = len(hits) * self.pool.block_size

    def grow(self, request: Request, tokens: int) -> bool:
        """Make room for `tokens` tokens in all; False when the pool has not enough free blocks."""
        missing = self.pool.blocks_for(tokens) - len(request.blocks)
        if missing > self.pool.free:
            return False
        if missing > 0:
            request.blocks.extend(self.pool.allocate(missing))
        return True

    def compute(self, request: Request, tokens: int) -> None:
        """Count `tokens` more as computed and publish the blocks that became full."""
        before = request.computed // self.pool.block_size
        request.computed += tokens
        if self._caching:
            for block in range(before, request.computed // self.pool.block_size):
                self.pool.register(request.blocks[block], request.key_of(block))

    def release(self, request: Request) -> None:
        self.pool.release(request.blocks)
        request.blocks = []
