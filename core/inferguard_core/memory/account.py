"""What is known of one endpoint besides its watch, and the case that its newest incident makes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inferguard_core.memory.case import Case
from inferguard_core.memory.shape import Shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.frame import Anomaly, EndpointFrame, Incident
    from inferguard_core.memory.restoring import Restored
    from inferguard_core.watch import EndpointWatch


@dataclass(slots=True)
class Account:
    """The state of one endpoint."""

    watch: EndpointWatch
    calm: dict[str, float] = field(default_factory=dict)
    shape: Shape = field(default_factory=Shape)
    worst: dict[str, Anomaly] = field(default_factory=dict)
    incident_id: str = ""
    kept: object = None
    """What of the incident would be worth writing, as last written."""
    kept_unix: float = 0.0
    learned_unix: float = 0.0
    restored: bool = False
    last: Case | None = None
    """The newest incident, as it was last put."""
    unsettled: Restored | None = None
    """What was stored when this began, until it is clear which of it another process still watches."""
    begun: float = 0.0
    config: Mapping[str, str] = field(default_factory=dict)
    """What the engine showed of its configuration when it was last compared with a proposal."""
    recalled: tuple[str, ...] = ()
    recalled_unix: float = 0.0


def case_of(
    frame: EndpointFrame, incident: Incident, known: Account, seen_unix: float, recording: str
) -> Case:
    """The incident, whole, as it stands."""
    return Case(
        incident=incident,
        seen_unix=seen_unix,
        proof=frame.proof,
        engine=frame.engine,
        engine_version=frame.engine_version,
        models=frame.models,
        interval_s=frame.interval_s,
        anomalies=tuple(known.worst.values()),
        diagnosis=frame.diagnosis,
        advisories=frame.advisories,
        fix=frame.fix,
        impact=frame.impact,
        executions=tuple(e for e in frame.executions if e.incident_id == incident.id),
        shape=known.shape,
        course=frame.trends,
        measures=frame.measures,
        recording=recording,
        applied=known.last.applied if known.last is not None and known.last.id == incident.id else (),
    )


def news_of(watch: EndpointWatch, incident: Incident) -> object:
    """What of an incident is written down at once when it changes."""
    diagnosis, fix = watch.casebook.diagnosis, watch.casebook.fix
    return (
        incident.id,
        incident.state,
        incident.severity,
        incident.anomalies,
        incident.acknowledged_by,
        incident.notes,
        len(incident.timeline),
        None if diagnosis is None else diagnosis.cause,
        tuple(a.id for a in watch.casebook.advisories),
        None if fix is None else fix.command,
        watch.followup.executions,
    )
