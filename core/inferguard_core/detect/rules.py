"""The rules in the order in which they may lean on one another: harm first, then the pressure it weighs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from inferguard_core.detect.decode import decode_drift, throughput_drop
from inferguard_core.detect.errors import request_errors
from inferguard_core.detect.kv import kv_exhaustion_forecast, kv_high, kv_saturated
from inferguard_core.detect.latency import itl_high, ttft_high
from inferguard_core.detect.preemption import preemption
from inferguard_core.detect.prefix import prefix_hit_drop, prefix_thrash
from inferguard_core.detect.progress import stall, traffic_stopped
from inferguard_core.detect.queue import queue_growth
from inferguard_core.detect.ranks import rank_imbalance
from inferguard_core.detect.speculation import spec_acceptance_drop
from inferguard_core.detect.swap import swap

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_core.detect.finding import Finding, Situation
    from inferguard_core.detect.limits import Limits
    from inferguard_core.window import Window


class Rule(NamedTuple):
    kind: str
    find: Callable[[Window, Limits, Situation], Finding]


RULES: tuple[Rule, ...] = (
    Rule("stall", stall),
    Rule("traffic_stopped", traffic_stopped),
    Rule("request_errors", request_errors),
    Rule("queue_growth", queue_growth),
    Rule("ttft_high", ttft_high),
    Rule("itl_high", itl_high),
    Rule("preemption", preemption),
    Rule("swap", swap),
    Rule("throughput_drop", throughput_drop),
    Rule("decode_drift", decode_drift),
    Rule("spec_acceptance_drop", spec_acceptance_drop),
    Rule("prefix_thrash", prefix_thrash),
    Rule("prefix_hit_drop", prefix_hit_drop),
    Rule("rank_imbalance", rank_imbalance),
    Rule("kv_high", kv_high),
    Rule("kv_saturated", kv_saturated),
    Rule("kv_exhaustion_forecast", kv_exhaustion_forecast),
)
AVAILABILITY = ("endpoint_down", "engine_restart")
"""Kinds found from polls rather than from a window."""
KINDS: tuple[str, ...] = (*AVAILABILITY, *(rule.kind for rule in RULES))
