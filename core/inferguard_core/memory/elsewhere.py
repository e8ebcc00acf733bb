"""What another process writes into the same store, brought into a session that is running.

People write notes from a second terminal; whoever looks at the incident should see them now. What the other
process measured stays out: this one has its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from inferguard_core.memory.merging import acknowledged, both_notes, told
from inferguard_core.memory.writing import opened

if TYPE_CHECKING:
    import sqlite3

    from inferguard_core.memory.case import Case
    from inferguard_core.watch import EndpointWatch

LOOKED_AT = 200
"""Newest incidents whose versions are compared."""


class Rewritten(NamedTuple):
    """An incident as it is stored since somebody wrote it."""

    case: Case
    names: frozenset[str]
    """Its own id and those under which other processes know it."""


class Versions:
    """Which version of each incident was read last."""

    def __init__(self) -> None:
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
        return tuple(_read(connection, id_) for id_, version in now.items() if before.get(id_) != version)


def _read(connection: sqlite3.Connection, id_: str) -> Rewritten:
    (whole,) = connection.execute("SELECT whole FROM cases WHERE id = ?", (id_,)).fetchone()
    others = connection.execute("SELECT id FROM other_names WHERE case_id = ?", (id_,))
    return Rewritten(opened(whole, light=True), frozenset((id_, *(name for (name,) in others))))


def heard(watch: EndpointWatch, rewritten: Rewritten) -> bool:
    """Take what people wrote into an incident of this watch; whether any of it was new."""
    other = rewritten.case.incident
    for place, own in enumerate(watch.log.incidents):
        if own.id in rewritten.names:
            notes = both_notes(other.notes, own.notes)
            now = replace(
                own,
                notes=notes,
                timeline=told(own, other, notes),
                acknowledged_by=acknowledged(other, own),
            )
            if now != own:
                watch.log.incidents[place] = now
                return True
    return False
