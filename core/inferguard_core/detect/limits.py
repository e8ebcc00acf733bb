"""Every threshold of every rule, as one value that settings fill and rules read.

Seconds are seconds of observed data, not counts of polls, so a rule means the same at any interval.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from annotated_types import Interval

Ratio = Annotated[float, Interval(ge=0.0, le=1.0)]
Seconds = Annotated[float, Interval(gt=0.0, le=86_400.0)]
Count = Annotated[float, Interval(ge=0.0, le=1e9)]
Factor = Annotated[float, Interval(gt=0.0, le=100.0)]


@dataclass(frozen=True, slots=True)
class Limits:
    """Defaults are the contract's; a unit is in the name or the type."""

    kv_alert_threshold: Ratio = 0.85
    """`kv_high`: median KV usage at or above this, times the model family's factor."""
    kv_high_window: Seconds = 15.0
    kv_high_for: Seconds = 30.0
    kv_high_keep: Seconds = 60.0
    kv_high_gap: Ratio = 0.10
    """The clear threshold lies this far below the trigger."""
    kv_saturated_usage: Ratio = 0.98
    kv_saturated_clear: Ratio = 0.90
    kv_saturated_window: Seconds = 10.0
    kv_saturated_for: Seconds = 10.0
    kv_saturated_keep: Seconds = 60.0
    deepseek_r1_kv_factor: Factor = 0.5
    qwen35_kv_factor: Factor = 0.7

    preemption_per_minute: Count = 1.0
    """Over five minutes; SGLang's tuning guide calls one retraction a minute acceptable."""
    preemption_burst: Count = 2.0
    """At least this many within `preemption_window`."""
    preemption_window: Seconds = 60.0
    preemption_long_window: Seconds = 300.0
    preemption_of_finished: Ratio = 0.02
    preemption_critical_of_finished: Ratio = 0.10
    preemption_keep: Seconds = 120.0

    queue_window: Seconds = 60.0
    queue_min_waiting: Count = 5.0
    queue_of_running: Ratio = 0.25
    queue_for: Seconds = 30.0
    queue_keep: Seconds = 60.0
    queue_wait_of_objective: Factor = 0.5
    queue_critical_of_objective: Factor = 2.0

    ttft_objective_s: Seconds = 1.0
    """Snapped down to an edge of the engine's own buckets before use."""
    itl_objective_s: Seconds = 0.2
    """Five tokens a second, about the pace of a reader. Snapped down to an edge of the engine's own buckets."""
    latency_goal: Annotated[float, Interval(ge=0.5, le=0.9999)] = 0.95
    """Share of requests that should meet the objective."""
    ttft_alert_multiplier: Factor = 2.0
    """`ttft_high` and `itl_high`: p95 over this multiple of the endpoint's own baseline …"""
    latency_step_of_objective: Ratio = 0.2
    """… and above what it reaches once in twenty by this share of the objective: nobody waits for less."""
    latency_min_n: Count = 20.0
    """Requests under a share or a quantile of first-token times."""
    itl_min_n: Count = 200.0
    """Tokens under one of inter-token latencies: those of one request share one fate."""
    latency_for: Seconds = 30.0
    latency_keep: Seconds = 60.0
    burn_fast: Factor = 10.0
    burn_fast_long: Seconds = 300.0
    burn_fast_short: Seconds = 30.0
    burn_slow: Factor = 3.0
    burn_slow_long: Seconds = 1800.0
    burn_slow_short: Seconds = 180.0
    drift_step: Ratio = 0.2
    """`decode_drift`: inter-token latency over the healthy one at like batch size by this share."""
    drift_warning_step: Factor = 0.5
    drift_window: Seconds = 300.0
    drift_for: Seconds = 120.0
    drift_keep: Seconds = 300.0
    baseline_samples: Count = 60.0
    baseline_seconds: Seconds = 300.0

    stall_for: Seconds = 10.0
    stall_min_polls: Count = 2.0
    """Intervals without progress, where these are longer than `stall_for`."""
    stall_keep: Seconds = 30.0
    stall_idle_gauge_s: Seconds = 35.0
    """SGLang before 0.5.16 leaves its gauges up to 30 s old on an idle server."""
    stall_descriptors: Count = 5.0
    """Rise of open descriptors or open HTTP requests, with no progress, that reads as a frozen core."""
    scheduler_flat_s: Seconds = 5.0

    traffic_stopped_for: Seconds = 30.0
    traffic_expected: Count = 10.0
    """Completions that the baseline promised for the silence; of fewer, chance alone may leave none."""

    prefix_window: Seconds = 60.0
    prefix_min_tokens: Count = 2000.0
    """Prompt tokens under a hit rate."""
    prefix_drop: Ratio = 0.2
    prefix_drop_relative: Ratio = 0.3
    prefix_drop_for: Seconds = 60.0
    prefix_drop_clear: Ratio = 0.1
    prefix_drop_keep: Seconds = 180.0
    prefix_computed_rise: Factor = 1.5
    """Prompt tokens computed here over their baseline by this factor make a lower hit rate a harm."""
    thrash_window: Seconds = 15.0
    thrash_usage: Ratio = 0.5
    """CONCUR: reuse is lost to pressure above this usage of the pool …"""
    thrash_hit_rate: Ratio = 0.2
    """… and below this hit rate."""
    thrash_hit_rate_clear: Ratio = 0.3
    thrash_baseline: Ratio = 0.4
    thrash_turnover_s: Seconds = 60.0
    """A pool renewed faster than this forgets a prompt before the session's next turn."""
    thrash_for: Seconds = 45.0
    thrash_keep: Seconds = 120.0

    throughput_drop: Ratio = 0.3
    throughput_clear: Ratio = 0.15
    throughput_z: Factor = 3.5
    throughput_min_running: Count = 2.0
    """Below this mean of an instant gauge, tokens per running request are chance."""
    throughput_for: Seconds = 60.0
    throughput_keep: Seconds = 120.0

    spec_min_drafted: Count = 200.0
    spec_acceptance: Ratio = 0.3
    spec_drop: Ratio = 0.3
    spec_for: Seconds = 60.0
    spec_keep: Seconds = 120.0

    errors_share: Ratio = 0.05
    errors_min: Count = 5.0
    errors_critical_share: Ratio = 0.25
    errors_clear_share: Ratio = 0.01
    errors_for: Seconds = 15.0
    errors_keep: Seconds = 120.0

    rank_spread: Ratio = 0.3
    rank_usage: Ratio = 0.8
    rank_for: Seconds = 60.0
    rank_keep: Seconds = 120.0

    forecast_min_usage: Ratio = 0.6
    """Below it a slope is traffic, not a trend."""
    forecast_horizon: Seconds = 60.0
    forecast_probability: Ratio = 0.5
    forecast_clear: Ratio = 0.3
    forecast_keep: Seconds = 30.0

    swap_for: Seconds = 15.0
    swap_keep: Seconds = 120.0
    offload_failures_per_s: Count = 0.1

    restart_keep: Seconds = 120.0
    restart_twice_within: Seconds = 900.0
    down_polls: Count = 3.0
    up_polls: Count = 2.0

    diagnosis_settle: Seconds = 5.0
    """A cause must have led for this long before it is shown as the cause and advised upon."""

    reopen_within: Seconds = 600.0
    flap_changes: Count = 4.0
    flap_window: Seconds = 600.0


def held_within(limits: Limits, seconds: float) -> Limits:
    """`limits` for a look of only `seconds`: what holds through most of it counts as held.

    A short look cannot see a condition last half a minute; it says what it saw, over the window it names.
    """
    hold = 0.5 * seconds
    return replace(
        limits,
        kv_high_for=min(limits.kv_high_for, hold),
        kv_saturated_for=min(limits.kv_saturated_for, hold),
        queue_for=min(limits.queue_for, hold),
        queue_window=min(limits.queue_window, seconds),
        latency_for=min(limits.latency_for, hold),
        swap_for=min(limits.swap_for, hold),
        errors_for=min(limits.errors_for, hold),
        spec_for=min(limits.spec_for, hold),
        rank_for=min(limits.rank_for, hold),
        stall_for=min(limits.stall_for, 0.8 * seconds),
        diagnosis_settle=min(limits.diagnosis_settle, 0.1),
        stall_min_polls=min(limits.stall_min_polls, 2.0),
    )
