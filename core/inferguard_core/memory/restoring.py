"""What was kept, back into the watch of an endpoint before its first poll.

An incident that was open when the monitor went away is not known to have gone on, nor to have ended: it is closed
with a line that says so, and trouble that is found soon after is the same incident again. One that was open moments
ago, when somebody watches it still perhaps, stays so until that is known.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from inferguard_core.frame import SPANS_S, IncidentState
from inferguard_core.incidents import Elsewhere, left_alone
from inferguard_core.journal import LOGGER
from inferguard_core.learned import Learned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_core.memory.case import Case
    from inferguard_core.memory.protocol import Memory
    from inferguard_core.memory.records import ReadingRow
    from inferguard_core.watch import EndpointWatch

INCIDENTS = 20
"""Of one endpoint that are on screen again at once; the others are a recall away."""
WATCHED_S = 90.0
"""Seen within this time, another process may be watching it still: three polls of a slow one."""
SAME_TROUBLE_S = 1800.0
"""Away for longer, trouble that is found at the return is new: nobody can say that it is the old one."""


async def restore(memory: Memory, watch: EndpointWatch, now: float) -> Restored:
    """Fill `watch` from `memory`, as of `now`."""
    learned = await memory.learned(watch.endpoint)
    if learned is not None:
        try:
            watch.learned = Learned.from_json(watch.endpoint, learned, watch.limits)
        except ValueError as error:
            LOGGER.warning("what %s taught is not used: %s", watch.endpoint, error)
    refill(watch, await memory.readings(watch.endpoint, now - max(SPANS_S)))
    stored = await memory.cases(watch.endpoint, INCIDENTS)
    closed = tuple(case if _over(case) else ended(case, now) for case in stored)
    newest = stored[:1] if not watch.log.incidents else ()
    if newest and not _over(newest[0]) and now - newest[0].seen_unix <= WATCHED_S:
        watch.log.elsewhere = Elsewhere(newest[0].seen_unix)
        known = (*newest, *closed[1:])
    else:
        known = closed
    watch.log.incidents = [*(case.incident for case in reversed(known)), *watch.log.incidents]
    return Restored(stored, known)


class Restored(NamedTuple):
    """The stored incidents of one endpoint, newest first."""

    stored: tuple[Case, ...]
    known: tuple[Case, ...]
    """The same as they are known now: closed, but for one that may be watched still."""

    def left_open(self, now: float) -> tuple[Case, ...]:
        """Those that nobody has closed and that nobody else can be watching, closed."""
        pairs = zip(self.stored, self.known, strict=True)
        return tuple(c for s, c in pairs if not _over(s) and now - s.seen_unix > WATCHED_S)


def _over(case: Case) -> bool:
    return case.incident.state is IncidentState.RESOLVED


def refill(watch: EndpointWatch, rows: Sequence[ReadingRow]) -> None:
    """Past readings into the sparklines."""
    for measure, ring in watch.trends.items():
        ring.fill((row.unix, row.values.get(measure)) for row in rows)


def ended(case: Case, now: float) -> Case:
    """An incident that was open when it was last seen, as it is known now."""
    # Trouble found within the time to reopen counted from here is the same incident.
    end = now if now - case.seen_unix <= SAME_TROUBLE_S else case.seen_unix
    incident = left_alone(case.incident, case.seen_unix, end, now)
    return replace(case, incident=incident, seen_unix=max(case.seen_unix, now))
