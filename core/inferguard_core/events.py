"""What happened, as values and as the JSON lines of `replay --json` and `watch --json`.

An event is made when something changes, never because a poll came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inferguard_core.frame import Anomaly, AnomalyState, Incident, Severity

if TYPE_CHECKING:
    from inferguard_core.verdict import Evidence


@dataclass(frozen=True, slots=True)
class AnomalyEvent:
    """An anomaly fired, changed severity, began to recover or ended."""

    t: float
    """Seconds since the feed began; in a recording its own `t`."""
    unix: float
    endpoint: str
    anomaly: Anomaly

    def to_json(self) -> dict[str, Any]:
        ended = self.anomaly.state is AnomalyState.OK
        return {
            "t": round(self.t, 3),
            "event": "anomaly",
            "endpoint": self.endpoint,
            "kind": self.anomaly.kind,
            "severity": (Severity.OK if ended else self.anomaly.severity).word,
            "state": self.anomaly.state.value,
            "onset_t": round(self.t - (self.unix - self.anomaly.onset_unix), 3),
            "summary": self.anomaly.summary,
            "evidence": [evidence_json(e) for e in self.anomaly.evidence],
            "flapping": self.anomaly.flapping,
            "incident_id": self.anomaly.incident_id,
        }


@dataclass(frozen=True, slots=True)
class IncidentEvent:
    """An incident opened, changed severity, began to recover, was resolved or reopened."""

    t: float
    endpoint: str
    incident: Incident

    def to_json(self) -> dict[str, Any]:
        return {
            "t": round(self.t, 3),
            "event": "incident",
            "endpoint": self.endpoint,
            "incident_id": self.incident.id,
            "state": self.incident.state.value,
            "severity": self.incident.severity.word,
            "anomalies": list(self.incident.anomalies),
            "headline": self.incident.headline,
        }


Event = AnomalyEvent | IncidentEvent


def evidence_json(evidence: Evidence) -> dict[str, Any]:
    return {
        "signal": evidence.signal,
        "value": _rounded(evidence.value),
        "baseline": _rounded(evidence.baseline),
        "threshold": _rounded(evidence.threshold),
        "window_s": _rounded(evidence.window_s),
        "unit": evidence.unit,
        "n": evidence.n,
        "source": evidence.source,
    }


def _rounded(value: float | None) -> float | None:
    """Six significant digits: more would be noise of the arithmetic."""
    return None if value is None else float(f"{value:.6g}")
