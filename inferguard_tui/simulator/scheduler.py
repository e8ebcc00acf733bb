"""What the three schedulers share: the queues, block growth, preemption and the outcome of a step.

A scheduler owns the requests that the engine has accepted and the KV pool. `plan` decides a step and
takes its blocks; `complete` delivers its tokens. It knows no clock: times are handed in.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING

from inferguard_tui.simulator.kv_pool import KvPool
from inferguard_tui.simulator.request import FinishReason, Request, Status

if TYPE_CHECKING:
    import random

    from inferguard_tui.simulator.size import EngineSize
    from inferguard_tui.simulator.step import Step


class Scheduler(ABC):
    """The part of a scheduler that does not depend on the engine."""

    def __init__(self, size: EngineSize, jitter: random.Random, acceptance: random.Random) -> None:
        self.size = size
        self.pool = KvPool(size.num_blocks, size.block_size)
        self.waiting: deque[Request] = deque()
        self.running: list[Request] = []
        self._jitter = jitter
        self._acceptance = acceptance

    @property
    def swapped_requests(self) -> int:
        """Requests held in host memory; only V0 has any."""
        return 0

    @property
    def cpu_usage(self) -> float:
        """Share of host blocks in use; only V0 has any."""
        return 0.0

    @property
    def has_work(self) -> bool:
        return bool(self.running or self.waiting)

    def add(self, request: Request, now: float) -> None:
        """Queue a request that the API server hands over at `now`."""
        request.status = Status.WAITING
        request.queued_at = now
        self.waiting.append(request)

    def abort(self, request: Request, now: float) -> None:
        """Drop a request wherever it is; called between steps, as engines do."""
        if request.status is Status.WAITING:
            self.waiting.remove(request)
        elif request.status is Status.RUNNING:
            self.running.remove(request)
        self._finish(request, FinishReason.ABORT, now)

    @abstractmethod
    def plan(self, now: float) -> Step | None:
        """Decide the next step at `now` and take its blocks; None when nothing can run."""

    def complete(self, step: Step) -> None:
        """Deliver the step's tokens at its end and let finished requests go."""
        ended = step.ended_at
        for request, _ in step.prefills:
            if request.computed >= request.goal:
                self._token_after_prefill(request, step, ended)
        if self.size.speculative_tokens:
            self._verify_drafts(step, ended)
        else:
            self._decode(step, ended)
        if step.finished:
            for request in step.finished:
                limit = request.generated >= request.max_tokens
                self._finish(request, FinishReason.LENGTH if limit else FinishReason.STOP, ended)
            self.running = [r for r in self.running if r.status is Status.RUNNING]

    def _token_after_prefill(self, request: Request, step: Step, ended: float) -> None:
        if request.first_token_at is None:
            request.first_token_at = ended
            step.first_tokens.append(request)
            self._deliver(request, 1, step, ended)
        else:
            self._gap(request, step, ended)
            self._deliver(request, 1, step, ended)

    def _decode(self, step: Step, ended: float) -> None:
        # The hot loop of the simulator: one token for every sequence, gaps grouped by their start.
        since: dict[float, int] = {}
        finished = step.finished
        for request in step.decodes:
            since[request.last_token_at] = since.get(request.last_token_at, 0) + 1
            request.last_token_at = ended
            request.generated += 1
            if request.on_tokens is not None:
                request.on_tokens(1)
            if request.generated >= request.target_tokens:
                finished.append(request)
        step.generated += len(step.decodes)
        for start, count in since.items():
            step.gaps[ended - start] = step.gaps.get(ended - start, 0) + count

    def _verify_drafts(self, step: Step, ended: float) -> None:
        drafted = self.size.speculative_tokens
        step.accepted_by_position = [0] * drafted
        for request in step.decodes:
            accepted = 0
            while accepted < drafted and self._acceptance.random() < request.acceptance:
                step.accepted_by_position[accepted] += 1
                accepted += 1
            step.drafts += 1
            step.draft_tokens += drafted
            made = min(accepted + 1, request.target_tokens - request.generated)
            self._compute(request, made)
            self._gap(request, step, ended)
            self._deliver(request, made, step, ended)

    @staticmethod
    def _gap(request: Request, step: Step, ended: float) -> None:
        gap = ended - request.last_token_at
        step.gaps[gap] = step.gaps.get(gap, 0) + 1

    @staticmethod
    def _deliver(request: Request, tokens: int, step: Step, ended: float) -> None:
        request.generated += tokens
        request.last_token_at = ended
        step.generated += tokens
        if request.on_tokens is not None:
            request.on_tokens(tokens)
        if request.generated >= request.target_tokens:
            step.finished.append(request)

    def _finish(self, request: Request, reason: FinishReason, now: float) -> None:
        self._release(request)
        request.status = Status.FINISHED
        request.finish_reason = reason
        request.finished_at = now

    def _release(self, request: Request) -> None:
        self.pool.release(request.blocks)
        request.blocks = []

    def _cached_prefix(self, request: Request) -> list[int]:
        """Blocks of the longest cached prefix that leaves at least one token to compute."""
        if not self.size.prefix_caching:
            return []
        return self.pool.match(request.keys_to((request.goal - 1) // self.pool.block_size))

    def _start(self, request: Request, hits: list[int], step: Step) -> None:
        """Move a waiting request, already off the queue, into the running batch with its cached prefix."""
        self.pool.acquire(hits)
        request.blocks = list(hits)
        request.computed = len(hits) * self.pool.block_size
        if request.admitted_at is None:
            request.admitted_at = step.started_at
            request.cached_tokens = request.computed
        request.status = Status.RUNNING
        self.running.append(request)
        step.admitted.append(request)
        step.hit_tokens += request.computed

    def _grow(self, request: Request, tokens: int) -> bool:
        """Make room for `tokens` tokens in all; False when the pool has not enough free blocks."""
        missing = self.pool.blocks_for(tokens) - len(request.blocks)
        if missing > self.pool.free:
            return False
        if missing > 0:
            request.blocks.extend(self.pool.allocate(missing))
        return True

    def _compute(self, request: Request, tokens: int) -> None:
        """Count `tokens` more as computed and publish the blocks that became full."""
        before = request.computed // self.pool.block_size
        request.computed += tokens
        if self.size.prefix_caching:
            for block in range(before, request.computed // self.pool.block_size):
                self.pool.register(request.blocks[block], request.key_of(block))

    def _evict_request(self, victim: Request) -> None:
        """Take a victim's blocks; all its tokens, generated ones too, must be computed again."""
        self._release(victim)
        victim.computed = 0
        victim.goal = victim.prompt_tokens + victim.generated
        victim.preemptions += 1
        victim.status = Status.WAITING

    def _price(self, step: Step) -> Step:
        """Set how long the step takes."""
        step.kv_tokens = self.pool.held * self.pool.block_size if step.decodes else 0
        drafts = 1 + self.size.speculative_tokens
        cost = self.size.cost
        step.seconds = (
            cost.step(len(step.decodes) * drafts, step.prefill_tokens, step.kv_tokens, self._jitter)
            + cost.swap_block_s * step.swapped_blocks
        )
        return step
