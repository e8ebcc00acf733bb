"""W3, leading indicators: signs that come before a rule trips, each silent once its rule has spoken.

Every sign rests on a move that is steady (Kendall's tau), large against its own past, and under real load; one
that an engine does not export says nothing. None of them promises a time.
"""

from __future__ import annotations

from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from inferguard_brain.advisory import AdvisoryType, advisory, evidence
from inferguard_brain.fit import Line, line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inferguard_brain.context import Context

FORMULA: Final = "|Kendall's tau| × min(1, move ÷ twice the least move told)"
SLOW_S: Final = 900.0
SAW_S: Final = 300.0
SAW_JUMP: Final = 0.05
SAW_LEAST: Final = 2
SAW_USAGE: Final = 0.6
DECAY_TAU: Final = 0.6
NEED_TAU: Final = 0.4
NEED_RISE: Final = 1.2
BUSY: Final = 0.5
"""Mean running requests below which a ratio of an engine is chance."""


class Sign(NamedTuple):
    """A steady move of one signal."""

    signal: str
    kind: AdvisoryType
    seconds: float
    upward: bool
    absolute: float
    """Least move over the window, in the signal's unit."""
    relative: float
    """Least move, as a share of where it began."""
    tau: float
    told_by: frozenset[str]
    words: str
    needs: tuple[str, ...] = ()
    """Signals that must rise with it: without them the move is another mix of work, not a sign of trouble."""
    usage: float = 0.0
    """KV usage from which it matters."""


_LATE = frozenset({"prefix_hit_drop", "prefix_thrash", "engine_restart", "endpoint_down"})
SIGNS: Final = (
    Sign(
        "hit_rate",
        "degradation_trend",
        300.0,
        upward=False,
        absolute=0.1,
        relative=0.15,
        tau=0.7,
        told_by=_LATE,
        words="prefix hit rate decays",
        needs=("prompt_computed_rate",),
        usage=0.5,
    ),
    Sign(
        "tokens_per_request",
        "degradation_trend",
        SLOW_S,
        upward=True,
        absolute=200.0,
        relative=0.3,
        tau=DECAY_TAU,
        told_by=frozenset({"kv_saturated", "preemption"}),
        words="requests get longer",
        needs=("kv_usage",),
        usage=0.5,
    ),
    Sign(
        "idle_before_evict",
        "degradation_trend",
        SLOW_S,
        upward=False,
        absolute=1.0,
        relative=0.3,
        tau=DECAY_TAU,
        told_by=_LATE,
        words="cached blocks are evicted after ever less idle time",
    ),
    Sign(
        "descriptors_over_requests",
        "preemptive_recycle",
        SLOW_S,
        upward=True,
        absolute=30.0,
        relative=0.2,
        tau=0.8,
        told_by=frozenset({"stall", "engine_restart"}),
        words="open descriptors rise with no more requests to explain them",
    ),
)


def leading(context: Context) -> Iterator[dict[str, Any]]:
    """Signs that have not tripped a rule yet."""
    if not _busy(context):
        return
    for sign in SIGNS:
        if not sign.told_by & context.firing:
            yield from _steady(context, sign)
    yield from _queue_creep(context)
    yield from _saw_tooth(context)


def _busy(context: Context) -> bool:
    running = context.values("running", 300.0)
    return bool(running) and sum(running) / len(running) >= BUSY


def _steady(context: Context, sign: Sign) -> Iterator[dict[str, Any]]:
    fitted = line(context.points(sign.signal, sign.seconds))
    if fitted is None or fitted.span_s < 0.75 * sign.seconds:
        return
    direction = 1.0 if sign.upward else -1.0
    least = max(sign.absolute, sign.relative * abs(fitted.start))
    move = direction * (fitted.level - fitted.start)
    if direction * fitted.tau < sign.tau or move < least or direction * fitted.rise < least:
        return
    if not _matters(context, sign):
        return
    yield advisory(
        sign.kind,
        f"{sign.words}: {_amount(fitted.start)} → {_amount(fitted.level)} in {fitted.span_s / 60:.0f} min",
        subject=sign.signal,
        confidence=abs(fitted.tau) * min(1.0, move / (2 * least)),
        formula=FORMULA,
        evidence=[_seen(context, sign.signal, fitted)],
    )


def _matters(context: Context, sign: Sign) -> bool:
    """The pool is in use, and what the move would cost rises as well: by a fifth, steadily."""
    usage = context.values("kv_usage", 60.0)
    if sign.usage and (not usage or median(usage) < sign.usage):
        return False
    risen = [line(context.points(signal, sign.seconds)) for signal in sign.needs]
    return all(r is not None and r.tau >= NEED_TAU and r.level >= NEED_RISE * r.start for r in risen)


def _queue_creep(context: Context) -> Iterator[dict[str, Any]]:
    """More wait in each part of the window than in the one before, while completions stay flat."""
    if {"queue_growth", "stall", "endpoint_down"} & context.firing:
        return
    queue, finished = line(context.points("waiting", 300.0)), line(context.points("finish_rate", 300.0))
    if queue is None or finished is None or queue.span_s < 225.0:
        return
    flat = abs(finished.level - finished.start) <= 0.15 * max(finished.start, 0.1)
    if queue.tau < DECAY_TAU or queue.level < 2.0 or queue.rise < 2.0 or queue.low <= 0 or not flat:
        return
    yield advisory(
        "degradation_trend",
        f"queue creeps: {queue.start:.1f} → {queue.level:.1f} waiting while completions stay at "
        f"{finished.level:.2g}/s",
        subject="queue_creep",
        confidence=queue.tau * min(1.0, queue.rise / 4.0),
        formula=FORMULA,
        evidence=[_seen(context, "waiting", queue), _seen(context, "finish_rate", finished)],
    )


def _saw_tooth(context: Context) -> Iterator[dict[str, Any]]:
    """SGLang admits on a ratio that decays, and jumps up each time that this has admitted too much.

    It is also reset on an idle server; jumps without running requests or with a pool that has room say nothing.
    """
    if {"preemption", "kv_saturated"} & context.firing:
        return
    rows = [r for r in context.rows if r["t"] >= -SAW_S and "new_token_ratio" in r and "kv_usage" in r]
    jumps = [
        later["new_token_ratio"]
        for earlier, later in pairwise(rows)
        if later["new_token_ratio"] - earlier["new_token_ratio"] >= SAW_JUMP
        and min(earlier.get("running", 0.0), later.get("running", 0.0)) >= 1
        and earlier["kv_usage"] >= SAW_USAGE
    ]
    if len(jumps) < SAW_LEAST:
        return
    usage = median(r["kv_usage"] for r in rows[-3:])
    yield advisory(
        "degradation_trend",
        f"admission is too eager: new_token_ratio jumped {len(jumps)} times in {SAW_S / 60:.0f} min "
        f"at KV {usage:.0%}",
        subject="new_token_ratio",
        confidence=min(1.0, len(jumps) / 4) * min(1.0, usage),
        formula="min(1, jumps ÷ 4) × KV usage",
        evidence=[
            evidence(
                context, "new_token_ratio_jumps", float(len(jumps)), window_s=SAW_S, n=len(rows), unit="1"
            ),
            evidence(context, "kv_usage", usage, window_s=SAW_S),
        ],
    )


def _seen(context: Context, signal: str, fitted: Line) -> dict[str, Any]:
    return evidence(context, signal, fitted.level, baseline=fitted.start, window_s=fitted.span_s, n=fitted.n)


def _amount(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2g}"
