"""Measures and trends to look at, with made-up values: inputs of the screen, never expected outcomes."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from inferguard_core.frame import Measure, MeasureId, Trend

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = 1_700_000_000.0
"""2023-11-14 22:13:20 UTC, a multiple of every step used here."""
BINS = 300


def trend(
    of: Callable[[int], float | None], bins: int = BINS, step_s: float = 1.0, span_s: float = 300.0
) -> Trend:
    """`of` gives the value of each bin, 0 the oldest."""
    return Trend(step_s, NOW, tuple(of(index) for index in range(bins)), span_s)


def measures(
    kv: float = 0.52, waiting: float = 0.0, ttft_p95: float = 0.42, preempted: float = 0.0
) -> dict[str, Measure]:
    """Every measure of a vLLM V1 engine under load."""
    ids = MeasureId
    return {
        ids.KV_USAGE: Measure(kv, "ratio", source="vllm:kv_cache_usage_perc"),
        ids.KV_CAPACITY_TOKENS: Measure(3_100_000.0, "tokens", source="vllm:cache_config_info"),
        ids.RUNNING: Measure(58.0, "requests", source="vllm:num_requests_running"),
        ids.WAITING: Measure(waiting, "requests", source="vllm:num_requests_waiting"),
        ids.WAITING_CAPACITY: Measure(waiting, "requests"),
        ids.WAITING_DEFERRED: Measure(0.0, "requests"),
        ids.WAIT_ESTIMATE: Measure(waiting / 6.2, "seconds", 15.0),
        ids.QUEUE_SLOPE: Measure(0.6 if waiting else 0.0, "requests/s", 60.0),
        ids.ARRIVAL_RATE: Measure(9.1, "requests/s", 60.0),
        ids.FINISH_RATE: Measure(6.2, "requests/s", 60.0),
        ids.REJECT_RATE: Measure(0.0, "requests/s", 60.0),
        ids.PREEMPTION_RATE: Measure(preempted, "1/s", 60.0),
        ids.RECOMPUTE_RATE: Measure(preempted * 52_000.0, "tokens/s", 60.0),
        ids.TTFT_P50: Measure(ttft_p95 / 4, "seconds", 60.0, 372),
        ids.TTFT_P95: Measure(ttft_p95, "seconds", 60.0, 372),
        ids.TTFT_P99: Measure(None, "seconds", 60.0, 72, why_unknown="n 72, needs 100"),
        ids.TTFT_OVER_GOAL: Measure(0.78 if ttft_p95 > 1.0 else 0.0, "ratio", 60.0, 372),
        ids.ITL_P50: Measure(0.041, "seconds", 60.0, 3720),
        ids.ITL_P95: Measure(0.185, "seconds", 60.0, 3720),
        ids.PROMPT_RATE: Measure(18_200.0, "tokens/s", 60.0),
        ids.PROMPT_COMPUTED_RATE: Measure(9_800.0, "tokens/s", 60.0),
        ids.GENERATION_RATE: Measure(1_800.0, "tokens/s", 60.0),
        ids.PREFIX_HIT_RATE: Measure(0.31, "ratio", 60.0, 20_000),
        ids.SPEC_ACCEPTANCE: Measure(None, "ratio", 60.0, why_unknown="not exported: spec_draft_tokens"),
        ids.OPEN_FDS: Measure(61.0, "1", source="process_open_fds"),
    }


def trends(rising: bool = False) -> dict[str, Trend]:
    """Five minutes; rising ones climb to their end."""

    def climb(low: float, high: float) -> Callable[[int], float | None]:
        return lambda i: (
            low + (high - low) * (i / BINS) ** 2
            if rising
            else low + (high - low) * 0.2 * (1 + math.sin(i / 20))
        )

    return {
        MeasureId.KV_USAGE: trend(climb(0.3, 0.98)),
        MeasureId.WAITING: trend(climb(0.0, 38.0)),
        MeasureId.RUNNING: trend(lambda i: 50.0 + i % 9),
        MeasureId.TTFT_P95: trend(climb(0.4, 12.4)),
        MeasureId.ITL_P95: trend(climb(0.04, 0.185)),
        MeasureId.GENERATION_RATE: trend(climb(1500.0, 1900.0)),
        MeasureId.PREFIX_HIT_RATE: replace(trend(climb(0.8, 0.31)), keeps_lowest=True),
        MeasureId.PREEMPTION_RATE: trend(climb(0.0, 1.4) if rising else lambda _: 0.0),
    }
