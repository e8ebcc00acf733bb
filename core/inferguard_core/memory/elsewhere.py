"""What another process writes into the same store, brought into a session that is running.

People write notes from a second terminal; whoever looks at the incident should see them now. What the other
process measured stays out: this one has its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from inferguard_core.frame import IncidentState
from inferguard_core.incidents import NOT_WATCHED, Elsewhere
from inferguard_core.memory.merging import acknowledged, both_notes, told
from inferguard_core.memory.writing import opened

if TYPE_CHECKING:
    import sqlite3

    from inferguard_core.frame import Incident
    from inferguard_core.memory.case import Case
    from inferguard_core.watch import EndpointWatch

LOOKED_AT = 200
"""Newest incidents whose versions are compared."""


class Rewritten(NamedTuple):
    """An incident as it is stored since somebody wrote it."""

    case: Case
    names: frozenset[str]
    """Its own id and those under which other processes know it."""
    by_other: bool
    """Whether another process wrote it last."""


class Versions:
    """Which version of each incident was read last."""

    def __init__(self, writer: str) -> None:
        """`writer` is the name that this process signs with."""
        self._writer = writer
        self._known: dict[str, int] | None = None

    def changed(self, connection: sqlite3.Connection) -> tuple[Rewritten, ...]:
        """Those with another version than at the call before; none at the first call."""
        now = dict(
            connection.execute(
                "SELECT id, version FROM cases ORDER BY opened_unix DESC LIMIT ?", (LOOKED_AT,)
            ).fetchall()
        )
        before, self._known = self._known, now
        if before is None:
            return ()
        return tuple(
            self._read(connection, id_) for id_, version in now.items() if before.get(id_) != version
        )

    def _read(self, connection: sqlite3.Connection, id_: str) -> Rewritten:
        whole, writer = connection.execute("SELECT whole, writer FROM cases WHERE id = ?", (id_,)).fetchone()
        others = connection.execute("SELECT id FROM other_names WHERE case_id = ?", (id_,))
        names = frozenset((id_, *(name for (name,) in others)))
        return Rewritten(opened(whole, light=True), names, writer != self._writer)


def heard(watch: EndpointWatch, rewritten: Rewritten, begun: float) -> bool:
    """Take what another process knows of an incident of this watch; whether any of it was new.

    What people wrote, and that it was watched when this process, at `begun`, took it for left alone. Of an incident
    that only the other has seen so far, all it knows.
    """
    other, log = rewritten.case.incident, watch.log
    if log.elsewhere and rewritten.by_other and log.incidents[-1].id in rewritten.names:
        log.incidents[-1] = _with_people(replace(other, id=log.incidents[-1].id), log.incidents[-1])
        log.elsewhere = _goes_on(rewritten.case, log.elsewhere, begun)
        return True
    for place, own in enumerate(watch.log.incidents):
        if own.id in rewritten.names:
            now = _with_people(own, other)
            if rewritten.by_other and rewritten.case.seen_unix > begun:
                now = _watched_on(now, other, begun)
            if now != own:
                watch.log.incidents[place] = now
                return True
    return False


def _with_people(incident: Incident, other: Incident) -> Incident:
    """`incident` with what people wrote into the other version of it."""
    notes = both_notes(other.notes, incident.notes)
    return replace(
        incident,
        notes=notes,
        timeline=told(incident, other, notes),
        acknowledged_by=acknowledged(other, incident),
    )


def _goes_on(case: Case, known: Elsewhere, begun: float) -> Elsewhere | None:
    """Who sees the incident after this was stored of it; None when it is over."""
    if case.incident.state is IncidentState.RESOLVED:
        return None
    return Elsewhere(case.seen_unix, goes_on=True) if case.seen_unix > begun else known


def _watched_on(own: Incident, other: Incident, begun: float) -> Incident:
    """Without the end and the reopening that only the start of this process put into it."""
    over = IncidentState.RESOLVED
    gaps = [n for n, e in enumerate(own.timeline) if e.unix >= begun and e.text.startswith(NOT_WATCHED)]
    if over in (own.state, other.state) or other.reopened >= own.reopened or not gaps:
        return own
    again = [n for n, e in enumerate(own.timeline) if n > gaps[0] and e.text == "reopened" and not e.by]
    left_out = {gaps[0], *again[:1]}
    reopened = own.reopened - 1
    first = own.state is IncidentState.REOPENED and reopened == 0
    return replace(
        own,
        reopened=reopened,
        state=IncidentState.OPEN if first else own.state,
        timeline=tuple(e for n, e in enumerate(own.timeline) if n not in left_out),
    )
