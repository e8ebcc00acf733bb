"""One engine core: a scheduler with its pool, the step in flight and what the API process has handed over.

A server has one of these, or several side by side with data parallelism; they share nothing but the page.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from inferguard_tui.simulator.request import Request, Status

if TYPE_CHECKING:
    from inferguard_tui.simulator.exposition import Exposition
    from inferguard_tui.simulator.scheduler import Scheduler
    from inferguard_tui.simulator.step import Step


class Rank:
    """Picks up requests between steps. `index` is its number on the page."""

    def __init__(self, index: int, scheduler: Scheduler, now: float) -> None:
        self.index = index
        self.scheduler = scheduler
        self.step: Step | None = None
        """The step in flight."""
        self.alive_at = now
        """When the loop last turned."""
        self._inbox: list[Request] = []
        self._gone: list[Request] = []

    @property
    def load(self) -> int:
        """Requests it has, in whatever state."""
        scheduler = self.scheduler
        return len(self._inbox) + len(scheduler.waiting) + len(scheduler.running) + scheduler.swapped_requests

    @property
    def next_at(self) -> float:
        """When its step in flight ends."""
        return self.step.ended_at if self.step is not None else math.inf

    def freeze(self, now: float, seconds: float) -> None:
        """Stop the loop. A step in flight ends that much later."""
        self.alive_at = now
        if self.step is not None:
            self.step.seconds += seconds

    def accept(self, request: Request) -> None:
        self._inbox.append(request)

    def hang_up(self, request: Request) -> None:
        self._gone.append(request)

    def complete(self, now: float, page: Exposition) -> Step | None:
        """Deliver the step in flight when its time is up."""
        step = self.step
        if step is None or step.ended_at > now:
            return None
        self.step = None
        self.scheduler.complete(step)
        page.stepped(step, self)
        self.alive_at = now
        return step

    def turn(self, now: float, page: Exposition, slowness: float) -> None:
        """Begin the next step unless one is in flight; it takes `slowness` times as long as usual."""
        if self.step is not None:
            return
        self.alive_at = now
        for request in self._inbox:
            self.scheduler.add(request, now)
        self._inbox.clear()
        for request in self._gone:
            if request.status is not Status.FINISHED:
                self.scheduler.abort(request, now)
                page.aborted(request)
        self._gone.clear()
        self.step = self.scheduler.plan(now) if self.scheduler.has_work else None
        if self.step is None:
            page.idled(self, now)
        elif slowness != 1.0:
            self.step.seconds *= slowness
