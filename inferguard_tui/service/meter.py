"""Counts what the service itself does: polls, failures, time, and how late its event loop runs."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from inferguard_core.events import IncidentEvent

if TYPE_CHECKING:
    from inferguard_core.events import Event
    from inferguard_core.monitor import Listener
    from inferguard_core.poll import Poll

TICK_S = 0.5
KEPT_TICKS = 120
"""A minute of ticks: the worst of them is the lag that is told."""


@dataclass(slots=True)
class Polls:
    """Of one endpoint since the start."""

    count: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    """By kind of failure."""
    seconds: float = 0.0
    incidents: int = 0
    incident_id: str = ""
    """Of the newest."""


class Meter:
    """Listens to a monitor, beside whoever else does."""

    def __init__(self) -> None:
        self.polls: dict[str, Polls] = {}
        self.newest: float | None = None
        """Monotonic time at which a poll last ended."""
        self._lags: deque[float] = deque(maxlen=KEPT_TICKS)

    @property
    def lag_s(self) -> float:
        """How much later than asked the event loop ran something, at worst, in the last minute."""
        return max(self._lags, default=0.0)

    def beside(self, listener: Listener) -> Listener:
        """`listener`, and this beside it."""

        def on_poll(endpoint: str, poll: Poll) -> None:
            listener.on_poll(endpoint, poll)
            self.count(endpoint, poll)

        def on_event(event: Event) -> None:
            listener.on_event(event)
            self.note(event)

        return replace(listener, on_poll=on_poll, on_event=on_event)

    def note(self, event: Event) -> None:
        """Count an incident once, however often it is told."""
        known = self.polls.get(event.endpoint)
        if known is not None and isinstance(event, IncidentEvent) and event.incident.id != known.incident_id:
            known.incidents += 1
            known.incident_id = event.incident.id

    def count(self, endpoint: str, poll: Poll) -> None:
        known = self.polls.setdefault(endpoint, Polls())
        known.count += 1
        known.seconds += poll.ms / 1000
        if poll.failure is not None:
            known.failed[poll.failure.kind.value] += 1
        self.newest = time.monotonic()

    def keep_only(self, endpoints: set[str]) -> None:
        """Forget endpoints that are no longer watched."""
        for endpoint in self.polls.keys() - endpoints:
            del self.polls[endpoint]

    async def tick(self) -> None:
        """Measure the lag until cancelled."""
        while True:
            due = time.monotonic() + TICK_S
            await asyncio.sleep(TICK_S)
            self._lags.append(max(0.0, time.monotonic() - due))
