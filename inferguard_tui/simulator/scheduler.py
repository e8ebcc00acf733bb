"""What the three schedulers share: the queues, block growth, preemption and the outcome of a step.

A scheduler owns the requests that the engine has accepted and the KV pool. `plan` decides a step and
takes its blocks; `complete` delivers its tokens. It knows no clock: times are handed in.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING

from inferguard_tui.simulator.kv_blocks import KvBlocks
from inferguard_tui.simulator.outcome import deliver_decodes, deliver_drafts, deliver_prefills
from inferguard_tui.simulator.request import FinishReason, Request, Status

if TYPE_CHECKING:
    import random

    from inferguard_tui.simulator.size import EngineSize
    from inferguard_tui.simulator.step import Step


class Scheduler(ABC):
    """The part of a scheduler that does not depend on the engine."""

    def __init__(self, size: EngineSize, jitter: random.Random, acceptance: random.Random) -> None:
        self.size = size
        self.kv = KvBlocks(size)
        self.pool = self.kv.pool
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
        deliver_prefills(step)
        if self.size.speculative_tokens:
            deliver_drafts(step, self.size.speculative_tokens, self._acceptance, self.kv)
        else:
            deliver_decodes(step)
        if step.finished or step.failed:
            for request in step.finished:
                limit = request.generated >= request.max_tokens
                self._finish(request, FinishReason.LENGTH if limit else FinishReason.STOP, step.ended_at)
            for request in step.failed:
                self._finish(request, FinishReason.ERROR, step.ended_at)
            self.running = [r for r in self.running if r.status is Status.RUNNING]

    def _finish(self, request: Request, reason: FinishReason, now: float) -> None:
        self.kv.release(request)
        request.status = Status.FINISHED
        request.finish_reason = reason
        request.finished_at = now

    def _start(self, request: Request, hits: list[int], step: Step) -> None:
        """Move a waiting request, already off the queue, into the running batch with its cached prefix."""
        self.kv.take(request, hits)
        if request.admitted_at is None:
            request.admitted_at = step.started_at
            request.cached_tokens = request.computed
        request.status = Status.RUNNING
        self.running.append(request)
        step.admitted.append(request)
        step.hit_tokens += request.computed

    def _recompute_later(self, victim: Request) -> None:
        """Take a victim's blocks; all its tokens, generated ones too, must be computed again."""
        self.kv.release(victim)
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
