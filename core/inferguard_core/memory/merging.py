"""One case out of two versions of it: the newer one, with what people said and did in the older."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from inferguard_core.followup import Grade
from inferguard_core.frame import IncidentEntry
from inferguard_core.memory.shape import joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from inferguard_core.followup import Execution, Note
    from inferguard_core.frame import Anomaly, Incident
    from inferguard_core.memory.case import Case


def merged(stored: Case, new: Case) -> Case:
    """What was seen last, under the id of `stored`.

    Notes, executions, what was applied and how it was judged are lost from neither.
    """
    seen = new if new.seen_unix >= stored.seen_unix else stored
    other = stored if seen is new else new
    notes = both_notes(stored.incident.notes, new.incident.notes)
    judged = new if new.grade is not Grade.UNKNOWN else stored
    return replace(
        seen,
        incident=replace(
            seen.incident,
            id=stored.incident.id,
            onset_unix=min(stored.incident.onset_unix, new.incident.onset_unix),
            opened_unix=min(stored.incident.opened_unix, new.incident.opened_unix),
            worst=max(stored.incident.worst, new.incident.worst),
            acknowledged_by=acknowledged(stored.incident, new.incident),
            notes=notes,
            timeline=told(seen.incident, other.incident, notes),
        ),
        anomalies=_anomalies((*stored.anomalies, *new.anomalies)),
        diagnosis=seen.diagnosis or other.diagnosis,
        advisories=seen.advisories or other.advisories,
        fix=seen.fix or other.fix,
        shape=joined(other.shape, seen.shape),
        executions=_executions((*stored.executions, *new.executions)),
        applied=tuple(sorted({*stored.applied, *new.applied}, key=lambda a: (a.unix, a.what))),
        grade=judged.grade,
        graded_by=judged.graded_by,
        outcome=new.outcome or stored.outcome,
        recording=stored.recording or new.recording,
    )


def spoken(note: Note) -> IncidentEntry:
    """A note's line in the timeline."""
    return IncidentEntry(note.unix, f"{note.author}: {note.text}", note.author)


def acknowledged(one: Incident, other: Incident) -> str:
    """Who is on it, by the newest word on that in either timeline; "" for nobody."""
    words = [
        (entry.unix, on_it)
        for entry in (*one.timeline, *other.timeline)
        for text, on_it in ((f"{entry.by} is on it", entry.by), (f"{entry.by} released it", ""))
        if entry.by and entry.text == text
    ]
    return max(words, key=lambda word: word[0])[1] if words else other.acknowledged_by or one.acknowledged_by


def both_notes(one: Sequence[Note], other: Sequence[Note]) -> tuple[Note, ...]:
    return tuple(sorted({*one, *other}, key=lambda note: (note.unix, note.author, note.text)))


def told(incident: Incident, other: Incident, notes: Iterable[Note]) -> tuple[IncidentEntry, ...]:
    """The incident's own timeline, with the line of each note and what people are said to have done in the other."""
    people = (entry for entry in other.timeline if entry.by not in ("", "inferguard"))
    lines = dict.fromkeys((*map(spoken, notes), *people))
    missing = [line for line in lines if line not in incident.timeline]
    return tuple(sorted((*incident.timeline, *missing), key=lambda entry: entry.unix))


def _anomalies(every: Iterable[Anomaly]) -> tuple[Anomaly, ...]:
    """Each kind once, as it stood at its worst."""
    worst: dict[str, Anomaly] = {}
    for one in every:
        if one.kind not in worst or one.severity >= worst[one.kind].severity:
            worst[one.kind] = one
    return tuple(worst.values())


def _executions(every: Iterable[Execution]) -> tuple[Execution, ...]:
    """Each once, as it was last known; the newest request first."""
    known: dict[str, Execution] = {}
    for one in every:
        before = known.get(one.id)
        if before is None or one.grade is not None or before.grade is None:
            known[one.id] = one
    return tuple(sorted(known.values(), key=lambda e: -e.requested_unix))
