"""Did a change help? Two spans of the same traffic, held against each other with noise in mind.

Says what followed a change. That the change did it is said only with a control: the same two spans of a replica
that was not changed. Fewer running requests are no improvement, and refused ones count against.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from typing import TYPE_CHECKING, Final

from inferguard_core.signals import Signal

if TYPE_CHECKING:
    from inferguard_core.detect.limits import Limits
    from inferguard_core.history import Row
    from inferguard_core.window import Window

LIKE_TRAFFIC: Final = 0.2
"""Arrival rates that differ by more are another load, and say nothing of the change."""
SURE: Final = 2.58
"""Standard errors that a difference must exceed: one in a hundred by chance."""
SHARE_LEAST: Final = 0.02
"""A smaller change of a share is of no use to anybody, however sure."""
LATENCY_LEAST: Final = 0.2
"""Quantiles of a minute or two wander by a tenth at like traffic."""
FIRST_TOKENS_MIN: Final = 20
EVENTS_MIN: Final = 10.0
"""Events in both spans together, below which a rate cannot be told from another."""


class Verdict(StrEnum):
    HELPED = "helped"
    NO_CHANGE = "no_change"
    WORSE = "worse"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Period:
    """One span of one endpoint. None is unknown."""

    seconds: float
    arrival_rate: float | None = None
    first_tokens: int = 0
    late_share: float | None = None
    """Of first tokens, over the objective."""
    itl_p95: float | None = None
    failed: float | None = None
    """Errors, aborts and refusals."""
    preemptions: float | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """One number before and after."""

    what: str
    before: float
    after: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Comparison:
    verdict: Verdict
    why: str
    comparable: bool
    causal: bool = False
    """Only with a control that saw like traffic and did not move."""
    moved: tuple[Moved, ...] = ()


def period(window: Window, seconds: float, limits: Limits) -> Period:
    """The last `seconds` of a window."""
    share = window.share_over(Signal.TTFT, limits.ttft_objective_s, seconds)
    itl = window.quantile(Signal.ITL, 0.95, seconds)
    return Period(
        seconds,
        _arrival_rate(window, seconds),
        share.n if share is not None else 0,
        share.over if share is not None else None,
        itl.value if itl is not None else None,
        _events(window, seconds, Signal.FINISHED_ERROR, Signal.FINISHED_ABORT, Signal.REJECTED),
        _events(window, seconds, Signal.PREEMPTIONS),
    )


def compare(before: Period, after: Period, control: tuple[Period, Period] | None = None) -> Comparison:
    """`after` against `before`; `control` are the same two spans where nothing was changed.

    Of the numbers that moved surely, the first of failures, late first tokens, preemptions and inter-token
    latency decides.
    """
    problem = _incomparable(before, after)
    if problem:
        return Comparison(Verdict.UNKNOWN, problem, comparable=False)
    return _concluded(_moved(before, after), control)


def compare_served(
    before: Period,
    after: Period,
    finished: tuple[float, float],
    control: tuple[Period, Period] | None = None,
) -> Comparison:
    """As `compare`, by the request served, for a change that itself decides what arrives.

    Arrivals cannot be alike where fewer are let in; how the engine fares with each request that it serves can be
    told all the same, as long as it serves no fewer. Late first tokens do not count: whoever waits elsewhere is
    early here.
    """
    rates = finished[0] / max(before.seconds, 1.0), finished[1] / max(after.seconds, 1.0)
    said = f"{rates[0]:.2f} requests/s served before, {rates[1]:.2f} after"
    if min(finished) < EVENTS_MIN:
        return Comparison(Verdict.UNKNOWN, f"too few requests: {said}", comparable=False)
    if rates[1] < (1 - LIKE_TRAFFIC) * rates[0]:
        return Comparison(Verdict.UNKNOWN, f"{said}: what it gained it may have cost", comparable=False)
    rows = (
        _rate("failed a request", finished, before.failed, after.failed),
        _rate("preemptions a request", finished, before.preemptions, after.preemptions),
        _latency(before, after),
    )
    return _concluded(tuple(row for row in rows if row is not None), control, f"; {said}")


def _concluded(
    moved: tuple[Moved, ...], control: tuple[Period, Period] | None, beside: str = ""
) -> Comparison:
    """The first of what moved surely decides."""
    if not moved:
        return Comparison(Verdict.UNKNOWN, "too few requests to tell a change from noise", comparable=True)
    decisive = next((m for m in moved if m.verdict is not Verdict.NO_CHANGE), None)
    verdict = decisive.verdict if decisive is not None else Verdict.NO_CHANGE
    what = "nothing moved beyond noise" if decisive is None else _said(decisive)
    causal, limit = _by_control(verdict, control)
    return Comparison(verdict, f"{what}{beside}; {limit}", comparable=True, causal=causal, moved=moved)


def _incomparable(before: Period, after: Period) -> str:
    if min(before.seconds, after.seconds) < 1:
        return "a span of less than a second"
    if before.arrival_rate is None or after.arrival_rate is None:
        return "arrival rate unknown: like traffic cannot be shown"
    high, low = max(before.arrival_rate, after.arrival_rate), min(before.arrival_rate, after.arrival_rate)
    if high <= 0:
        return "no traffic"
    if high - low > LIKE_TRAFFIC * high:
        return f"traffic differs: {before.arrival_rate:.2f}/s before, {after.arrival_rate:.2f}/s after"
    return ""


def _moved(before: Period, after: Period) -> tuple[Moved, ...]:
    seconds = before.seconds, after.seconds
    rows = (
        _rate("failed requests/s", seconds, before.failed, after.failed),
        _share(before, after),
        _rate("preemptions/s", seconds, before.preemptions, after.preemptions),
        _latency(before, after),
    )
    return tuple(row for row in rows if row is not None)


def _share(before: Period, after: Period) -> Moved | None:
    """Two proportions, pooled variance."""
    p, q, n, m = before.late_share, after.late_share, before.first_tokens, after.first_tokens
    if p is None or q is None or min(n, m) < FIRST_TOKENS_MIN:
        return None
    pooled = (p * n + q * m) / (n + m)
    error = sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    sure = abs(q - p) > SURE * error and abs(q - p) >= SHARE_LEAST
    return Moved("late first tokens", p, q, _lower_is_better(p, q, sure=sure))


def _rate(what: str, over: tuple[float, float], k: float | None, m: float | None) -> Moved | None:
    """Two Poisson rates, `over` seconds or requests; too few events of both are no change: neither had many."""
    if k is None or m is None:
        return None
    p, q = k / over[0], m / over[1]
    error = sqrt(k / over[0] ** 2 + m / over[1] ** 2)
    sure = k + m >= EVENTS_MIN and abs(q - p) > SURE * error
    return Moved(what, p, q, _lower_is_better(p, q, sure=sure))


def _latency(before: Period, after: Period) -> Moved | None:
    p, q = before.itl_p95, after.itl_p95
    if p is None or q is None or p <= 0:
        return None
    return Moved("inter-token latency p95", p, q, _lower_is_better(p, q, sure=abs(q - p) > LATENCY_LEAST * p))


def _lower_is_better(before: float, after: float, *, sure: bool) -> Verdict:
    if not sure:
        return Verdict.NO_CHANGE
    return Verdict.HELPED if after < before else Verdict.WORSE


def _said(moved: Moved) -> str:
    return f"{moved.what} {moved.before:.3g} before, {moved.after:.3g} after"


def _by_control(verdict: Verdict, control: tuple[Period, Period] | None) -> tuple[bool, str]:
    if control is None:
        return False, "what followed the change, not what it did: there is no control"
    beside = compare(*control)
    if beside.verdict is Verdict.UNKNOWN:
        return False, f"the control says nothing: {beside.why}"
    if beside.verdict is not Verdict.NO_CHANGE:
        return False, "the control moved too, without the change"
    if verdict is Verdict.NO_CHANGE:
        return False, "nor did the control"
    return True, "the control did not move"


def _arrival_rate(window: Window, seconds: float) -> float | None:
    """By conservation: what finished, plus what was added to the batch and the queue."""
    finished = window.increase(Signal.FINISHED, seconds)
    first = window.history.at_or_before(window.now - seconds) or window.history.oldest
    ends = [held_in(row) for row in (first, window.newest)]
    if finished is None or ends[0] is None or ends[1] is None:
        return None
    added = ends[1] - ends[0]
    return max(0.0, (finished.amount + added) / finished.seconds)


def held_in(row: Row | None) -> float | None:
    """Requests in the engine."""
    parts = [row.get(s) for s in (Signal.RUNNING, Signal.WAITING)] if row is not None else []
    known = [p for p in parts if p is not None]
    return sum(known) if len(known) == 2 else None


def _events(window: Window, seconds: float, *counters: Signal) -> float | None:
    rises = [rise.amount for s in counters if (rise := window.increase(s, seconds)) is not None]
    return sum(rises) if rises else None
