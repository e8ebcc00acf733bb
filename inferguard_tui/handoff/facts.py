"""Facts that the card and the page share, as plain text with no shapes and no colours.

Each number stands with what it is measured against and the exposed name it was read from.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from inferguard_core.counted import counted
from inferguard_core.frame import IncidentState
from inferguard_core.printable import printable
from inferguard_tui.formatting import duration, quantity
from inferguard_tui.panels.causes import cause_words
from inferguard_tui.panels.header import engine_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inferguard_core.frame import EndpointFrame, Incident
    from inferguard_core.verdict import Diagnosis, Evidence

RESTART = "engine_restart"
PROCESS_START = "process_start"


def stamp(unix: float) -> str:
    """UTC, since the next engineer may sit elsewhere: `2023-11-14 22:13:20 UTC`."""
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def what_is_watched(endpoint: EndpointFrame) -> str:
    """Endpoint, engine with version, models."""
    models = ", ".join(printable(m) for m in endpoint.models)
    return " · ".join(part for part in (endpoint.name, engine_words(endpoint), models) if part)


def state_words(incident: Incident, unix: float) -> str:
    """State, worst severity, how long, since when."""
    end = incident.ended_unix if incident.ended_unix is not None else unix
    lasted = f"{incident.state.value} {duration(end - incident.onset_unix)}"
    until = f" to {stamp(end)}" if incident.state is IncidentState.RESOLVED else ""
    again = f", reopened {counted(incident.reopened, 'time')}" if incident.reopened else ""
    return f"{incident.worst.word.upper()} {lasted}{again}, from {stamp(incident.onset_unix)}{until}"


def diagnosis_of(endpoint: EndpointFrame, incident: Incident | None) -> Diagnosis | None:
    """The diagnosis where it is this incident's."""
    diagnosis = endpoint.diagnosis
    return diagnosis if diagnosis is not None and incident and diagnosis.incident_id == incident.id else None


def verdict_words(endpoint: EndpointFrame, incident: Incident) -> str:
    """The cause with its confidence and who concluded it, and what was seen."""
    told = printable(incident.headline or ", ".join(incident.anomalies), 400)
    diagnosis = diagnosis_of(endpoint, incident)
    if diagnosis is None:
        return told
    by = printable(diagnosis.source)
    return f"{cause_words(diagnosis.cause)} ({diagnosis.cause}, {diagnosis.confidence:.2f}, {by}) - {told}"


def evidence_of(endpoint: EndpointFrame, incident: Incident | None) -> tuple[Evidence, ...]:
    """Numbers of the anomalies, then of the diagnosis; each signal once against each limit."""
    found: dict[tuple[str, float | None], Evidence] = {}
    for evidence in _all(endpoint, incident):
        found.setdefault((evidence.signal, evidence.threshold), evidence)
    return tuple(found.values())


def _all(endpoint: EndpointFrame, incident: Incident | None) -> Iterator[Evidence]:
    if incident is not None and incident.state is not IncidentState.RESOLVED:
        for anomaly in endpoint.anomalies:
            yield from anomaly.evidence
    diagnosis = diagnosis_of(endpoint, incident)
    if diagnosis is not None:
        yield from diagnosis.evidence
        for condition in diagnosis.ranked[0].speaks_for if diagnosis.ranked else ():
            yield from condition.evidence


def two_values(evidence: Evidence) -> str:
    """What it is against, then what it is: `baseline 4.2 /s -> 9.1 /s`, `limit 90.0% -> 97.9%`."""
    now = quantity(evidence.value, evidence.unit)
    if evidence.baseline is not None:
        return f"baseline {quantity(evidence.baseline, evidence.unit)} -> {now}"
    if evidence.threshold is not None:
        return f"limit {quantity(evidence.threshold, evidence.unit)} -> {now}"
    return now


def window_words(evidence: Evidence) -> str:
    """`60 s, n 372`; empty for an instant."""
    if evidence.window_s is None:
        return ""
    return f"{evidence.window_s:.0f} s" + (f", n {evidence.n}" if evidence.n is not None else "")


def restart_words(endpoint: EndpointFrame, incident: Incident | None) -> str:
    """Restarts that were seen, and when the process started where the engine tells."""
    seen = sum(RESTART in known.anomalies for known in endpoint.incidents)
    here = incident is not None and RESTART in incident.anomalies
    started = next((raw.value for raw in endpoint.raw if raw.signal == PROCESS_START), None)
    parts = ["one in this incident" if here else "none in this incident"]
    parts.append(f"{seen} of {counted(len(endpoint.incidents), 'incident')} of this session with one")
    parts.append("start time not exported" if started is None else f"process runs since {stamp(started)}")
    return "; ".join(parts)
