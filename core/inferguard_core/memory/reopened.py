"""A stored incident as a frame, so that the panels of a live endpoint show a past one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.frame import EndpointFrame, Frame, Severity, Status
from inferguard_core.poll import ProofLevel

if TYPE_CHECKING:
    from inferguard_core.followup import Similar
    from inferguard_core.memory.case import Case

_STATUS = {
    Severity.OK: Status.OK,
    Severity.NOTICE: Status.NOTICE,
    Severity.WARNING: Status.WARNING,
    Severity.CRITICAL: Status.CRITICAL,
}


def reopened(case: Case, similar: tuple[Similar, ...] = ()) -> Frame:
    """The incident as it was when it was last seen; its anomalies as they stood at their worst.

    It is marked as recorded unless it was simulated: nothing in it is happening now.
    """
    incident = case.incident
    endpoint = EndpointFrame(
        endpoint=incident.endpoint,
        name=incident.id.rpartition("/")[0] or incident.endpoint,
        status=_STATUS[incident.worst],
        severity=incident.worst,
        proof=case.proof if case.proof is ProofLevel.SIMULATED else ProofLevel.RECORDED,
        interval_s=case.interval_s,
        engine=case.engine,
        engine_version=case.engine_version,
        models=case.models,
        last_page_unix=case.seen_unix,
        measures=case.measures,
        trends=case.course,
        anomalies=tuple(sorted(case.anomalies, key=lambda a: (-a.severity, a.onset_unix))),
        incident=incident,
        incidents=(incident,),
        diagnosis=case.diagnosis,
        advisories=case.advisories,
        fix=case.fix,
        impact=case.impact,
        executions=case.executions,
        similar=similar,
    )
    return Frame(int(case.seen_unix), case.seen_unix, (endpoint,))
