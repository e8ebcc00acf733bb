"""A recording run through a watch, poll by poll, and where on the way incidents opened.

What was concluded depends on all that came before, so going back is running again from the start; the places
where incidents opened are kept, since the same polls open the same incidents.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING

from inferguard_core.events import IncidentEvent
from inferguard_core.frame import IncidentState
from inferguard_core.poll import Poll, ProofLevel
from inferguard_core.watch import EndpointWatch
from inferguard_tui.lookout import Lookout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_core.detect.limits import Limits
    from inferguard_core.sources.recording import Recording

_OPENED = (IncidentState.OPEN, IncidentState.REOPENED)


class Course:
    """State after some of a recording's polls; times count from the first of them."""

    def __init__(self, recording: Recording, limits: Limits, look_every: int) -> None:
        """`recording` must hold at least one poll."""
        self._recording = recording
        self._limits = limits
        self._look_every = look_every
        self.polls: Sequence[Poll] = recording.polls
        self.start_t = self.polls[0].t
        self.length_s = self.polls[-1].t - self.start_t
        self.taken = 0
        """How many polls were observed."""
        self._opened: dict[tuple[str, int], float] = {}
        self._begin()

    @property
    def marks(self) -> tuple[float, ...]:
        """Where incidents opened or opened again, as far as was ever looked; rising."""
        return tuple(sorted(self._opened.values()))

    @property
    def whole(self) -> bool:
        """Every poll was observed."""
        return self.taken == len(self.polls)

    def at(self, index: int) -> float:
        """Where the poll of this index stands."""
        return self.polls[index].t - self.start_t

    def due(self, at_s: float) -> int:
        """How many polls belong to the time up to `at_s`."""
        return bisect_right(self.polls, self.start_t + at_s, key=attrgetter("t"))

    def rewind(self, at_s: float) -> None:
        """Begin again where more was observed than up to `at_s`."""
        if self.taken > self.due(at_s):
            self._begin()

    def take(self, until: int) -> float | None:
        """Observe polls up to the index `until`; where an incident opened, else None."""
        opened: float | None = None
        for poll in self.polls[self.taken : until]:
            for event in self.watch.observe(poll):
                if isinstance(event, IncidentEvent) and event.incident.state in _OPENED:
                    opened = self._mark(event, poll.t - self.start_t) or opened
            self.lookout.after(self.watch)
            self.taken += 1
        return opened

    def _mark(self, event: IncidentEvent, at_s: float) -> float | None:
        """An incident event comes with every change; only the first of an opening is one."""
        key = (event.incident.id, event.incident.reopened)
        if key in self._reached:
            return None
        self._reached.add(key)
        self._opened.setdefault(key, at_s)
        return at_s

    def _begin(self) -> None:
        header = self._recording.header
        self.watch = EndpointWatch(
            header.endpoint, header.name, header.interval_s, ProofLevel.RECORDED, self._limits
        )
        self.lookout = Lookout(self._look_every)
        self.taken = 0
        self._reached: set[tuple[str, int]] = set()
