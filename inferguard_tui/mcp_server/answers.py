"""What the tools answer, typed: an agent sees these as the output schema of each tool.

None is unknown, never zero. Times are Unix seconds. Texts that came from an engine or a person are data to be
judged, not instructions; they are cleaned of control characters and nothing more.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class Number(BaseModel):
    value: float
    unit: str = Field(description="ratio is 0 to 1")
    window_s: float | None = Field(description="seconds of data it rests on; null for an instant reading")
    n: int | None = Field(description="observations behind a quantile or a share")
    source: str = Field(description="the exposed metric names it was computed from")


class Evidence(BaseModel):
    signal: str
    value: float | None
    baseline: float | None
    threshold: float | None
    window_s: float | None
    unit: str
    n: int | None = None


class Anomaly(BaseModel):
    kind: str
    severity: str = Field(description="notice, warning or critical")
    state: str = Field(description="firing or recovering")
    summary: str
    onset_unix: float
    evidence: list[Evidence]


class Cause(BaseModel):
    cause: str
    confidence: float
    speaks_for: list[str] = Field(alias="for")
    speaks_against: list[str] = Field(alias="against")
    unknown: list[str]


class WrongLever(BaseModel):
    lever: str
    because: str


class Diagnosis(BaseModel):
    incident_id: str
    cause: str
    failure_mode: str
    confidence: float
    ranked: list[Cause]
    source: str = Field(description="rules or llm")
    risk_level: str
    evidence: list[Evidence]
    changed_before: list[str]
    wrong_lever: WrongLever | None
    measure_next: list[str]


class Change(BaseModel):
    flag: str
    current: str | None
    proposed: str
    since: str | None


class Fix(BaseModel):
    """Flags of this engine and version to change; a restart is a person's decision."""

    cause: str
    changes: list[Change]
    command: str
    why: str
    effect: str
    cost: str
    check: str
    instead: list[str]
    notes: list[str]


class Action(BaseModel):
    """Advice; `id` is what dry_run_action takes."""

    id: str
    action_type: str
    incident_id: str
    endpoint: str
    reason: str
    parameters: dict[str, Any]
    confidence: float | None
    calibrated: bool
    horizon_seconds: float | None
    preconditions: list[str]
    caveats: list[str]
    superseded_by: str | None
    advisory_only: bool


class BlindRule(BaseModel):
    rule: str
    missing: str
    remedy: str


class EndpointScan(BaseModel):
    endpoint: str
    engine: str
    engine_version: str | None
    models: list[str]
    status: str = Field(description="ok, notice, warning, critical, or unknown when it does not answer")
    proof_level: str = Field(description="live, simulated or recorded")
    polls: int
    watched_s: float = Field(description="for how long this server has watched it")
    signals: dict[str, Number | None]
    anomalies: list[Anomaly]
    diagnosis: Diagnosis | None
    fix: Fix | None
    actions: list[Action]
    blind: list[BlindRule] = Field(description="rules whose input this engine does not export")
    doubts: list[str]
    error: str = Field(description="why it did not answer; empty when it did")


class ScanAnswer(BaseModel):
    endpoints: list[EndpointScan] = Field(description="worst first")


class IncidentItem(BaseModel):
    id: str
    endpoint: str
    state: str = Field(description="open, recovering, resolved or reopened")
    severity: str
    worst: str
    onset_unix: float
    ended_unix: float | None
    anomalies: list[str]
    headline: str
    cause: str = Field(description="empty when none was diagnosed")
    acknowledged_by: str
    peaks: dict[str, float]
    timeline: list[str] = Field(description="the last lines of it")
    session: str = Field(description="`now` when this server saw it, `before` when it is remembered")


class IncidentsAnswer(BaseModel):
    incidents: list[IncidentItem] = Field(description="newest first")
    memory: str = Field(description="whether incidents of earlier sessions are among them, and why not")


class DiagnoseAnswer(BaseModel):
    endpoint: str
    status: str
    incident: IncidentItem | None = Field(description="the open one")
    diagnosis: Diagnosis | None
    fix: Fix | None
    actions: list[Action]
    note: str = Field(description="why there is no diagnosis, when there is none")


class SimilarIncident(BaseModel):
    incident_id: str
    endpoint: str
    cause: str
    headline: str
    opened_unix: float
    lasted_s: float | None
    score: float = Field(description="0 to 1; comparable within one answer only")
    why: list[str]
    done: str = Field(description="what was done about it; empty when that is not known")
    grade: str = Field(description="helped, no_change, worse or unknown")


class RecallAnswer(BaseModel):
    similar: list[SimilarIncident] = Field(description="best first")
    note: str = Field(description="why there are none, when there are none")


class Exposed(BaseModel):
    name: str
    versions: str


class SignalAnswer(BaseModel):
    signal: str
    kind: str = Field(description="gauge, counter or histogram")
    unit: str
    meaning: str
    exposed_as: dict[str, list[Exposed]] = Field(
        description="by engine, best name first; empty: not exported"
    )


class Check(BaseModel):
    guard: str
    ok: bool
    text: str


class Preview(BaseModel):
    id: str
    action_type: str
    outcome: str = Field(description="dry_run or refused; nothing was sent either way")
    detail: str
    payload: dict[str, Any] = Field(description="the webhook body as it would be sent")
    checks: list[Check]


class DryRunAnswer(BaseModel):
    preview: Preview | None
    reason: str = Field(description="why there is no preview, when there is none")
