"""One life of a server: API process, engine cores and page, from its start to its crash."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from inferguard_tui.simulator.rank import Rank
from inferguard_tui.simulator.request import FinishReason, Request, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_tui.simulator.exposition import Exposition
    from inferguard_tui.simulator.scheduler import Scheduler
    from inferguard_tui.simulator.step import Step

HELD_UP_S = 1.0
"""The usual objective for a first token."""


class ServerProcess:
    """The API process takes requests at once; the engine loops pick them up between steps."""

    def __init__(self, schedulers: Sequence[Scheduler], page: Exposition, now: float) -> None:
        self.ranks = tuple(Rank(index, scheduler, now) for index, scheduler in enumerate(schedulers))
        self.page = page
        self.open: dict[Request, Rank] = {}
        """Requests with an open connection, in order of arrival, and where they were sent."""
        self.slowness = 1.0
        """How many times as long as usual a step takes."""
        self._frozen_until = -math.inf

    @property
    def scheduler(self) -> Scheduler:
        """Of the first core, which is the only one without data parallelism."""
        return self.ranks[0].scheduler

    @property
    def idle(self) -> bool:
        """Whether no core has anything to do."""
        return not self.open and all(rank.step is None for rank in self.ranks)

    def frozen(self, now: float) -> bool:
        return now < self._frozen_until

    def held_up(self, now: float) -> bool:
        """Whether the head of a queue has waited longer than a first token should take."""
        return any(
            rank.scheduler.waiting and now - rank.scheduler.waiting[0].queued_at > HELD_UP_S
            for rank in self.ranks
        )

    def next_at(self, now: float) -> float:
        """When this process does something by itself next."""
        at = min(rank.next_at for rank in self.ranks)
        return min(at, self._frozen_until) if now < self._frozen_until else at

    def freeze(self, now: float, seconds: float) -> None:
        """Stop the engine loops. Steps in flight end that much later."""
        self._frozen_until = now + seconds
        for rank in self.ranks:
            rank.freeze(now, seconds)

    def accept(self, request: Request) -> None:
        """Send a request to the core that it is pinned to, else to the one with the fewest."""
        rank = self.ranks[request.pinned] if request.pinned >= 0 else min(self.ranks, key=lambda r: r.load)
        self.open[request] = rank
        self.page.accepted(request)
        rank.accept(request)

    def hang_up(self, request: Request, now: float) -> None:
        """The client is gone; the scheduler hears of it between steps."""
        if request in self.open:
            self.open[request].hang_up(request)
            self._close(request, now)

    def complete(self, now: float) -> list[Step]:
        """Deliver the steps in flight whose time is up."""
        steps: list[Step] = []
        for rank in self.ranks:
            step = rank.complete(now, self.page)
            if step is None:
                continue
            steps.append(step)
            for request in (*step.finished, *step.failed):
                self._close(request, now)
        return steps

    def turn(self, now: float) -> None:
        """Begin the next step of every core that has none in flight, unless the loops are frozen."""
        if self.frozen(now):
            return
        for rank in self.ranks:
            rank.turn(now, self.page, self.slowness)

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
        alive = [rank.alive_at if rank.step or self.frozen(now) else now for rank in self.ranks]
        return self.page.text(now, alive_at=alive)

    def _close(self, request: Request, now: float) -> None:
        if request in self.open:
            del self.open[request]
            self.page.closed(request, now)
