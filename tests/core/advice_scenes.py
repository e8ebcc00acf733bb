"""Scenes and diagnoses for tests of advice, fixes and impact: one endpoint, a reading a second."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from inferguard_core.detect.finding import Situation
from inferguard_core.detect.limits import Limits
from inferguard_core.frame import Anomaly, AnomalyState, Incident, IncidentState, Severity
from inferguard_core.poll import EndpointFacts
from inferguard_core.reading import Engine, Reading
from inferguard_core.scene import Scene
from inferguard_core.signals import Signal
from inferguard_core.verdict import CauseScore, Diagnosis, Evidence
from inferguard_core.window import Window
from tests.core.readings import history, reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


UNIX = 1_800_000_000.0
ENDPOINT = "http://127.0.0.1:8000"
INCIDENT = "127.0.0.1:8000/20270115T080000Z"

CAUSES = (
    "arrival_surge",
    "long_contexts",
    "prefix_thrash",
    "prefix_broken",
    "kv_exhausted",
    "sequence_cap",
    "compute_bound",
    "prefill_interference",
    "conservative_admission",
    "offload_pressure",
    "spec_collapse",
    "engine_stalled",
    "engine_restarted",
    "shape_crash",
    "engine_down",
    "abort_storm",
    "error_storm",
    "rank_imbalance",
)
"""Every cause of the contract but `unclear`."""


def anomaly(kind: str, severity: Severity = Severity.WARNING) -> Anomaly:
    return Anomaly(kind, AnomalyState.FIRING, severity, kind, UNIX, UNIX)


def incident(onset_t: float = 0.0) -> Incident:
    return Incident(
        INCIDENT,
        ENDPOINT,
        IncidentState.OPEN,
        Severity.WARNING,
        Severity.WARNING,
        UNIX + onset_t,
        UNIX + onset_t,
        None,
        (),
        0,
        "",
    )


def diagnosis(
    cause: str, confidence: float = 0.8, ranked: Sequence[str] = (), evidence: tuple[Evidence, ...] = ()
) -> Diagnosis:
    scores = (CauseScore(cause, confidence), *(CauseScore(c, 0.6) for c in ranked))
    return Diagnosis(
        INCIDENT, cause, "unknown", confidence, scores, "rules", "medium", "manual_review", evidence
    )


def scene_of(
    readings: Mapping[float, Reading],
    *,
    version: str | None = "0.32.0",
    config: Mapping[str, str] | None = None,
    kinds: Sequence[str] = ("queue_growth",),
    onset_t: float = 0.0,
    **situation: object,
) -> Scene:
    """The scene at the newest of `readings`; without any, one of an endpoint that never answered."""
    newest = readings[max(readings)] if readings else None
    kept = history(readings)
    base = Situation(
        newest.engine if newest is not None else Engine.UNKNOWN,
        interval_s=1.0,
        spellings=newest.spellings if newest is not None else {},
    )
    return Scene(
        endpoint=ENDPOINT,
        unix=UNIX + max(readings, default=0.0),
        window=Window(kept, kept.newest) if kept.newest is not None else None,
        reading=newest,
        situation=replace(base, **situation),  # type: ignore[arg-type]
        findings={},
        anomalies=tuple(anomaly(kind) for kind in kinds),
        incident=incident(onset_t),
        limits=Limits(),
        facts=EndpointFacts(version=version, config=config or {}),
    )


def steady(
    levels: Mapping[Signal, float | Callable[[float], float]],
    *,
    engine: Engine = Engine.VLLM,
    seconds: int = 90,
    info: Mapping[str, str] | None = None,
    generation: str = "",
) -> dict[float, Reading]:
    """A reading a second; a level may be a function of the second."""
    made = {}
    for t in range(seconds):
        values = {s: level(float(t)) if callable(level) else level for s, level in levels.items()}
        made[float(t)] = replace(reading(values, engine=engine), info=info or {}, generation=generation)
    return made


S = Signal
PRESSED = {
    S.RUNNING: 40.0,
    S.WAITING: 12.0,
    S.KV_USAGE: 0.8,
    S.KV_CAPACITY_TOKENS: 100_000.0,
    S.FINISHED: lambda t: 5.0 * t,
    S.PREFIX_QUERIES: lambda t: 1000.0 * t,
    S.PREFIX_HITS: lambda t: 50.0 * t,
}
