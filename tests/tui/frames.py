"""Frames to look at, with made-up values: inputs of the screen, never expected outcomes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from inferguard_core.engines import Capability, Visibility
from inferguard_core.frame import (
    Anomaly,
    AnomalyState,
    Blind,
    EndpointFrame,
    Frame,
    Incident,
    IncidentEntry,
    IncidentState,
    PartHealth,
    RawSignal,
    ReplayPosition,
    Severity,
    Status,
)
from inferguard_core.poll import Failure, FailureKind, ProofLevel
from inferguard_core.reading import Engine
from inferguard_core.signals import Signal
from inferguard_core.verdict import Evidence
from tests.tui import conclusions
from tests.tui.figures import NOW, measures, trends

if TYPE_CHECKING:
    from collections.abc import Sequence


DIALECT = (
    Capability(Signal.KV_USAGE, Visibility.READ, "vllm:kv_cache_usage_perc", ""),
    Capability(Signal.WAITING, Visibility.READ, "vllm:num_requests_waiting", ""),
    Capability(Signal.ITL, Visibility.RENAMED, "vllm:time_per_output_token_seconds", ""),
    Capability(Signal.E2E, Visibility.HIDDEN, None, "--show-hidden-metrics-for-version=0.31"),
    Capability(Signal.SPEC_DRAFTS, Visibility.NOT_YET, None, "speculative decoding is off"),
    Capability(Signal.SWAPPED, Visibility.ABSENT, None, "vLLM V1 does not swap"),
)


def endpoint(number: int = 1, **changes: object) -> EndpointFrame:
    """A healthy vLLM endpoint; `changes` replace its fields."""
    healthy = EndpointFrame(
        endpoint=f"http://gpu-{number:02d}:8000",
        name=f"gpu-{number:02d}:8000",
        status=Status.OK,
        severity=Severity.OK,
        proof=ProofLevel.LIVE,
        interval_s=2.0,
        engine=Engine.VLLM,
        engine_version="0.32.0",
        models=("openai/gpt-oss-120b",),
        polls=412,
        last_page_unix=NOW - 0.4,
        age_s=0.4,
        poll_ms=23.0,
        measures=measures(),
        trends=trends(),
        raw=(
            RawSignal("kv_usage", "vllm:kv_cache_usage_perc", 0.52),
            RawSignal("waiting", "vllm:num_requests_waiting", 0.0),
        ),
        thresholds={"kv_usage": 0.85, "ttft": 1.0},
        dialect=DIALECT,
    )
    return replace(healthy, **changes)


def anomaly(kind: str, severity: Severity, summary: str, ago_s: float, **changes: object) -> Anomaly:
    found = Anomaly(
        kind,
        AnomalyState.FIRING,
        severity,
        summary,
        NOW - ago_s,
        NOW - ago_s + 10,
        (Evidence("preemptions", 144.0, "requests", 2.0, None, 60.0, None, "vllm:num_preemptions_total"),),
    )
    return replace(found, **changes)


def incident(**changes: object) -> Incident:
    found = Incident(
        id=conclusions.INCIDENT,
        endpoint="http://gpu-01:8000",
        state=IncidentState.OPEN,
        severity=Severity.CRITICAL,
        worst=Severity.CRITICAL,
        onset_unix=NOW - 192,
        opened_unix=NOW - 190,
        ended_unix=None,
        anomalies=("preemption", "queue_growth"),
        reopened=0,
        headline="preemption: 144 preempted in 60 s, 38.7% of completions; also queue_growth, ttft_high",
        timeline=(IncidentEntry(NOW - 190, "preemption firing critical: 144 preempted in 60 s"),),
    )
    return replace(found, **changes)


RESOLVED = incident(
    id="gpu-01:8000/20231114T210650Z",
    state=IncidentState.RESOLVED,
    severity=Severity.OK,
    worst=Severity.WARNING,
    onset_unix=NOW - 4000,
    opened_unix=NOW - 3990,
    ended_unix=NOW - 3160,
    anomalies=("kv_high",),
    headline="kv_high: KV 91.0% (limit 85%)",
)


def critical(number: int = 1, **changes: object) -> EndpointFrame:
    """KV exhausted, with everything that is concluded and advised."""
    troubles = (
        anomaly("preemption", Severity.CRITICAL, "144 preempted in 60 s, 38.7% of completions", 190),
        anomaly("queue_growth", Severity.CRITICAL, "38 waiting, +0.6/s, ≈ 6.1 s wait", 182),
        anomaly("ttft_high", Severity.WARNING, "78% over 1 s, p95 12.40 s n 372", 170),
        anomaly(
            "kv_saturated",
            Severity.NOTICE,
            "KV reaches 98.9%: the pool is full",
            192,
            state=AnomalyState.RECOVERING,
        ),
    )
    bad = endpoint(
        number,
        status=Status.CRITICAL,
        severity=Severity.CRITICAL,
        measures=measures(kv=0.979, waiting=38.0, ttft_p95=12.4, preempted=2.4),
        trends=trends(rising=True),
        anomalies=troubles,
        incident=incident(),
        incidents=(incident(), RESOLVED),
        diagnosis=conclusions.diagnosis(),
        advisories=conclusions.advisories(f"http://gpu-{number:02d}:8000"),
        fix=conclusions.fix(),
        impact=conclusions.impact(),
        blind=(Blind("swap", "swapped", "vLLM V1 does not swap"),),
    )
    return replace(bad, **changes)


def filling(number: int = 1, **changes: object) -> EndpointFrame:
    """The pool is on its way to full: a forecast stands, nothing is concluded yet, baselines are still learnt."""
    near = anomaly("kv_exhaustion_forecast", Severity.WARNING, "KV 86%, full in 25-70 s (possible)", 12)
    state = incident(
        headline="kv_exhaustion_forecast: KV 86%", severity=Severity.WARNING, onset_unix=NOW - 12
    )
    return endpoint(
        number,
        **{
            "status": Status.WARNING,
            "severity": Severity.WARNING,
            "measures": measures(kv=0.86),
            "trends": trends(rising=True),
            "anomalies": (near,),
            "incident": state,
            "incidents": (state,),
            "forecast": conclusions.forecast(),
            "learning": {"ttft_p95": "learning 40/60", "decode": "learning 29/60"},
        }
        | changes,
    )


def warning(number: int = 1, **changes: object) -> EndpointFrame:
    growing = anomaly("queue_growth", Severity.WARNING, "14 waiting, +0.2/s, ≈ 2.3 s wait", 80)
    state = incident(
        headline="queue_growth: 14 waiting, +0.2/s", severity=Severity.WARNING, onset_unix=NOW - 80
    )
    return endpoint(
        number,
        **{
            "status": Status.WARNING,
            "severity": Severity.WARNING,
            "measures": measures(kv=0.31, waiting=14.0, ttft_p95=4.1),
            "anomalies": (growing,),
            "incident": state,
            "incidents": (state,),
        }
        | changes,
    )


def dead(number: int = 1, **changes: object) -> EndpointFrame:
    """Refuses connections since 48 s; the last page is kept."""
    name = f"gpu-{number:02d}:8000"
    down = anomaly(
        "endpoint_down", Severity.CRITICAL, f"no data, 12 polls failed: {name} refused the connection", 48
    )
    state = incident(headline=f"endpoint_down: {down.summary}", onset_unix=NOW - 48, opened_unix=NOW - 46)
    return endpoint(
        number,
        **{
            "status": Status.NO_DATA,
            "severity": Severity.CRITICAL,
            "failure": Failure(
                FailureKind.REFUSED, f"{name} refused the connection: is the server running there?"
            ),
            "failed_polls": 12,
            "last_page_unix": NOW - 48,
            "age_s": 48.0,
            "anomalies": (down,),
            "incident": state,
            "incidents": (state,),
        }
        | changes,
    )


def waiting(number: int = 1) -> EndpointFrame:
    """Nothing is known yet."""
    return EndpointFrame(
        endpoint=f"http://gpu-{number:02d}:8000",
        name=f"gpu-{number:02d}:8000",
        status=Status.WAITING,
        severity=Severity.OK,
        proof=ProofLevel.LIVE,
        interval_s=2.0,
    )


def frame(
    *endpoints: EndpointFrame, seq: int = 1, unix: float = NOW, replay: ReplayPosition | None = None
) -> Frame:
    answering = sum(e.status is not Status.NO_DATA for e in endpoints)
    return Frame(seq, unix, endpoints, (PartHealth("poll", f"{answering}/{len(endpoints)} answer"),), replay)


def mixed_fleet() -> Frame:
    """Twelve endpoints in every state."""
    states: Sequence[EndpointFrame] = (
        endpoint(1),
        endpoint(2, engine=Engine.SGLANG, engine_version="0.5.23"),
        warning(3),
        endpoint(4),
        waiting(5),
        endpoint(6, status=Status.NOTICE, severity=Severity.NOTICE),
        critical(7),
        endpoint(8, status=Status.RESTARTED),
        dead(9),
        endpoint(10, status=Status.STALE, age_s=9.0, last_page_unix=NOW - 9),
        endpoint(11),
        endpoint(12),
    )
    return frame(*states)
