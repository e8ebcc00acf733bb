"""KV spilling out of the GPU: V0 swapping, and offload or transfer tiers that fail or drop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.counted import counted
from inferguard_core.detect.finding import Finding, Situation, blind
from inferguard_core.signals import Signal
from inferguard_core.verdict import Evidence

if TYPE_CHECKING:
    from inferguard_core.detect.limits import Limits
    from inferguard_core.window import Window

INPUTS = (Signal.SWAPPED, Signal.CPU_CACHE_USAGE, Signal.OFFLOAD_FAILURES)
GAUGE_WINDOW_S = 10.0
"""Requests swap in and out within seconds: the highest of the last few samples says whether it goes on."""
FAILURE_WINDOW_S = 60.0


def swap(window: Window, limits: Limits, situation: Situation) -> Finding:
    """Any request swapped out, any swap space in use, or offload failures above their rate."""
    if not any(s in situation.spellings for s in INPUTS):
        return blind("swap", *INPUTS)
    swapped = window.maximum(Signal.SWAPPED, GAUGE_WINDOW_S)
    cpu_usage = window.maximum(Signal.CPU_CACHE_USAGE, GAUGE_WINDOW_S)
    failures = window.rate(Signal.OFFLOAD_FAILURES, FAILURE_WINDOW_S)
    rows = (
        Evidence(
            "swapped", swapped, "requests", 0.0, None, GAUGE_WINDOW_S, source=situation.source(Signal.SWAPPED)
        ),
        Evidence(
            "cpu_cache_usage",
            cpu_usage,
            "ratio",
            0.0,
            None,
            GAUGE_WINDOW_S,
            source=situation.source(Signal.CPU_CACHE_USAGE),
        ),
        Evidence(
            "offload_failure_rate",
            failures,
            "1/s",
            limits.offload_failures_per_s,
            None,
            FAILURE_WINDOW_S,
            source=situation.source(Signal.OFFLOAD_FAILURES),
        ),
    )
    hot = bool(swapped) or bool(cpu_usage) or (failures or 0.0) > limits.offload_failures_per_s
    return Finding(
        "swap",
        hot=hot,
        cool=not swapped and not cpu_usage and not failures,
        for_s=limits.swap_for,
        keep_s=limits.swap_keep,
        summary=_summary(swapped, cpu_usage, failures),
        evidence=tuple(r for r in rows if r.value is not None),
    )


def _summary(swapped: float | None, cpu_usage: float | None, failures: float | None) -> str:
    parts = []
    if swapped:
        parts.append(f"{counted(swapped, 'request')} swapped out")
    if cpu_usage:
        parts.append(f"swap space {cpu_usage:.1%}")
    if failures:
        parts.append(f"{failures:.2f} offload failures/s")
    return ", ".join(parts)
