"""Where a person's requests of a running session arrive; what comes of them shows in the next frame.

It passes on and answers in a line. It decides nothing that a guard, a rule or the brain decides, and a part that
is not set up is said to be so.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from inferguard_core.followup import Note
from inferguard_core.frame import IncidentEntry
from inferguard_core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_core.followup import Execution, Similar
    from inferguard_core.frame import Frame, Incident
    from inferguard_core.memory.scribe import Scribe
    from inferguard_core.monitor import Monitor
    from inferguard_tui.acting import Acting
    from inferguard_tui.brain_client import Brain
    from inferguard_tui.handoff.exports import Exports

NOTE_LENGTH = 2000
"""Characters of one note."""
_NO_MEMORY = "nothing is remembered: memory is off (INFERGUARD_MEMORY_MODE)"
_NO_ACTING = "this session cannot act"


class SessionDesk:
    """The desk of a monitor. Parts that may be missing answer so."""

    def __init__(
        self,
        monitor: Monitor,
        clock: Callable[[], float] = time.time,
        *,
        acting: Acting | None = None,
        scribe: Scribe | None = None,
        brain: Brain | None = None,
        exports: Exports | None = None,
    ) -> None:
        self._monitor = monitor
        self._scribe = scribe
        self._acting = acting
        self._brain = brain
        self._exports = exports
        self._clock = clock

    def acknowledge(self, incident_id: str, who: str) -> str:
        known = self._find(incident_id)
        if known is None:
            return _no_incident(incident_id)
        released = known.acknowledged_by == who
        entry = IncidentEntry(self._clock(), f"{who} {'released it' if released else 'is on it'}", who)
        return self._write(incident_id, entry, acknowledged_by="" if released else who)

    def snooze(self, incident_id: str, who: str, seconds: float) -> str:
        if seconds <= 0:
            entry = IncidentEntry(self._clock(), f"{who} ended the snooze", who)
            return self._write(incident_id, entry, snoozed_until_unix=None)
        entry = IncidentEntry(self._clock(), f"{who} snoozed it for {seconds / 60:.0f} min", who)
        return self._write(incident_id, entry, snoozed_until_unix=self._clock() + seconds)

    def note(self, incident_id: str, who: str, text: str) -> str:
        known = self._find(incident_id)
        if known is None:
            return _no_incident(incident_id)
        said = printable(text.strip(), NOTE_LENGTH)
        if not said:
            return "an empty note is not kept"
        note = Note(self._clock(), printable(who), said)
        entry = IncidentEntry(note.unix, f"{note.author}: {said}", note.author)
        return self._write(incident_id, entry, notes=(*known.notes, note))

    def investigate(self, endpoint: str) -> str:
        return "this session has no brain" if self._brain is None else self._brain.investigate(endpoint)

    async def recall(self, query: str, incident_id: str | None = None) -> tuple[Similar, ...] | str:
        return _NO_MEMORY if self._scribe is None else await self._scribe.recall(query, incident_id)

    async def dry_run(self, action_id: str, who: str) -> Execution | str:
        return _NO_ACTING if self._acting is None else await self._acting.dry_run(action_id, who)

    async def dispatch(self, action_id: str, who: str, confirmed: str) -> Execution | str:
        return _NO_ACTING if self._acting is None else await self._acting.dispatch(action_id, who, confirmed)

    async def export(self, endpoint: str, incident_id: str, markdown: str) -> str:
        if self._exports is None:
            return "this session writes nothing"
        return await self._exports.write(endpoint, incident_id, markdown)

    async def closed_frame(self, incident_id: str) -> Frame | str:
        from inferguard_core.memory.reopened import reopened

        known = None if self._scribe is None else await self._scribe.memory.case(incident_id)
        return f"nothing is kept of incident {incident_id}" if known is None else reopened(known)

    def _find(self, incident_id: str) -> Incident | None:
        every = (known for watch in self._monitor.watches for known in watch.log.incidents)
        return next((known for known in every if known.id == incident_id), None)

    def _write(self, incident_id: str, entry: IncidentEntry, **changes: object) -> str:
        for watch in self._monitor.watches:
            written = watch.log.annotate(incident_id, entry, **changes)
            if written is not None:
                self._monitor.touch(watch.endpoint)
                if self._scribe is not None:
                    self._scribe.written(watch, written)
                return ""
        return _no_incident(incident_id)


def _no_incident(incident_id: str) -> str:
    return f"incident {incident_id} is not in this session"
