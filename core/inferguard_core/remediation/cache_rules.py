"""Fixes for prefixes that are evicted or broken, and for drafts that are not taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from inferguard_core.actions.speculation import acceptance
from inferguard_core.reading import Engine
from inferguard_core.remediation.flag import LEAVE_OUT
from inferguard_core.remediation.proposal import Proposal

if TYPE_CHECKING:
    from inferguard_core.remediation.setup import Setup
    from inferguard_core.verdict import FlagChange

GIB: Final = 2.0**30
HICACHE_RATIO: Final = 2.0
"""SGLang's own default: a host tier of two device pools."""


def prefix_thrash(setup: Setup) -> Proposal:
    changes = _longest_prefix_first(setup) + _host_tier(setup)
    return Proposal(
        why="sessions evict one another's prefixes, so their prompts are computed again and again",
        effect="returning sessions find their prefix, prompt tokens computed a second fall",
        check="hit rate over 5 min back at its baseline, and prompt tokens computed per second down",
        changes=changes,
        cost="host memory and copies for the tier; order of admission changes with lpm" if changes else "",
        instead=(
            "fewer agents at once: halve them, then two more at a time (CONCUR)",
            "session affinity at the router, so that a session returns to the replica that knows it",
            "do not flush the cache: that computes every live prompt again",
        ),
        notes=()
        if changes
        else ("no flag of this engine and version with a value that can be computed here",),
    )


def prefix_broken(setup: Setup) -> Proposal:
    running = setup.argument("enable_prefix_caching")
    return Proposal(
        why="the hit rate fell at once beside a free pool: the prompts' heads changed, not the cache",
        effect="hit rate back where it was",
        check="hit rate over 60 s after the client's change",
        instead=(
            "make the head of the prompt stable: no time stamps, ids or reordered tools before the shared part",
            "compare two prompts of one session byte by byte with the last release of the client",
        ),
        notes=("prefix caching is off in this engine",)
        if running is not None and running.lower() == "false"
        else (),
    )


def spec_collapse(setup: Setup) -> Proposal:
    seen = acceptance(setup.scene)
    window = None if seen is None else seen.useful
    changes = _shorter(setup, window)
    return Proposal(
        why="drafts are computed and verified, but not taken",
        effect="the time of rejected tokens goes to accepted ones; inter-token latency falls under load",
        check="accepted ÷ drafted tokens and inter-token latency p50, at like batch size",
        changes=changes,
        cost="at low load a longer draft was faster",
        instead=("speculation off while batches are large",) if window != 0 else (),
        notes=_speculation_notes(setup, window, changes),
    )


def _longest_prefix_first(setup: Setup) -> tuple[FlagChange, ...]:
    return setup.change("--schedule-policy", "lpm") if setup.engine is Engine.SGLANG else ()


def _host_tier(setup: Setup) -> tuple[FlagChange, ...]:
    if setup.engine is Engine.SGLANG:
        if (setup.running("--enable-hierarchical-cache") or "").lower() == "true":
            return ()
        switch = setup.change("--enable-hierarchical-cache", "")
        return switch + (setup.change("--hicache-ratio", HICACHE_RATIO) if switch else ())
    size = _pool_gib(setup)
    if setup.engine is not Engine.VLLM or size is None or setup.running("--kv-offloading-size") is not None:
        return ()
    return setup.change("--kv-offloading-size", size)


def _pool_gib(setup: Setup) -> float | None:
    """As much again as the pool holds: its tokens by the model's bytes a token. None without a profile."""
    tokens = setup.load.pool_tokens
    each = (
        setup.model.token_bytes(setup.argument("cache_dtype") or "auto") if setup.model is not None else None
    )
    return None if tokens is None or each is None else max(0.1, round(tokens * each / GIB, 1))


def _shorter(setup: Setup, window: int | None) -> tuple[FlagChange, ...]:
    if window is None:
        return setup.change("--speculative-adaptive", "") if setup.engine is Engine.SGLANG else ()
    if setup.engine is Engine.SGLANG:
        if window == 0:
            return setup.change("--speculative-algorithm", LEAVE_OUT)
        steps = setup.change("--speculative-num-steps", window)
        single = setup.argument("speculative_eagle_topk") == "1"
        return steps + (setup.change("--speculative-num-draft-tokens", window + 1) if single else ())
    if setup.engine is not Engine.VLLM:
        return ()
    if setup.has("--speculative-config"):
        value = f'{{"num_speculative_tokens": {window}}}' if window else LEAVE_OUT
        return setup.change("--speculative-config", value)
    return setup.change("--num-speculative-tokens", window or LEAVE_OUT)


def _speculation_notes(setup: Setup, window: int | None, changes: tuple[FlagChange, ...]) -> tuple[str, ...]:
    if window is None:
        return ("length not computed: too few drafts in the last minute, or not exported",)
    if any(c.flag == "--speculative-config" and c.proposed != LEAVE_OUT for c in changes):
        return ("keep the other keys of your own JSON: only the number of tokens changes",)
    topk = setup.argument("speculative_eagle_topk")
    if setup.engine is Engine.SGLANG and changes and window and topk != "1":
        return ("with top-k above 1, choose the draft tokens anew for the new number of steps",)
    return ()
