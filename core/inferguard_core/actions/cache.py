"""The two actions on the cache itself: compaction, which is research, and a flush, which is the last resort."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.actions.concurrency import CONCUR_HIT_RATE
from inferguard_core.actions.draft import Draft
from inferguard_core.actions.load import evidence
from inferguard_core.profiles import Attention, profile
from inferguard_core.reading import Engine
from inferguard_core.verdict import ActionType

if TYPE_CHECKING:
    from inferguard_core.actions.draft import Case
    from inferguard_core.actions.load import Load

THRESHOLD = "compact_above_tokens"
"""Contexts that hold more KV tokens than this are worth compacting: if none did, all requests that are here would
fit into the pool at once."""
FLUSH_AFTER_S = 120.0
"""A throttle gets as long as thrash needs to clear before anything harder is spoken of."""


def compaction(case: Case) -> Draft:
    """Attention-matching compaction (Zweiger et al., arXiv:2602.16284): where few contexts hold the pool."""
    load = case.load
    names = ("tokens_held_per_request", "running_now", "kv_usage", "pool_tokens")
    measured = (load.tokens_held, load.running, load.usage, load.pool_tokens)
    parameters: dict[str, float | str] = {
        name: float(f"{value:.4g}") for name, value in zip(names, measured, strict=True) if value is not None
    }
    if (threshold := _threshold(load)) is not None:
        parameters[THRESHOLD] = threshold
    held = "long contexts" if load.tokens_held is None else f"{load.tokens_held:,.0f} tokens a request"
    caveats = [
        "stock vLLM and SGLang cannot load a compacted cache: validate offline, nothing to switch on today",
        "do now instead: summarise or drop old turns, cap context and max_tokens, fp8 KV, an offload tier",
    ]
    if load.tokens_held is None:
        caveats.append("gain not computed: tokens held per request need KV usage, pool size and running")
    if case.cause == "prefix_thrash":
        caveats.append("compacted KV belongs to one request and is not shared as a prefix")
    known = profile(case.scene.situation.models)
    if known is not None and known.cache.attention is Attention.HYBRID:
        caveats.append(f"{known.name}: does not apply to its linear layers")
    return Draft(
        ActionType.RECOMMEND_COMPACTION,
        f"the pool is held by {held}: shorter contexts would free it",
        parameters,
        evidence=evidence(load, case.scene.situation, "running", "usage", "pool_tokens", "tokens_held"),
        preconditions=("few, long, long-lived contexts; none that must recall word for word",),
        caveats=tuple(caveats),
        urgent=False,
        decides=(THRESHOLD,),
    )


def _threshold(load: Load) -> float | None:
    """Pool tokens by requests that run or wait; None where it is unknown, or more than a request holds anyway."""
    if load.pool_tokens is None or load.running is None or load.tokens_held is None:
        return None
    here = load.running + (load.waiting or 0.0)
    each = load.pool_tokens / here if here >= 1.0 else load.tokens_held
    return float(f"{each:.3g}") if each < load.tokens_held else None


def flush(case: Case) -> Draft | None:
    """Only where a throttle has stood for long enough and reuse is still below what a cold cache would give up."""
    load = case.load
    throttled = [a.created_unix for a in case.earlier if a.action_type is ActionType.THROTTLE_CONCURRENCY]
    if not throttled or case.scene.unix - min(throttled) < FLUSH_AFTER_S:
        return None
    if load.hit_rate is None or load.hit_rate >= CONCUR_HIT_RATE:
        return None
    sglang = case.scene.situation.engine is Engine.SGLANG
    how = (
        "SGLang refuses to flush while requests run: drain it first"
        if sglang
        else "vLLM can reset its prefix cache only in development mode; else it takes a restart"
    )
    return Draft(
        ActionType.FLUSH_SESSION_RADIX,
        f"hit rate still {load.hit_rate:.0%} after {case.scene.unix - min(throttled):.0f} s of throttle advice: "
        "the cache holds what nobody asks for",
        {"hit_rate": round(load.hit_rate, 3)},
        evidence=evidence(load, case.scene.situation, "hit_rate", "evicted_rate", "turnover_s"),
        preconditions=(
            "the throttle was followed and did not help",
            "the sessions whose prefixes fill the cache are over, or the cache is stale",
            how,
        ),
        caveats=(
            "every live session then computes its whole prompt again: expect a peak of time to first token",
        ),
    )
