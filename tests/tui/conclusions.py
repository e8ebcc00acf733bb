"""Conclusions to look at, with made-up values: inputs of the screen, never expected outcomes."""

from __future__ import annotations

from inferguard_core.verdict import (
    ActionType,
    Advisory,
    CauseScore,
    Condition,
    Diagnosis,
    Evidence,
    Fix,
    FlagChange,
    Forecast,
    Impact,
    WrongLever,
)
from tests.tui.figures import NOW

INCIDENT = "gpu-01:8000/20231114T221010Z"
KV_HELD = Evidence("kv_usage", 0.979, "ratio", 0.9, None, 30.0, None, "vllm:kv_cache_usage_perc")


def diagnosis() -> Diagnosis:
    """KV exhausted, ahead of two others, with every kind of reason."""
    speaks_for = (
        Condition("preempting", True, "running requests are thrown back (144 preempted in 60 s)"),
        Condition("kv_full", True, "KV ≥ 0.9 held for 30 s (0.98)", (KV_HELD,)),
        Condition("queued", True, "requests wait (0 → 38)"),
    )
    speaks_against = (
        Condition("tokens_held_normal", False, "KV tokens per running request near what they were before"),
        Condition("few_running", True, "few running (12)"),
    )
    return Diagnosis(
        INCIDENT,
        "kv_exhausted",
        "preemption_storm",
        0.86,
        (
            CauseScore("kv_exhausted", 0.86, speaks_for, speaks_against, ("swapping",)),
            CauseScore("long_contexts", 0.31),
            CauseScore("arrival_surge", 0.18),
        ),
        "rules",
        "high",
        "manual_review",
        (KV_HELD,),
        ("arrivals 4.2 /s → 9.1 /s", "output length 210 → 480 tokens"),
        WrongLever("more sequences", "58 of 256 run; KV is the cap"),
        ("p99 of inter-token latency",),
    )


def unclear() -> Diagnosis:
    """No cause reaches one half."""
    return Diagnosis(
        INCIDENT,
        "unclear",
        "unknown",
        0.4,
        (CauseScore("compute_bound", 0.4), CauseScore("arrival_surge", 0.33)),
        "rules",
        "unknown",
        "do_not_actuate",
        measure_next=("GPU clocks (nvidia-smi dmon)",),
    )


def advisories(endpoint: str) -> tuple[Advisory, ...]:
    """One to act on, one that is research, and the one that the first has taken the place of."""
    throttle = Advisory(
        "a2",
        NOW - 100,
        ActionType.THROTTLE_CONCURRENCY,
        INCIDENT,
        endpoint,
        "KV pool holds 49 requests of this size, 58 run: run 44",
        0.74,
        True,
        0.0,
        {
            "target_concurrency": 44.0,
            "running_now": 58.0,
            "pool_holds": 49.2,
            "tokens_held_per_request": 52_000,
        },
        preconditions=("a gateway that can hold requests back",),
    )
    old = Advisory(
        "a1",
        NOW - 160,
        ActionType.THROTTLE_CONCURRENCY,
        INCIDENT,
        endpoint,
        "run 51",
        0.6,
        False,
        0.0,
        {"target_concurrency": 51.0, "running_now": 58.0},
        superseded_by="a2",
    )
    compaction = Advisory(
        "a3",
        NOW - 100,
        ActionType.RECOMMEND_COMPACTION,
        INCIDENT,
        endpoint,
        "the pool is held by 52,000 tokens a request",
        0.31,
        False,
        360.0,
        {"tokens_held_per_request": 52_000.0, "kv_usage": 0.979},
        caveats=("a stock engine cannot load a compacted cache",),
    )
    return throttle, compaction, old


def fix() -> Fix:
    return Fix(
        "kv_exhausted",
        (
            FlagChange("--watermark", None, "0.02", "0.24.0"),
            FlagChange("--max-num-seqs", "256", "44"),
            FlagChange("--enable-chunked-prefill", "off", ""),
        ),
        "the pool is full and running requests are thrown back: it holds 49 requests of 52,000 tokens",
        "preempted work is no longer computed twice; inter-token latency p99 falls",
        "a restart: weights load anew and the prefix cache starts empty",
        "preemptions a minute over 5 min, then time to first token p95",
        "vllm serve MODEL … \\\n  --watermark 0.02 \\\n  --max-num-seqs 44",
        ("hold requests back at the gateway at the same number, which takes no restart",),
        ("fp8 KV would about double the pool",),
        "0.33.0",
    )


def impact() -> Impact:
    return Impact(
        NOW - 192,
        NOW,
        seconds_over_objective=170.0,
        requests_delayed=1204.0,
        requests_failed=0.0,
        tokens_recomputed_estimate=1_900_000.0,
        peak_waiting=41.0,
        sources={"requests_delayed": "vllm:time_to_first_token_seconds"},
    )


def forecast() -> Forecast:
    return Forecast(0.86, 0.0035, 40.0, 25.0, 70.0, 0.5, "possible", "trend", 20.0, 24)
