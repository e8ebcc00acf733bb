"""The hand-off card: at most twenty lines that stand alone in a chat or a ticket.

Verdict, numbers with their exposed names and two values, window, restarts, what was tried. The least needed lines
are left out first; none is cut in the middle of a fact.
"""

from __future__ import annotations

from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from inferguard_core.frame import IncidentState
from inferguard_core.printable import printable
from inferguard_tui.formatting import whole_age
from inferguard_tui.handoff.facts import (
    diagnosis_of,
    evidence_of,
    restart_words,
    stamp,
    state_words,
    two_values,
    verdict_words,
    what_is_watched,
    window_words,
)
from inferguard_tui.incident.told import GRADES, outcome_words
from inferguard_tui.panels.advisories import change, standing
from inferguard_tui.panels.remedy import flag_words, impact_words
from inferguard_tui.panels.verdict import sentence

if TYPE_CHECKING:
    from inferguard_core.frame import EndpointFrame, Incident
    from inferguard_core.verdict import Evidence

LINES = 20
EVIDENCE_MOST = 6
LINE_LENGTH = 220


def card_text(endpoint: EndpointFrame, incident: Incident | None, unix: float) -> str:
    """The card of `incident`, of the endpoint's state without one; `unix` is the instant it is written at."""
    return "\n".join(printable(row, LINE_LENGTH) for row in card_lines(endpoint, incident, unix))


def card_lines(endpoint: EndpointFrame, incident: Incident | None, unix: float) -> list[str]:
    head = [f"InferGuard hand-off, {stamp(unix)}", what_is_watched(endpoint)]
    age = "never any data" if endpoint.age_s is None else f"data {whole_age(endpoint.age_s)} old"
    source = f"{endpoint.proof.value}, every {endpoint.interval_s:g} s, {age}"
    if incident is None:
        return [*head, f"{endpoint.status.value}: {sentence(endpoint)}", f"source: {source}"]
    head += [state_words(incident, unix), f"verdict: {verdict_words(endpoint, incident)}"]
    tail = [
        f"restarts: {restart_words(endpoint, incident)}",
        *_tried(endpoint, incident),
        f"source: {source}; incident {incident.id}",
    ]
    numbers = [_number(evidence) for evidence in _telling(endpoint, incident)[:EVIDENCE_MOST]]
    room = LINES - len(head) - len(tail)
    between = [*_numbers(numbers, room), *_conclusions(endpoint, incident)]
    return [*head, *between[:room], *tail]


def _telling(endpoint: EndpointFrame, incident: Incident) -> list[Evidence]:
    """Each signal once: the first number of every anomaly before the second of any.

    A page has room for all of them; here what users feel must not fall behind the fourth number on the pool.
    """
    open_now = endpoint.anomalies if incident.state is not IncidentState.RESOLVED else ()
    by_turn = chain.from_iterable(zip_longest(*(anomaly.evidence for anomaly in open_now)))
    found: dict[str, Evidence] = {}
    for evidence in (*filter(None, by_turn), *evidence_of(endpoint, incident)):
        found.setdefault(evidence.signal, evidence)
    return list(found.values())


def _numbers(numbers: list[str], room: int) -> list[str]:
    if not numbers or room < 2:
        return []
    return ["evidence, with what it is measured against:", *numbers[: room - 1]]


def _number(evidence: Evidence) -> str:
    name = f" [{evidence.source}]" if evidence.source else ""
    window = window_words(evidence)
    return f"  {evidence.signal}{name}: {two_values(evidence)}{f', over {window}' if window else ''}"


def _conclusions(endpoint: EndpointFrame, incident: Incident) -> list[str]:
    """Runners-up, the wrong lever, the advice, the fix, the cost: most needed first."""
    diagnosis = diagnosis_of(endpoint, incident)
    if diagnosis is None:
        return []
    rows = []
    if diagnosis.wrong_lever is not None:
        rows.append(f"would not help: {diagnosis.wrong_lever.lever} ({diagnosis.wrong_lever.because})")
    rows += [
        f"advised: {a.action_type.value} {change(a.parameters)}".rstrip() for a in standing(endpoint)[:2]
    ]
    if endpoint.fix is not None and endpoint.fix.changes:
        rows.append(f"fix: {' · '.join(map(flag_words, endpoint.fix.changes))}")
    if endpoint.impact is not None and (costs := impact_words(endpoint.impact)):
        rows.append(f"impact: {' · '.join(costs)}")
    others = ", ".join(f"{other.cause} {other.confidence:.2f}" for other in diagnosis.ranked[1:])
    return [*rows, f"else: {others}"] if others else rows


def _tried(endpoint: EndpointFrame, incident: Incident) -> list[str]:
    """What was done, newest first, at most three; who is on it; the last note."""
    done = [e for e in endpoint.executions if e.incident_id == incident.id]
    rows = []
    for execution in done[:3]:
        grade = "" if execution.grade is None else f"; {GRADES[execution.grade][0]}"
        what = (
            f"{execution.action_type.value} by {execution.requested_by} at {stamp(execution.requested_unix)}"
        )
        rows.append(f"tried: {what}: {outcome_words(execution)}{grade}")
    if not done:
        rows.append("tried: nothing from here")
    if incident.acknowledged_by:
        rows.append(f"on it: {incident.acknowledged_by}")
    if incident.notes:
        note = incident.notes[-1]
        rows.append(f"note by {note.author} at {stamp(note.unix)}: {note.text}")
    return rows
