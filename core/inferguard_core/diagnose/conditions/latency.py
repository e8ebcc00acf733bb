"""Latency and the speed of decoding: whose tail, against what, and what drafts are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.diagnose.look import anomalous, times, unknown
from inferguard_core.diagnose.prelude import LEAD_S
from inferguard_core.diagnose.quantities import QUANTITIES, shown
from inferguard_core.signals import Signal
from inferguard_core.verdict import Condition

if TYPE_CHECKING:
    from inferguard_core.diagnose.look import Look

WORSE = 2.0
"""The multiple of its own normal at which the rules on latency fire."""
FLAT_WITHIN = 1.3
FLAT_OF_TAIL, FLAT_AT_MOST = 0.1, 1.5
"""Half as slow again is what `decode_drift` warns of, however long the tail."""
SLOWER = 1.2
"""A lasting step of a fifth is what `decode_drift` calls a slow-down."""
LARGER = 2.0
BURST = 3.0
BURST_S = 5.0
FELT = ("itl_high", "ttft_high", "throughput_drop", "decode_drift")
ACCEPTED_FALL = 0.7
ACCEPTED_LEAST = 0.3
"""As for the rule on it: 30 % under the normal, or under 0.3 whatever the normal."""


def ttft_up(look: Look) -> Condition:
    found = anomalous(look, "ttft_up", "ttft_high", "first tokens are late")
    return found if found.holds else times(look, "ttft_up", "ttft_p95", WORSE)


def itl_tail_up(look: Look) -> Condition:
    """The slowest tokens are slower and the middle ones hardly are: something stands between some steps.

    A larger batch slows the middle a little; that is flat beside a tail that grew ten times as much. While a
    window fills with slower tokens its tail turns before its middle, so a tail younger than it tells nothing.
    """
    words = f"ITL p95 ≥ {WORSE:g}x before with p50 flat"
    tail, middle = look.now("itl_p95"), look.now("itl_p50")
    tail_before, middle_before = look.before("itl_p95"), look.before("itl_p50")
    if tail is None or middle is None or not tail_before or not middle_before:
        return unknown("itl_tail_up", words)
    flat = min(FLAT_AT_MOST, max(FLAT_WITHIN, 1.0 + FLAT_OF_TAIL * (tail / tail_before - 1.0)))
    holds = tail >= WORSE * tail_before and middle <= flat * middle_before
    told = [shown(v, "seconds") for v in (tail_before, tail, middle_before, middle)]
    rows = (
        look.evidence("itl_p95", tail, WORSE * tail_before, tail_before),
        look.evidence("itl_p50", middle, flat * middle_before, middle_before),
    )
    since = look.since("itl_tail_up", "itl_p95", WORSE * tail_before) if holds else None
    text = f"{words} (p95 {told[0]} → {told[1]}, p50 {told[2]} → {told[3]})"
    young = since is not None and look.scene.unix - since < QUANTITIES["itl_p95"].window_s
    return Condition("itl_tail_up", None if young else holds, text, rows, None if young else since)


def pressure_first(look: Look) -> Condition:
    """The pool or the queue was under pressure before the tail grew, or soon after: then that is what slows it.

    Prompts that break into decoding hold requests up as well, so a minute later pressure is their consequence.
    """
    words, tail = "pool or queue under pressure before the tail grew", look.known["itl_tail_up"]
    signs = [look.known[name] for name in ("preempting", "kv_full", "queue_grows")]
    held = [c for c in signs if c.holds]
    if not held:
        return Condition("pressure_first", False if all(c.holds is False for c in signs) else None, words)
    if not tail.holds or tail.onset_unix is None:
        return unknown("pressure_first", words)
    first = min(held, key=lambda c: c.onset_unix if c.onset_unix is not None else look.scene.unix)
    lead = (tail.onset_unix + LEAD_S) - (first.onset_unix or look.scene.unix)
    return Condition("pressure_first", lead > 0, f"{words} ({first.text})", first.evidence)


def latency_felt(look: Look) -> Condition:
    """A rule on latency fires: what nobody feels is not what this incident is about."""
    kind = next((k for k in FELT if k in look.active), None)
    if kind is not None:
        return anomalous(look, "latency_felt", kind, f"{kind} fires")
    return Condition("latency_felt", False, "no rule on latency fires")


def prefill_flood(look: Look) -> Condition:
    """Far more prompt is computed than before: an admission that holds requests back does not do that."""
    return times(look, "prefill_flood", "prompt_computed_rate", BURST)


def prefill_first(look: Look) -> Condition:
    """Far more prompt than before at the engine's best rate, and a queue, while the pool had room.

    Seen once it lasts: prefill goes before decoding, so that the requests it lets in fill the pool in the end.
    """
    signs = [look.known[name] for name in ("prefill_flood", "prompt_rate_at_peak", "queued", "kv_slack")]
    denied = next((c for c in signs if c.holds is False), None)
    if denied is not None:
        return Condition("prefill_first", False, f"prefill the limit before the pool ({denied.text})")
    if any(c.holds is None for c in signs):
        return unknown("prefill_first", "prefill the limit before the pool")
    text = f"prefill the limit before the pool ({signs[0].text})"
    return Condition("prefill_first", True, text, signs[0].evidence)


def itl_up(look: Look) -> Condition:
    kind = next((k for k in ("itl_high", "decode_drift") if k in look.active), None)
    if kind is not None:
        return anomalous(look, "itl_up", kind, "tokens come slower")
    return times(look, "itl_up", "itl_p50", SLOWER)


def decode_drifted(look: Look) -> Condition:
    return anomalous(look, "decode_drifted", "decode_drift", "decoding itself is slower at like batch size")


def itl_flat(look: Look) -> Condition:
    """The middle of the tokens comes as fast as before: decoding itself is not what suffers."""
    value, before = look.now("itl_p50"), look.before("itl_p50")
    if value is None or not before:
        return unknown("itl_flat", "ITL p50 flat")
    text = f"ITL p50 flat ({shown(before, 'seconds')} → {shown(value, 'seconds')})"
    row = look.evidence("itl_p50", value, FLAT_WITHIN * before, before)
    return Condition("itl_flat", value <= FLAT_WITHIN * before, text, (row,))


def prompt_bursts(look: Look) -> Condition:
    """Prompts to compute come in lumps: the busiest seconds of the last minute against the normal of before.

    What the cache holds takes no step, so computed tokens are looked at where they are counted.
    """
    counted = look.gauge(Signal.PROMPT_TOKENS_COMPUTED) is not None
    signal = Signal.PROMPT_TOKENS_COMPUTED if counted else Signal.PROMPT_TOKENS
    name = "prompt_computed_rate" if counted else "prompt_rate"
    words, before = f"{QUANTITIES[name].words} in bursts ≥ {BURST:g}x before", look.before(name)
    minute = look.last(60.0)
    if minute is None or not before:
        return unknown("prompt_bursts", words)
    points = [(row.t, v) for row in reversed(minute.rows) if (v := row.get(signal)) is not None]
    rates = [
        (v2 - v1) / (t2 - t1)
        for i, (t1, v1) in enumerate(points)
        for t2, v2 in points[i + 1 : i + 4]
        if t2 - t1 >= BURST_S
    ]
    if not rates:
        return unknown("prompt_bursts", words)
    peak = max(rates)
    row = look.evidence(name, peak, BURST * before, before)
    text = f"{words} ({shown(before, 'tokens/s')} → {shown(peak, 'tokens/s')} at most)"
    return Condition("prompt_bursts", peak >= BURST * before, text, (row,))


def large_steps(look: Look) -> Condition:
    return times(look, "large_steps", "step_tokens", LARGER)


def acceptance_fell(look: Look) -> Condition:
    found = anomalous(look, "acceptance_fell", "spec_acceptance_drop", "drafts are rejected")
    value, before = look.now("spec_acceptance"), look.before("spec_acceptance")
    if found.holds or value is None:
        return found
    limit = max(ACCEPTED_LEAST, ACCEPTED_FALL * before) if before is not None else ACCEPTED_LEAST
    told = f"{before:.2f} → {value:.2f}" if before is not None else f"{value:.2f}"
    row = look.evidence("spec_acceptance", value, limit, before)
    quantity = QUANTITIES["spec_acceptance"].words
    since = look.since("acceptance_fell", "spec_acceptance", limit, above=False) if value < limit else None
    return Condition("acceptance_fell", value < limit, f"{quantity} fell ({told})", (row,), since)
