"""Reuse of computed prompts: a hit rate below its own past, and the pool's churn that explains it.

Usage counts live requests only, so a pool that forgets every prompt before it comes back reads as almost empty.
What tells is the hit rate, and how fast the pool is renewed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from inferguard_core.baselines import TABLE, Normal
from inferguard_core.detect.finding import Finding, Situation, blind, unknown
from inferguard_core.detect.onset import share_lasted
from inferguard_core.frame import Severity
from inferguard_core.load import Ratio, computed, generated, ratio
from inferguard_core.signals import Signal
from inferguard_core.verdict import Evidence

if TYPE_CHECKING:
    from inferguard_core.detect.limits import Limits
    from inferguard_core.window import Window

HITS, QUERIES, COMPUTED = Signal.PREFIX_HITS, Signal.PREFIX_QUERIES, Signal.PROMPT_TOKENS_COMPUTED
OUTLIER_Z = 3.5
"""Iglewicz and Hoaglin."""
COSTLY_RISE = 3.0
"""Prompt tokens computed over normal by this factor: what losing two thirds of all prompts costs."""
COSTLY_FOR_S = 30.0
"""Hold time of a thrash that costs so much: what is left to doubt is a wave of new sessions."""


def prefix_hit_drop(window: Window, limits: Limits, situation: Situation) -> Finding:
    """The hit rate of a minute against its baseline; a harm once the engine computes more prompts for it."""
    if HITS not in situation.spellings or QUERIES not in situation.spellings:
        return blind("prefix_hit_drop", HITS, QUERIES)
    found = ratio(window, HITS, QUERIES, limits.prefix_window)
    normal = situation.normal(Normal.PREFIX_HIT_RATE)
    if found is None or normal is None or found.whole < limits.prefix_min_tokens:
        return unknown("prefix_hit_drop")
    limit = min(normal - limits.prefix_drop, normal * (1.0 - limits.prefix_drop_relative))
    hot = found.share <= limit
    since = share_lasted(window, situation, HITS, QUERIES, limit, 2 * limits.prefix_window) if hot else 0.0
    rise = _computed_rise(window, limits, situation, limits.prefix_window)
    return Finding(
        "prefix_hit_drop",
        hot=hot,
        cool=found.share >= normal - limits.prefix_drop_clear,
        for_s=limits.prefix_drop_for,
        keep_s=limits.prefix_drop_keep,
        severity=Severity.WARNING if rise or "ttft_high" in situation.active else Severity.NOTICE,
        summary=f"hit rate {found.share:.0%}, was {normal:.0%}"
        + (f"; {rise.value:.0f} prompt tokens/s computed, was {rise.baseline:.0f}" if rise else ""),
        evidence=(_hit_evidence(found, limit, normal, situation), *((rise,) if rise else ())),
        since_s=since,
        held_s=since,
    )


def _hit_evidence(found: Ratio, limit: float, normal: float | None, situation: Situation) -> Evidence:
    return Evidence(
        "prefix_hit_rate",
        found.share,
        "ratio",
        limit,
        normal,
        found.seconds,
        round(found.whole),
        situation.source(HITS, QUERIES),
    )


def _computed_rise(window: Window, limits: Limits, situation: Situation, window_s: float) -> Evidence | None:
    """Prompt tokens computed per second, where they rose with the drop."""
    found = computed(window, window_s)
    rate = found.rate if found is not None else None
    baseline = situation.baselines.get(Normal.PROMPT_COMPUTED_RATE)
    normal = baseline.centre if baseline is not None else None
    if rate is None or baseline is None or normal is None:
        return None
    limit = normal * limits.prefix_computed_rise
    z = baseline.z(rate, TABLE[Normal.PROMPT_COMPUTED_RATE].floor)
    if rate < limit or z is None or z < OUTLIER_Z:
        return None
    source = _computed_source(situation)
    return Evidence("prompt_computed_rate", rate, "tokens/s", limit, normal, window_s, source=source)


def _computed_source(situation: Situation) -> str:
    return situation.source(COMPUTED) or situation.source(QUERIES, HITS)


class Churn(NamedTuple):
    """How the pool is under pressure, in words, and the number that says so."""

    words: str
    evidence: Evidence


def prefix_thrash(window: Window, limits: Limits, situation: Situation) -> Finding:
    """Prompts that used to be found are gone because the pool was needed for others."""
    if HITS not in situation.spellings or QUERIES not in situation.spellings:
        return blind("prefix_thrash", HITS, QUERIES)
    found = ratio(window, HITS, QUERIES, limits.thrash_window)
    normal = situation.normal(Normal.PREFIX_HIT_RATE)
    enough = limits.prefix_min_tokens * limits.thrash_window / limits.prefix_window
    if found is None or normal is None or found.whole < enough:
        return unknown("prefix_thrash")
    churn = _churn(window, limits, situation)
    was_good = normal >= limits.thrash_baseline
    hot = was_good and churn is not None and found.share < limits.thrash_hit_rate
    since = (
        share_lasted(window, situation, HITS, QUERIES, limits.thrash_hit_rate, 2 * limits.thrash_for)
        if hot
        else 0.0
    )
    rise = _computed_rise(window, limits, situation, limits.thrash_window) if hot else None
    costly = rise is not None and (rise.value or 0.0) >= COSTLY_RISE * (rise.baseline or 0.0)
    return Finding(
        "prefix_thrash",
        hot=hot,
        cool=churn is None or not was_good or found.share > limits.thrash_hit_rate_clear,
        for_s=min(COSTLY_FOR_S, limits.thrash_for) if costly else limits.thrash_for,
        keep_s=limits.thrash_keep,
        severity=Severity.WARNING,
        summary=f"hit rate {found.share:.0%}, was {normal:.0%}" + (f"; {churn.words}" if churn else ""),
        evidence=(
            _hit_evidence(found, limits.thrash_hit_rate, normal, situation),
            *((churn.evidence,) if churn else ()),
            *((rise,) if rise else ()),
        ),
        since_s=since,
        held_s=since,
    )


def _churn(window: Window, limits: Limits, situation: Situation) -> Churn | None:
    """What crowds the pool: live requests, evictions, or more new tokens than it holds."""
    return (
        _crowded(window, limits, situation)
        or _evicting(window, limits, situation)
        or _turned_over(window, limits, situation)
    )


def _crowded(window: Window, limits: Limits, situation: Situation) -> Churn | None:
    usage = window.median(Signal.KV_USAGE, limits.thrash_window)
    if usage is None or usage <= limits.thrash_usage:
        return None
    source = situation.source(Signal.KV_USAGE)
    row = Evidence("kv_usage", usage, "ratio", limits.thrash_usage, None, limits.thrash_window, source=source)
    return Churn(f"KV {usage:.0%}", row)


def _evicting(window: Window, limits: Limits, situation: Situation) -> Churn | None:
    evicted = window.increase(Signal.EVICTED_TOKENS, limits.thrash_window)
    if evicted is None or evicted.amount <= 0:
        return None
    source = situation.source(Signal.EVICTED_TOKENS)
    row = Evidence("evicted_rate", evicted.rate, "tokens/s", 0.0, None, evicted.seconds, source=source)
    return Churn(f"{evicted.rate:.0f} tokens/s evicted", row)


def _turned_over(window: Window, limits: Limits, situation: Situation) -> Churn | None:
    capacity = window.latest(Signal.KV_CAPACITY_TOKENS)
    prompts, made = computed(window, limits.thrash_window), generated(window, limits.thrash_window)
    if capacity is None or prompts is None or made is None or prompts.rate + made.rate <= 0.0:
        return None
    seconds = capacity / (prompts.rate + made.rate)
    if seconds >= limits.thrash_turnover_s:
        return None
    others = situation.source(Signal.GENERATION_TOKENS, Signal.KV_CAPACITY_TOKENS)
    source = f"{_computed_source(situation)}, {others}"
    row = Evidence(
        "pool_turnover",
        seconds,
        "seconds",
        limits.thrash_turnover_s,
        None,
        limits.thrash_window,
        source=source,
    )
    return Churn(f"the pool is renewed every {seconds:.1f} s", row)
