"""An incident's own lines: its state and who is on it, and the timeline of what was seen and what was done.

What people and the tool did stands between what the rules saw, at its time, and is marked; nothing is retold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.followup import Grade, Outcome
from inferguard_core.frame import IncidentEntry, IncidentState, Severity
from inferguard_core.printable import printable
from inferguard_tui.formatting import clock, duration
from inferguard_tui.glyphs import INK, SHAPE
from inferguard_tui.line import Ink, Line, Span, clauses, flowed, line, right, spread, width, wrapped
from inferguard_tui.panels.causes import cause_words
from inferguard_tui.panels.incidents import short_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inferguard_core.followup import Execution
    from inferguard_core.frame import EndpointFrame, Incident

TOOL = "inferguard"
"""Who did it, where it was not a person."""
_OFFSET_CELLS = 11
_OFFSET_FROM = 60
"""Cells from which the time since the onset stands beside the time of day."""
OUTCOMES = {
    Outcome.DRY_RUN: "dry run, nothing sent",
    Outcome.REFUSED: "refused",
    Outcome.SENDING: "being sent",
    Outcome.APPLIED: "applied",
    Outcome.REJECTED: "declined by the receiver",
    Outcome.NOT_SENT: "could not be sent; nothing was applied",
    Outcome.UNKNOWN: "no clear answer; it may have been applied",
}
GRADES = {
    Grade.HELPED: ("helped", Ink.OK),
    Grade.NO_CHANGE: ("no change", Ink.NOTICE),
    Grade.WORSE: ("worse", Ink.CRITICAL),
    Grade.UNKNOWN: ("not known", Ink.DIM),
}


def grade_span(grade: Grade) -> Span:
    """Whether it helped, in words that do without colour."""
    words, ink = GRADES[grade]
    return Span(words, ink)


def outcome_words(execution: Execution) -> str:
    """What became of an attempt, and why where a reason was given."""
    words = OUTCOMES[execution.outcome]
    return f"{words}: {printable(execution.detail)}" if execution.detail else words


def holding_words(incident: Incident, unix: float) -> str:
    """Who is on it and until when it does not call; empty where neither is so."""
    parts = []
    if incident.acknowledged_by:
        parts.append(f"{printable(incident.acknowledged_by, 40)} is on it")
    until = incident.snoozed_until_unix
    if until is not None and until > unix:
        parts.append(f"snoozed until {clock(until)}")
    return " · ".join(parts)


def heading(incident: Incident, endpoint: EndpointFrame, unix: float, place: str, cells: int) -> list[Line]:
    """State, age, who is on it; below, what it is in words. `place` is where it stands in the log."""
    over = incident.state is IncidentState.RESOLVED
    severity = Severity.OK if over else incident.severity
    end = incident.ended_unix if incident.ended_unix is not None else unix
    again = f" · reopened {incident.reopened}×" if incident.reopened else ""
    held = holding_words(incident, unix)
    first = line(
        Span(f" {SHAPE[severity]} {incident.state.value}  ", INK[severity]),
        Span(f"{duration(end - incident.onset_unix)} · worst {incident.worst.word}{again}", Ink.STRONG),
        Span(f"  ● {held}" if held else "", Ink.FOCUS),
    )
    rest = flowed((place, short_id(incident)), cells - width(first) - 3)
    told = clauses(headline_words(incident, endpoint), cells - 1)
    return [spread(first, line(Span(f"{rest} ", Ink.DIM)), cells), line(Span(f" {told}", Ink.STRONG))]


def headline_words(incident: Incident, endpoint: EndpointFrame) -> str:
    """The cause in words, where it is known, and what was seen."""
    told = printable(incident.headline or ", ".join(incident.anomalies), 400)
    diagnosis = endpoint.diagnosis
    if diagnosis is None or diagnosis.incident_id != incident.id:
        return told
    return f"{cause_words(diagnosis.cause)} ({diagnosis.confidence:.2f}) — {told}"


def timeline(incident: Incident, executions: Iterable[Execution]) -> tuple[IncidentEntry, ...]:
    """What was seen, said and done, oldest first."""
    told = {entry.text for entry in incident.timeline}
    done = (
        entry
        for execution in executions
        if execution.incident_id == incident.id
        for entry in _deeds(execution)
        if entry.text not in told
    )
    return tuple(sorted((*incident.timeline, *done), key=lambda entry: entry.unix))


def _deeds(execution: Execution) -> list[IncidentEntry]:
    """An attempt and, once it was verified, its grade."""
    what = f"{execution.action_type.value} by {printable(execution.requested_by, 40)}"
    entries = [IncidentEntry(execution.requested_unix, f"{what}: {outcome_words(execution)}", TOOL)]
    if execution.grade is not None:
        at = execution.verify_at_unix or execution.answered_unix or execution.requested_unix
        graded = GRADES[execution.grade][0]
        entries.append(IncidentEntry(at, f"{execution.action_type.value} verified: {graded}", TOOL))
    return entries


def timeline_rows(entries: Iterable[IncidentEntry], onset_unix: float, cells: int) -> list[Line]:
    """`22:10:10    +2 s  words`; what a person did is marked ●, what the tool did ▸."""
    rows: list[Line] = []
    for entry in entries:
        mark, ink = (
            (" ", Ink.TEXT) if not entry.by else ("▸", Ink.KEY) if entry.by == TOOL else ("●", Ink.FOCUS)
        )
        offset = entry.unix - onset_unix
        since = f"+{duration(offset)}" if offset >= 0 else f"-{duration(-offset)}"
        lead = line(
            Span(f" {clock(entry.unix)} ", Ink.DIM),
            Span(f"{right(since, _OFFSET_CELLS)} " if cells >= _OFFSET_FROM else "", Ink.DIM),
            Span(f"{mark} ", ink),
        )
        for number, words in enumerate(wrapped(printable(entry.text, 600), cells - width(lead)) or [""]):
            start = lead if number == 0 else line(Span(" " * width(lead)))
            rows.append((*start, Span(words, ink)))
    return rows or [line(Span(" nothing is kept of its course", Ink.DIM))]


def notes_rows(incident: Incident, cells: int) -> list[Line]:
    """What people wrote, oldest first."""
    rows: list[Line] = []
    for note in incident.notes:
        rows.append(line(Span(f" {clock(note.unix)} ", Ink.DIM), Span(printable(note.author, 40), Ink.FOCUS)))
        rows += [line(Span(row)) for row in wrapped(f"   {printable(note.text, 2000)}", cells, 3)]
    return rows or [line(Span(" none; n writes one", Ink.DIM))]
