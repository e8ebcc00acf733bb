"""One life of a server: API process, engine loop, scheduler and page, from its start to its crash."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from inferguard_tui.simulator.request import FinishReason, Request, Status

if TYPE_CHECKING:
    from inferguard_tui.simulator.exposition import Exposition
    from inferguard_tui.simulator.scheduler import Scheduler
    from inferguard_tui.simulator.step import Step

HELD_UP_S = 1.0
"""The usual objective for a first token."""


class ServerProcess:
    """The API process takes requests at once; the engine loop picks them up between steps."""

    def __init__(self, scheduler: Scheduler, page: Exposition, now: float) -> None:
        self.scheduler = scheduler
        self.page = page
        self.step: Step | None = None
        """The step in flight."""
        self.open: dict[Request, None] = {}
        """Requests with an open connection, in order of arrival."""
        self._inbox: list[Request] = []
        self._gone: list[Request] = []
        self._frozen_until = -math.inf
        self._alive_at = now

    def frozen(self, now: float) -> bool:
        return now < self._frozen_until

    def held_up(self, now: float) -> bool:
        """Whether the head of the queue has waited longer than a first token should take."""
        waiting = self.scheduler.waiting
        return bool(waiting) and now - waiting[0].queued_at > HELD_UP_S

    def next_at(self, now: float) -> float:
        """When this process does something by itself next."""
        if self.step is not None:
            return self.step.ended_at
        return self._frozen_until if now < self._frozen_until else math.inf

    def freeze(self, now: float, seconds: float) -> None:
        """Stop the engine loop. A step in flight ends that much later."""
        self._frozen_until = now + seconds
        self._alive_at = now
        if self.step is not None:
            self.step.seconds += seconds

    def accept(self, request: Request) -> None:
        self.open[request] = None
        self.page.accepted(request)
        self._inbox.append(request)

    def hang_up(self, request: Request, now: float) -> None:
        """The client is gone; the scheduler hears of it between steps."""
        if request in self.open:
            self._close(request, now)
            self._gone.append(request)

    def complete(self, now: float) -> Step | None:
        """Deliver the step in flight when its time is up."""
        step = self.step
        if step is None or step.ended_at > now:
            return None
        self.step = None
        self.scheduler.complete(step)
        self.page.stepped(step, self.scheduler)
        self._alive_at = now
        for request in step.finished:
            self._close(request, now)
        return step

    def turn(self, now: float) -> None:
        """Begin the next step unless one is in flight or the loop is frozen."""
        if self.step is not None or self.frozen(now):
            return
        self._alive_at = now
        for request in self._inbox:
            self.scheduler.add(request, now)
        self._inbox.clear()
        for request in self._gone:
            if request.status is not Status.FINISHED:
                self.scheduler.abort(request, now)
                self.page.aborted(request)
        self._gone.clear()
        self.step = self.scheduler.plan(now) if self.scheduler.has_work else None
        if self.step is None:
            self.page.idled(self.scheduler, now)

    def die(self) -> list[Request]:
        """Lose everything; returns the requests whose connections broke."""
        lost = list(self.open)
        for request in lost:
            request.status = Status.FINISHED
            request.finish_reason = FinishReason.ABORT
            if request.on_tokens is not None:
                request.on_tokens(0)
        self.open.clear()
        return lost

    def text(self, now: float) -> str:
        """The page as it would be scraped now."""
        idle = self.step is None and not self.frozen(now)
        return self.page.text(now, alive_at=now if idle else self._alive_at)

    def _close(self, request: Request, now: float) -> None:
        if request in self.open:
            del self.open[request]
            self.page.closed(request, now)
