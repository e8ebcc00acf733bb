"""The KV pool: how full, what it costs, and whether admission holds back what would fit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from inferguard_core.diagnose.look import anomalous, threshold, unknown
from inferguard_core.diagnose.quantities import QUANTITIES
from inferguard_core.reading import Engine
from inferguard_core.signals import Signal
from inferguard_core.verdict import Condition, Evidence

if TYPE_CHECKING:
    from inferguard_core.diagnose.look import Look

FULL = 0.9
SLACK = 0.8
"""Both are the table's; between them a pool is neither full nor free."""
ROOM_S = 30.0
HALF = 0.5
"""CONCUR's threshold of use over which reuse decides (arXiv 2601.22705)."""
PREEMPTED = 2.0
"""A single preemption is how an engine makes room."""
RATIO_HIGH = 0.4
"""Half way between where SGLang's new_token_ratio starts (0.7) and where it decays to (0.098)."""


def kv_full(look: Look) -> Condition:
    """Held, by the median. SGLang frees what it retracts, so there a usage that swings below full is no denial."""
    words = "KV ≥ 0.9 held for 15 s"
    found = threshold(look, "kv_full", "kv_usage", FULL, words=words)
    swings = look.engine is Engine.SGLANG and look.holds("preempting")
    return unknown("kv_full", words) if swings and not found.holds else found


def preempting(look: Look) -> Condition:
    """Preemptions or retractions, at least two within two minutes."""
    span = look.last(120.0)
    count = span.rise(Signal.PREEMPTIONS) if span is not None else None
    found = anomalous(look, "preempting", "preemption", "running requests are thrown back")
    if found.holds or count is None or span is None:
        return found
    source = look.scene.situation.source(Signal.PREEMPTIONS)
    row = Evidence("preemptions", count, "requests", PREEMPTED, None, span.seconds, source=source)
    text = f"running requests are thrown back ({count:.0f} in {span.seconds:.0f} s)"
    return Condition(
        "preempting", count >= PREEMPTED, text, (row,), look.scene.unix if count >= PREEMPTED else None
    )


def overflowing(look: Look) -> Condition:
    """Preemptions; an SGLang whose pool is full admits less and may never retract, so there none is no denial."""
    found = look.known["preempting"]
    if look.engine is Engine.SGLANG and not found.holds:
        return unknown("overflowing", "running requests are thrown back")
    return replace(found, id="overflowing")


def kv_slack(look: Look) -> Condition:
    """The pool is not what limits: it has had room for most of the last minute, and has it now."""
    words = "KV < 0.8 for most of a minute"
    usage = look.window.median(Signal.KV_USAGE, 60.0) if look.window is not None else None
    if usage is None:
        return unknown("kv_slack", words)
    holds = usage < SLACK and not look.holds("kv_full")
    row = look.evidence("kv_usage", usage, SLACK)
    return Condition("kv_slack", holds, f"{words} (median {usage:.2f})", (row,))


def kv_half(look: Look) -> Condition:
    return threshold(look, "kv_half", "kv_usage", HALF)


def kv_low(look: Look) -> Condition:
    """A state of ease: that it has lasted dates no trouble."""
    return replace(threshold(look, "kv_low", "kv_usage", HALF, above=False), onset_unix=None)


def pressed(look: Look) -> Condition:
    """Either sign that the pool is the limit; without one, it is not exhausted."""
    signs = [look.known[c] for c in ("kv_full", "preempting")]
    held = next((c for c in signs if c.holds), None)
    if held is not None:
        return Condition("pressed", True, held.text, held.evidence, held.onset_unix)
    known = [c for c in signs if c.holds is False]
    text = "; ".join(c.text for c in known) or "KV pressure (unknown)"
    return Condition("pressed", False if len(known) == len(signs) else None, text)


def is_sglang(look: Look) -> Condition:
    known = look.engine is not Engine.UNKNOWN
    return Condition(
        "is_sglang", look.engine is Engine.SGLANG if known else None, f"the engine is {look.engine}"
    )


def room_with_queue(look: Look) -> Condition:
    """Requests wait although tokens are free: what is reserved is the limit, not what is used.

    A pool that is filling looks the same for a while, so it takes half a minute to hold.
    """
    words, span = f"KV < 0.9 while requests wait for {ROOM_S:.0f} s", look.last(ROOM_S)
    usage = look.window.maximum(Signal.KV_USAGE, ROOM_S) if look.window is not None else None
    waiting = sorted(span.values(Signal.WAITING)) if span is not None else []
    if span is None or usage is None or not waiting:
        return unknown("room_with_queue", words)
    least = waiting[len(waiting) // 5]
    text = f"{words} (at most {usage:.2f}, at least {least:.0f} waiting)"
    rows = (look.evidence("kv_usage", usage, FULL), look.evidence("waiting", least, 1.0))
    holds = usage < FULL and least >= 1 and span.seconds >= 0.8 * ROOM_S
    if not holds and usage < FULL and look.holds("queued"):
        return Condition("room_with_queue", None, f"{text}, not long yet", rows)
    return Condition("room_with_queue", holds, text, rows)


def ratio_high(look: Look) -> Condition:
    """A low ratio denies nothing: requests with ignore_eos are reserved whole, whatever it is."""
    found = threshold(look, "ratio_high", "new_token_ratio", RATIO_HIGH)
    return replace(found, holds=found.holds or None)


def swapping(look: Look) -> Condition:
    return anomalous(look, "swapping", "swap", "KV leaves the GPU")


def ranks_apart(look: Look) -> Condition:
    """One rank is full while others have room, or queues while another idles."""
    found = anomalous(look, "ranks_apart", "rank_imbalance", "ranks are unevenly loaded")
    ranks = look.scene.reading.ranks if look.scene.reading is not None and look.window is not None else {}
    usage = sorted(v for r in ranks.values() if (v := r.get(Signal.KV_USAGE)) is not None)
    if found.holds or len(usage) < 2:
        alone = look.scene.reading is not None and len(ranks) < 2
        return found if found.holds is not None or not alone else _one_rank()
    middle, top = usage[(len(usage) - 1) // 2], usage[-1]
    row = Evidence("kv_usage_spread", top - middle, "ratio", 0.3, source=QUANTITIES["kv_usage"].words)
    text = f"ranks are unevenly loaded (KV {top:.2f} on one, {middle:.2f} on the middle one)"
    return Condition("ranks_apart", top >= SLACK and top - middle >= 0.3, text, (row,))


def _one_rank() -> Condition:
    return Condition("ranks_apart", False, "ranks are unevenly loaded (one rank)")
