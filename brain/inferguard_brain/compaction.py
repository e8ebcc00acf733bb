"""W4, compaction: where few, long, long-lived contexts hold a pool that is short of room.

The rule is that of attention matching (Zweiger et al., arXiv:2602.16284): pressure with harm, more than 8k tokens
held by a request, requests that stay. Its own authors say that neither vLLM nor SGLang can start a sequence from a
compacted cache, so this says where it would help and what to do instead today, never that it can be switched on.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any, Final

from inferguard_brain.advisory import advisory, evidence
from inferguard_brain.counted import counted
from inferguard_brain.trend import TARGETS, heads_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inferguard_brain.context import Context

WINDOW_S: Final = 60.0
USAGE: Final = 0.85
HELD: Final = 8000.0
"""Tokens that one request holds from which its context is a long one."""
STAYS_S: Final = 30.0
"""Mean seconds that a request runs, from which there is time to compact it: the fast path takes about 14 s."""
PLANNED: Final = 10.0
"""Compaction ratio to plan with; 50 costs 7 to 9 points of accuracy in the paper's own table."""
CEILING: Final = 0.5
SHARED: Final = 0.5
"""Hit rate from which contexts share prefixes, which a compacted cache cannot."""
FORMULA: Final = (
    "0.5 (no stock engine loads a compacted cache) × min(1, (KV usage - 0.7) ÷ 0.3) × min(1, held ÷ 16k)"
)
HONEST: Final = (
    "no stock vLLM or SGLang loads a compacted cache: try it offline. Today: summarise or drop old turns, "
    "cap context, fp8 KV, an offload tier"
)


def compactions(context: Context) -> Iterator[dict[str, Any]]:
    """At most one advisory."""
    usage, running, pool = (
        _level(context, "kv_usage"),
        _level(context, "running"),
        context.constant("pool_tokens"),
    )
    if usage is None or not running or not pool or usage < USAGE or not _harm_or_rise(context):
        return
    held, stays = usage * pool / running, _stays(context, running)
    if held < HELD or (stays is not None and stays < STAYS_S) or _does_not_apply(context):
        return
    freed = _freed(context, usage, held)
    gain = "gain not known: request lengths are not exported" if freed is None else _gain_words(freed, pool)
    yield advisory(
        "preemptive_compaction",
        f"{counted(round(running), 'request holds', 'requests hold')} {held:,.0f} tokens each of a pool"
        f" {usage:.0%} full; {gain}. {HONEST}",
        subject="kv_usage",
        confidence=CEILING * min(1.0, (usage - 0.7) / 0.3) * min(1.0, held / (2 * HELD)),
        formula=FORMULA,
        evidence=[
            evidence(context, "kv_usage", usage, threshold=USAGE, window_s=WINDOW_S),
            evidence(
                context, "tokens_held_per_request", held, threshold=HELD, window_s=WINDOW_S, unit="tokens"
            ),
            evidence(context, "running", running, window_s=WINDOW_S),
        ],
    )


def _level(context: Context, signal: str) -> float | None:
    values = context.values(signal, WINDOW_S)
    return median(values) if values else None


def _harm_or_rise(context: Context) -> bool:
    """Requests wait or are thrown out, or the pool is on its way to full. A full pool alone is good use."""
    waiting, preempted = context.values("waiting", WINDOW_S), context.values("preemption_rate", WINDOW_S)
    if (waiting and median(waiting) >= 1) or any(rate > 0 for rate in preempted):
        return True
    pool = TARGETS[0]
    return any(heads_for(context, pool, 1.0, fit_s) is not None for fit_s in pool.fits)


def _stays(context: Context, running: float) -> float | None:
    """Little's law: how long a request runs, on average."""
    finished = context.values("finish_rate", 300.0)
    rate = sum(finished) / len(finished) if finished else 0.0
    return running / rate if rate > 0 else None


def _does_not_apply(context: Context) -> bool:
    """Linear or sliding-window layers, or prefixes that many requests share."""
    hits = context.values("hit_rate", 300.0)
    shared = bool(hits) and median(hits) >= SHARED
    return shared or context.raw.get("attention") in {"hybrid", "sliding"}


def _freed(context: Context, usage: float, held: float) -> float | None:
    """Share of the pool that compacting the prompts held would free: usage · share old · (1 - 1/r)."""
    prompts = context.values("prompt_length", 300.0)
    if not prompts:
        return None
    old = min(1.0, median(prompts) / held)
    return usage * old * (1.0 - 1.0 / PLANNED)


def _gain_words(freed: float, pool: float) -> str:
    return f"compacting their prompts {PLANNED:.0f}-fold would free {freed:.0%} of it ({freed * pool:,.0f} tokens)"
