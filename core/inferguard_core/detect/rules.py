"""The rules in the order in which they may lean on one another: harm first, then the pressure it weighs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from inferguard_core.detect.kv import kv_high, kv_saturated
from inferguard_core.detect.latency import ttft_high
from inferguard_core.detect.preemption import preemption
from inferguard_core.detect.progress import stall
from inferguard_core.detect.queue import queue_growth
from inferguard_core.detect.swap import swap
from inferguard_core.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_core.detect.finding import Finding, Situation
    from inferguard_core.detect.limits import Limits
    from inferguard_core.window import Window


class Rule(NamedTuple):
    kind: str
    find: Callable[[Window, Limits, Situation], Finding]
    watches: Signal | None = None
    """The signal whose baseline rests while this kind is active."""


RULES: tuple[Rule, ...] = (
    Rule("stall", stall),
    Rule("queue_growth", queue_growth),
    Rule("ttft_high", ttft_high, watches=Signal.TTFT),
    Rule("preemption", preemption),
    Rule("swap", swap),
    Rule("kv_high", kv_high),
    Rule("kv_saturated", kv_saturated),
)
AVAILABILITY = ("endpoint_down", "engine_restart")
"""Kinds found from polls rather than from a window."""
KINDS: tuple[str, ...] = (*AVAILABILITY, *(rule.kind for rule in RULES))
