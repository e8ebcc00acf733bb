"""What is told of an incident, and when: at its edges, never because a poll came.

Pure: watches in, notices out. A notice is a whole statement; who gets it needs no earlier one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from inferguard_core.events import fix_json
from inferguard_core.frame import IncidentState, Severity
from inferguard_core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inferguard_core.frame import Incident
    from inferguard_core.verdict import Fix
    from inferguard_core.watch import EndpointWatch

SCHEMA = "inferguard.alert/1"


class Edge(StrEnum):
    FIRING = "firing"
    """It opened or reopened."""
    CHANGED = "changed"
    """It became worse, or its cause became known."""
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Notice:
    """An incident as it stands. Texts are printable."""

    edge: Edge
    incident: Incident
    name: str
    """Of the endpoint, for people."""
    engine: str
    models: tuple[str, ...]
    severity: Severity
    """While it lasts the worst so far: it does not fall and rise again with every poll."""
    unix: float
    cause: str = ""
    confidence: float | None = None
    advice: tuple[str, ...] = ()
    fix: Fix | None = None
    because: str = ""
    """Why it is over, where that is not recovery."""

    def to_json(self) -> dict[str, Any]:
        """`inferguard.alert/1`, the body of the generic webhook."""
        return {
            "schema": SCHEMA,
            "status": self.edge.value,
            "incident_id": self.incident.id,
            "endpoint": self.incident.endpoint,
            "name": self.name,
            "engine": self.engine,
            "models": list(self.models),
            "severity": self.severity.word,
            "anomalies": list(self.incident.anomalies),
            "summary": self.incident.headline,
            "cause": self.cause or None,
            "confidence": None if self.confidence is None else round(self.confidence, 3),
            "advice": list(self.advice),
            "fix": None if self.fix is None else fix_json(self.fix),
            "onset_unix": round(self.incident.onset_unix, 3),
            "ended_unix": None if self.edge is not Edge.RESOLVED else round(self.ended_unix, 3),
            "because": self.because or None,
            "sent_unix": round(self.unix, 3),
        }

    @property
    def ended_unix(self) -> float:
        return self.unix if self.incident.ended_unix is None else self.incident.ended_unix


class Edges:
    """What was told of each endpoint so far, and what is news."""

    def __init__(self) -> None:
        self._told: dict[str, Notice] = {}

    @property
    def open(self) -> tuple[Notice, ...]:
        """The newest notice of every incident that is not over."""
        return tuple(self._told.values())

    def judged(self, watch: EndpointWatch, unix: float) -> Notice | None:
        """The news in the state of a watch after a poll."""
        told, current = self._told.get(watch.endpoint), watch.log.open
        if current is None:
            return None if told is None else self._over(told, watch, unix)
        notice = _notice(watch, current, unix)
        if told is None or told.incident.id != current.id:
            self._told[watch.endpoint] = notice
            return notice
        worse = notice.severity > told.severity
        found = bool(notice.cause) and not told.cause
        kept = replace(notice, edge=Edge.CHANGED, severity=max(notice.severity, told.severity))
        self._told[watch.endpoint] = kept
        return kept if worse or found else None

    def left(self, watched: Iterable[str], unix: float) -> tuple[Notice, ...]:
        """Endpoints with an open incident that are not among those `watched`: nobody will see its end."""
        gone = self._told.keys() - set(watched)
        line = "the endpoint is no longer watched"
        return tuple(
            replace(self._told.pop(endpoint), edge=Edge.RESOLVED, unix=unix, because=line)
            for endpoint in sorted(gone)
        )

    def _over(self, told: Notice, watch: EndpointWatch, unix: float) -> Notice:
        del self._told[watch.endpoint]
        every = (i for i in watch.log.incidents if i.id == told.incident.id)
        ended = next(every, told.incident)
        return replace(told, edge=Edge.RESOLVED, incident=_plain(ended), unix=unix)


def _notice(watch: EndpointWatch, incident: Incident, unix: float) -> Notice:
    diagnosis = watch.casebook.diagnosis
    ours = diagnosis is not None and diagnosis.incident_id == incident.id
    current = (a for a in watch.casebook.advisories if a.superseded_by is None)
    return Notice(
        edge=Edge.FIRING,
        incident=_plain(incident),
        name=printable(watch.name),
        engine="" if watch.seen is None else watch.seen.reading.engine.value,
        models=tuple(printable(m) for m in watch.models),
        severity=max(incident.severity, Severity.WARNING),
        unix=unix,
        cause=diagnosis.cause if ours and diagnosis is not None else "",
        confidence=diagnosis.confidence if ours and diagnosis is not None else None,
        advice=tuple(printable(f"{a.action_type.value}: {a.reason}") for a in current),
        fix=watch.casebook.fix,
    )


def _plain(incident: Incident) -> Incident:
    over = incident.state is IncidentState.RESOLVED
    ended = incident.ended_unix if over else None
    return replace(incident, headline=printable(incident.headline), ended_unix=ended)
