"""vLLM V0 (0.6): prefill steps before decode steps, preemption by recomputation or by swapping to the host."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from inferguard_tui.simulator.request import FinishReason, Request, Status
from inferguard_tui.simulator.scheduler import Scheduler
from inferguard_tui.simulator.step import Step

if TYPE_CHECKING:
    import random

    from inferguard_tui.simulator.size import EngineSize

WATERMARK = 0.01
"""Share of blocks that V0 keeps free when it admits a prompt (`BlockSpaceManager`'s default)."""


class SchedulerV0(Scheduler):
    """First come, first served, as vLLM 0.6 without chunked prefill.

    With `swap_blocks` a victim's blocks move to host memory and come back before any new prompt is
    admitted; without, or when the host is full, the victim is recomputed from the head of the queue.
    """

    def __init__(self, size: EngineSize, jitter: random.Random, acceptance: random.Random) -> None:
        super().__init__(size, jitter, acceptance)
        self.swapped: deque[Request] = deque()
        self._host_blocks: dict[Request, int] = {}

    @property
    def swapped_requests(self) -> int:
        return len(self.swapped)

    @property
    def cpu_usage(self) -> float:
        return sum(self._host_blocks.values()) / self.size.swap_blocks if self.size.swap_blocks else 0.0

    @property
    def has_work(self) -> bool:
        return super().has_work or bool(self.swapped)

    def abort(self, request: Request, now: float) -> None:
        if request.status is Status.SWAPPED:
            self.swapped.remove(request)
            del self._host_blocks[request]
            self._finish(request, FinishReason.ABORT, now)
        else:
            super().abort(request, now)

    def plan(self, now: float) -> Step | None:
        step = Step(now, running_before=len(self.running))
        if not self.swapped:
            self._admit(step)
        if not step.prefills:
            self._schedule_decodes(step)
            if not step.preempted:
                self._swap_in(step)
        return None if step.empty else self._price(step)

    def _admit(self, step: Step) -> None:
        budget = max(self.size.max_num_batched_tokens, self.size.max_model_len)
        reserve = int(self.pool.total * WATERMARK)
        while self.waiting and len(self.running) < self.size.max_num_seqs:
            request = self.waiting[0]
            hits = self.kv.cached_prefix(request)
            tokens = request.goal - len(hits) * self.pool.block_size
            needed = self.kv.needed(request, hits)
            if tokens > budget or needed + reserve > self.pool.free:
                break
            self.waiting.popleft()
            self._start(request, hits, step)
            self.kv.grow(request, request.goal)
            self.kv.compute(request, tokens)
            step.prefills.append((request, tokens))
            budget -= tokens

    def _schedule_decodes(self, step: Step) -> None:
        drafts = self.size.speculative_tokens
        index = 0
        while index < len(self.running):
            request = self.running[index]
            if not self._make_room(request, request.computed + 1 + drafts, step):
                break
            step.decodes.append(request)
            if not drafts:
                self.kv.compute(request, 1)
            index += 1

    def _make_room(self, request: Request, tokens: int, step: Step) -> bool:
        """Grow `request`, preempting from the end of the batch; False when it was preempted itself."""
        while not self.kv.grow(request, tokens):
            victim = self.running.pop()
            self._preempt(victim, step)
            if victim is request:
                return False
        return True

    def _preempt(self, victim: Request, step: Step) -> None:
        step.preempted.append(victim)
        blocks = len(victim.blocks)
        if sum(self._host_blocks.values()) + blocks > self.size.swap_blocks:
            self._recompute_later(victim)
            self.waiting.appendleft(victim)
            return
        self.kv.release(victim)
        self._host_blocks[victim] = blocks
        victim.status = Status.SWAPPED
        victim.preemptions += 1
        self.swapped.append(victim)
        step.swapped_blocks += blocks

    def _swap_in(self, step: Step) -> None:
        reserve = int(self.pool.total * WATERMARK)
        while self.swapped and len(self.running) < self.size.max_num_seqs:
            request = self.swapped[0]
            blocks = self._host_blocks[request]
            if blocks + 1 + reserve > self.pool.free:
                break
            self.swapped.popleft()
            del self._host_blocks[request]
            request.blocks = self.pool.allocate(blocks)
            request.status = Status.RUNNING
            self.running.append(request)
            step.swapped_blocks += blocks
            self.kv.grow(request, request.computed + 1 + self.size.speculative_tokens)
            step.decodes.append(request)
            if not self.size.speculative_tokens:
                self.kv.compute(request, 1)
