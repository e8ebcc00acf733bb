"""Fixes where KV is the limit: exhausted by demand, held by long contexts, spilling into a slower tier."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, Final

from inferguard_core.counted import counted
from inferguard_core.reading import Engine
from inferguard_core.remediation.proposal import Proposal

if TYPE_CHECKING:
    from inferguard_core.remediation.setup import Setup
    from inferguard_core.verdict import FlagChange

WATERMARK_STEPS: Final = (0.02, 0.05)
"""vLLM's own measurement at a demand of 1.5 pools: 0.02 cut preemptions to two fifths, 0.05 to a fifth; more only
cost first tokens."""
UTILISATION_STEP, UTILISATION_MOST = 0.02, 0.95
"""The rest of the memory is for activations and the allocator; above this, load peaks end out of memory."""
STATIC_STEP, STATIC_MOST = 0.01, 0.95
"""SGLang's tuning guide: steps of 0.01, with 5 to 8 GB left free after start."""
CONSERVATIVE, CONSERVATIVE_MOST = 1.3, 2.0
"""SGLang's tuning guide for frequent retraction: a step of 1.3."""


def kv_exhausted(setup: Setup) -> Proposal:
    if setup.engine is Engine.SGLANG:
        changes = (*_more_conservative(setup), *more_pool(setup), *fewer_at_once(setup))
        cost = "more waiting before admission, so time to first token rises a little"
    else:
        changes = (*_watermark(setup), *fewer_at_once(setup), *more_pool(setup))
        cost = "blocks held back and fewer requests at once: time to first token rises, throughput hardly changes"
    return Proposal(
        why=f"the pool is full and running requests are thrown back: {_fit(setup)}",
        effect="preempted work is no longer computed twice; inter-token latency p99 falls",
        check="preemptions a minute over 5 min, then time to first token p95: the first must fall to below one",
        changes=changes,
        cost=cost,
        instead=(
            "hold requests back at the gateway at the same number, which takes no restart",
            "more KV: more tensor parallelism or another replica",
            "cap max_tokens where clients ask for more than they read",
        ),
        notes=(*_fp8_note(setup), *_number_note(setup)),
    )


def long_contexts(setup: Setup) -> Proposal:
    changes = (*smaller_kv(setup), *more_pool(setup))
    held = setup.load.tokens_held
    size = "few requests" if held is None else f"{held:,.0f} tokens a request"
    return Proposal(
        why=f"few long contexts hold the pool: {size}",
        effect="about twice the tokens fit where fp8 replaces 16 bits"
        if changes
        else "shorter contexts free the pool",
        check="tokens held per request and KV usage at like traffic, and answers on a sample of long prompts",
        changes=changes,
        cost="fp8 KV may lose accuracy on long recall: compare answers before it is kept" if changes else "",
        instead=(
            "cap context length and max_tokens at the gateway",
            "route long requests to replicas of their own",
            "summarise or drop old turns in the client",
            "KV compaction is research: no stock engine loads a compacted cache",
        ),
    )


def offload_pressure(setup: Setup) -> Proposal:
    return Proposal(
        why="KV moves between the GPU and a slower tier while requests wait for it",
        effect="less traffic to the tier, so that steps no longer wait for copies",
        check="swapped requests, swap space and offload failures: all flat over 5 min at like traffic",
        changes=(*_smaller_tier(setup), *fewer_at_once(setup)),
        cost="fewer requests at once, and fewer prefixes kept",
        instead=(
            "a faster medium for the tier, or none where it does not pay",
            "if it is the host itself that swaps: drain this replica, nothing else helps while it does",
        ),
        notes=_number_note(setup),
    )


def fewer_at_once(setup: Setup) -> tuple[FlagChange, ...]:
    """The limit of running requests at L*, never above what was seen running.

    The running limit is at least that, so the proposal cannot raise one that is not exposed.
    """
    fits, peak = setup.load.fits, setup.load.running_peak
    if fits is None or peak is None or min(fits, peak) < 1:
        return ()
    wanted = floor(min(fits, peak))
    flag = "--max-running-requests" if setup.engine is Engine.SGLANG else "--max-num-seqs"
    limit = setup.number(flag)
    return () if limit is not None and limit <= wanted else setup.change(flag, wanted)


def more_pool(setup: Setup) -> tuple[FlagChange, ...]:
    """A step more memory for KV, from the running value only."""
    sglang = setup.engine is Engine.SGLANG
    flag = "--mem-fraction-static" if sglang else "--gpu-memory-utilization"
    step, most = (STATIC_STEP, STATIC_MOST) if sglang else (UTILISATION_STEP, UTILISATION_MOST)
    now = setup.number(flag)
    return () if now is None or now >= most else setup.change(flag, min(round(now + step, 4), most))


def smaller_kv(setup: Setup) -> tuple[FlagChange, ...]:
    """fp8 KV, unless the cache is narrow already."""
    flag = "--kv-cache-dtype"
    now = setup.running(flag)
    if now is not None and now.lower() not in {"auto", "bf16", "bfloat16", "float16", "half"}:
        return ()
    if setup.engine is Engine.SGLANG:
        return setup.change(flag, "fp8_e4m3") or setup.change(flag, "fp8_e5m2")
    return setup.change(flag, "fp8")


def _watermark(setup: Setup) -> tuple[FlagChange, ...]:
    return setup.change("--watermark", WATERMARK_STEPS[0])


def _more_conservative(setup: Setup) -> tuple[FlagChange, ...]:
    flag = "--schedule-conservativeness"
    now = setup.number(flag)
    if now is None or now <= 1.0:
        return setup.change(flag, CONSERVATIVE)
    return (
        ()
        if now >= CONSERVATIVE_MOST
        else setup.change(flag, min(round(now * CONSERVATIVE, 2), CONSERVATIVE_MOST))
    )


def _smaller_tier(setup: Setup) -> tuple[FlagChange, ...]:
    """Half the tier, where the engine tells its size."""
    flag = "--hicache-ratio" if setup.engine is Engine.SGLANG else "--kv-offloading-size"
    now = setup.number(flag)
    if now is None or now <= 0:
        return ()
    least = 1.0 if setup.engine is Engine.SGLANG else 0.1
    return setup.change(flag, max(least, round(now / 2, 2)))


def _fit(setup: Setup) -> str:
    load = setup.load
    if load.fits is None or load.running is None:
        return "how many requests it holds cannot be told here"
    held = "" if load.tokens_held is None else f" of {load.tokens_held:,.0f} tokens"
    return f"it holds {counted(load.fits, 'request')}{held}, {load.running:.0f} run"


def _fp8_note(setup: Setup) -> tuple[str, ...]:
    return ("fp8 KV would about double the pool, at a loss on long recall",) if smaller_kv(setup) else ()


def _number_note(setup: Setup) -> tuple[str, ...]:
    if setup.load.fits is not None or setup.engine is Engine.UNKNOWN:
        return ()
    return ("no limit of running requests is proposed: KV usage and running are not both known",)
