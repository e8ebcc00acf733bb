"""What happened, as values and as the JSON lines of `replay --json` and `watch --json`.

An event is made when something changes, never because a poll came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inferguard_core.frame import Anomaly, AnomalyState, Incident, Severity

if TYPE_CHECKING:
    from inferguard_core.followup import BrainAdvisory, Execution
    from inferguard_core.verdict import Advisory, Diagnosis, Evidence, Fix


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


@dataclass(frozen=True, slots=True)
class DiagnosisEvent:
    """The cause, its rank or its confidence changed."""

    t: float
    endpoint: str
    diagnosis: Diagnosis

    def to_json(self) -> dict[str, Any]:
        return {
            "t": round(self.t, 3),
            "event": "diagnosis",
            "endpoint": self.endpoint,
            **diagnosis_json(self.diagnosis),
        }


@dataclass(frozen=True, slots=True)
class ActionEvent:
    """Something is advised that was not advised before."""

    t: float
    endpoint: str
    advisory: Advisory

    def to_json(self) -> dict[str, Any]:
        return {"t": round(self.t, 3), "event": "action", **advisory_json(self.advisory)}


@dataclass(frozen=True, slots=True)
class ExecutionEvent:
    """An advisory was rehearsed, sent, answered or graded."""

    t: float
    endpoint: str
    execution: Execution

    def to_json(self) -> dict[str, Any]:
        return {
            "t": round(self.t, 3),
            "event": "execution",
            "endpoint": self.endpoint,
            "incident_id": self.execution.incident_id,
            **execution_json(self.execution),
        }


@dataclass(frozen=True, slots=True)
class AdvisoryEvent:
    """An investigation expects something that it did not expect before."""

    t: float
    endpoint: str
    advisory: BrainAdvisory

    def to_json(self) -> dict[str, Any]:
        return {
            "t": round(self.t, 3),
            "event": "advisory",
            "endpoint": self.endpoint,
            **brain_advisory_json(self.advisory),
        }


Event = AnomalyEvent | IncidentEvent | DiagnosisEvent | ActionEvent | ExecutionEvent | AdvisoryEvent


def diagnosis_json(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "incident_id": diagnosis.incident_id,
        "cause": diagnosis.cause,
        "failure_mode": diagnosis.failure_mode,
        "confidence": _rounded(diagnosis.confidence),
        "ranked": [
            {
                "cause": score.cause,
                "confidence": _rounded(score.confidence),
                "for": [c.text for c in score.speaks_for],
                "against": [c.text for c in score.speaks_against],
                "unknown": list(score.unknown),
            }
            for score in diagnosis.ranked
        ],
        "source": diagnosis.source,
        "risk_level": diagnosis.risk_level,
        "actuation_recommendation": diagnosis.actuation_recommendation,
        "evidence": [evidence_json(e) for e in diagnosis.evidence],
        "changed_before": list(diagnosis.changed_before),
        "wrong_lever": None
        if diagnosis.wrong_lever is None
        else {"lever": diagnosis.wrong_lever.lever, "because": diagnosis.wrong_lever.because},
        "measure_next": list(diagnosis.measure_next),
    }


def advisory_json(advisory: Advisory) -> dict[str, Any]:
    return {
        "id": advisory.id,
        "created_at": round(advisory.created_unix, 3),
        "action_type": advisory.action_type.value,
        "incident_id": advisory.incident_id,
        "endpoint": advisory.endpoint,
        "reason": advisory.reason,
        "parameters": dict(advisory.parameters),
        "confidence": _rounded(advisory.confidence),
        "calibrated": advisory.calibrated,
        "helped": advisory.helped,
        "tried": advisory.tried,
        "horizon_seconds": _rounded(advisory.horizon_seconds),
        "evidence": [evidence_json(e) for e in advisory.evidence],
        "source": advisory.source,
        "advisory_only": advisory.advisory_only,
        "preconditions": list(advisory.preconditions),
        "caveats": list(advisory.caveats),
        "superseded_by": advisory.superseded_by,
    }


def execution_json(execution: Execution) -> dict[str, Any]:
    return {
        "id": execution.id,
        "action_id": execution.action_id,
        "action_type": execution.action_type.value,
        "mode": execution.mode,
        "outcome": execution.outcome.value,
        "detail": execution.detail,
        "reference": execution.reference,
        "requested_at": round(execution.requested_unix, 3),
        "requested_by": execution.requested_by,
        "payload": dict(execution.payload),
        "checks": [{"guard": c.guard, "ok": c.ok, "text": c.text} for c in execution.checks],
        "grade": None if execution.grade is None else execution.grade.value,
        "verification": list(execution.verification),
    }


def brain_advisory_json(advisory: BrainAdvisory) -> dict[str, Any]:
    return {
        "advisory_type": advisory.advisory_type,
        "text": advisory.text,
        "confidence": _rounded(advisory.confidence),
        "formula": advisory.formula,
        "horizon_seconds": _rounded(advisory.horizon_seconds),
        "evidence": [evidence_json(e) for e in advisory.evidence],
        "source": advisory.source,
        "advisory_only": advisory.advisory_only,
    }


def fix_json(fix: Fix) -> dict[str, Any]:
    return {
        "cause": fix.cause,
        "changes": [
            {"flag": c.flag, "current": c.current, "proposed": c.proposed, "since": c.since}
            for c in fix.changes
        ],
        "command": fix.command,
        "why": fix.why,
        "effect": fix.effect,
        "cost": fix.cost,
        "check": fix.check,
        "instead": list(fix.instead),
        "notes": list(fix.notes),
        "flags_of": fix.flags_of,
    }


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
