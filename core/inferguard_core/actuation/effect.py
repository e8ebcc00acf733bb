"""Whether an action helped, by the criteria of its own kind: the span before it against a quiet one after it.

Fewer running requests are never counted as a success: they are the action itself. A number too small to be told
from noise is `no_change`, spans that cannot be compared are `unknown`, and both are said with their numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING, Final

from inferguard_core.comparison import Comparison, Verdict, compare, compare_served
from inferguard_core.counted import counted
from inferguard_core.detect.limits import Limits
from inferguard_core.followup import Grade
from inferguard_core.verdict import ActionType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from inferguard_core.actuation.span import Span
    from inferguard_core.comparison import Period

HIT_RATE_STEP: Final = 0.1
"""The distance at which a dropped hit rate counts as back."""
ACCEPTANCE_STEP: Final = 0.1
HELD_STEP: Final = 0.2
"""Relative fall of what one request holds: less is the drift of the mix."""
LIMIT_REACHED: Final = 0.9
"""Share of a limit that is held, on the mean, by an engine in front of which more wait."""
LIMIT_SLACK: Final = 1.02
"""A page is not of one instant: a request may be counted where it came from and where it went."""
PROMPT_TOKENS_MIN: Final = Limits().prefix_min_tokens
DRAFTED_MIN: Final = Limits().spec_min_drafted
LUCK: Final = 0.05
"""A silence of crashes that chance alone would leave more often proves nothing."""


@dataclass(frozen=True, slots=True)
class Both:
    """The two spans, and what happened between them."""

    before: Span
    after: Span
    answers: bool = True
    """The newest poll is good."""
    restarts_since: int = 0
    """From the attempt to now."""
    seconds_since: float = 0.0
    control: tuple[Period, Period] | None = None
    """The same spans of a replica that was left alone."""
    parameters: Mapping[str, float | str] | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    grade: Grade
    lines: tuple[str, ...]
    """Each criterion with its number before and after, then what limits the claim."""


def effect(action: ActionType, both: Both) -> Effect:
    """The grade of one action."""
    if not both.answers:
        return Effect(Grade.WORSE, ("endpoint answers before, not after",))
    if both.restarts_since and action not in _RESTARTS:
        return Effect(
            Grade.UNKNOWN, (f"the engine restarted {counted(both.restarts_since, 'time')} in between",)
        )
    return _JUDGES[action](both)


def watched(action: ActionType) -> str:
    """What decides for this action, in words."""
    return _WATCHED[action]


def _throttle(both: Both) -> Effect:
    aside = _pair("running", both.before.running, both.after.running, "0f")
    limit = _limit(both)
    if limit is not None and not limit.in_force(both.after):
        why = f"the limit is {limit.requests:.0f}: it was not carried out, or not yet"
        return Effect(Grade.NO_CHANGE, (aside, why))
    compared = _compared(both)
    beside = [f"{aside}: the action itself, not counted", "what waits at the gateway is not seen from here"]
    if not compared.comparable and limit is not None and limit.reached(both.after):
        # Traffic beyond the limit waits in front of it: fewer arrivals here are the action, as fewer running are.
        beside.insert(0, f"{compared.why}: the limit of {limit.requests:.0f} was reached all the time")
        finished = both.before.finished or 0.0, both.after.finished or 0.0
        compared = compare_served(both.before.period, both.after.period, finished, both.control)
    return Effect(_grade(compared.verdict), (*_moves(compared), compared.why, *beside))


@dataclass(frozen=True, slots=True)
class _Limit:
    """Of requests in the engine at a time."""

    requests: float
    only: bool
    """No other limit was asked for beside it."""

    def in_force(self, after: Span) -> bool:
        """Whether no more run than it lets in; what a receiver made of two limits cannot be known."""
        return not self.only or after.running is None or after.running <= LIMIT_SLACK * self.requests

    def reached(self, after: Span) -> bool:
        """Whether the engine was full to the limit and never over it: then there was traffic for more.

        Traffic that happens to be near the limit wanders, and is over it half of the time.
        """
        held, most = after.held, after.held_most
        if held is None or most is None:
            return False
        return held >= LIMIT_REACHED * self.requests and most <= max(
            self.requests + 1, LIMIT_SLACK * self.requests
        )


def _limit(both: Both) -> _Limit | None:
    given = both.parameters or {}
    limit = given.get("target_concurrency")
    if isinstance(limit, str) or limit is None or limit < 1:
        return None
    return _Limit(float(limit), only=not {"admit_per_second", "target_agents"} & given.keys())


def _drain(both: Both) -> Effect:
    compared = _compared(both)
    if both.parameters and "rank" in both.parameters and not both.restarts_since:
        lines = (*_moves(compared), compared.why, "the restart of one rank is not visible on this page")
        return Effect(_grade(compared.verdict), lines)
    restarted = f"restarts since: {both.restarts_since}"
    if not both.restarts_since:
        return Effect(Grade.NO_CHANGE, (restarted, "no restart seen: it was not carried out, or not yet"))
    done, waiting = (
        both.after.finished,
        _pair("waiting", both.before.waiting, both.after.waiting, "0f"),
    )
    finished = _pair("finished", both.before.finished, done, "0f")
    if not done:
        busy = bool(both.after.running or both.after.waiting)
        why = "requests are there and none finishes" if busy else "no traffic since: nothing to judge by"
        return Effect(Grade.WORSE if busy else Grade.UNKNOWN, (restarted, finished, waiting, why))
    worse = _first(compared, "late first tokens") is Verdict.WORSE
    grade = Grade.WORSE if worse else Grade.HELPED
    return Effect(
        grade, (restarted, "answers and finishes requests again", finished, waiting, *_moves(compared))
    )


def _flush(both: Both) -> Effect:
    compared = _compared(both)
    before, after = both.before, both.after
    hits = _pair("hit rate", before.hit_rate, after.hit_rate, "0%")
    lines = (hits, *_moves(compared))
    if not compared.comparable:
        return Effect(Grade.UNKNOWN, (*lines, compared.why))
    if min(before.prompt_tokens, after.prompt_tokens) < PROMPT_TOKENS_MIN:
        return Effect(Grade.UNKNOWN, (*lines, f"under {PROMPT_TOKENS_MIN:,.0f} prompt tokens in a span"))
    step = (after.hit_rate or 0.0) - (before.hit_rate or 0.0)
    worse = step <= -HIT_RATE_STEP or _first(compared, "late first tokens") is Verdict.WORSE
    return Effect(_three(worse=worse, helped=step >= HIT_RATE_STEP), lines)


def _shrink(both: Both) -> Effect:
    compared = _compared(both)
    before, after = both.before, both.after
    lines = (_pair("acceptance", before.acceptance, after.acceptance, "0%"), *_moves(compared))
    if not compared.comparable:
        return Effect(Grade.UNKNOWN, (*lines, compared.why))
    latency = _first(compared, "inter-token latency p95")
    enough = min(before.drafted, after.drafted) >= DRAFTED_MIN
    step = (after.acceptance or 0.0) - (before.acceptance or 0.0) if enough else 0.0
    if not enough and latency is None:
        return Effect(Grade.UNKNOWN, (*lines, "too few drafts and tokens in a span"))
    helped = step >= ACCEPTANCE_STEP or latency is Verdict.HELPED
    return Effect(_three(worse=latency is Verdict.WORSE, helped=helped), lines)


def _compact(both: Both) -> Effect:
    compared = _compared(both)
    held = _pair("pool share a request", both.before.held_share, both.after.held_share, "2%")
    lines = (held, *_moves(compared))
    before, after = both.before.held_share, both.after.held_share
    if not compared.comparable or before is None or after is None:
        return Effect(Grade.UNKNOWN, (*lines, compared.why))
    worse = compared.verdict is Verdict.WORSE
    return Effect(_three(worse=worse, helped=after <= (1 - HELD_STEP) * before), lines)


def _quarantine(both: Both) -> Effect:
    """Crashes as a Poisson process: how likely is this silence if nothing had changed?"""
    crashes = both.before.crashes
    said = f"crashes {crashes} in 15 min before, {both.restarts_since} in {both.seconds_since:.0f} s after"
    if both.restarts_since:
        return Effect(Grade.NO_CHANGE, (said, "it crashed again: not this shape, or not refused"))
    chance = exp(-crashes * both.seconds_since / 900.0)
    why = f"by chance alone as quiet in {chance:.0%} of cases"
    return Effect(Grade.HELPED if crashes and chance < LUCK else Grade.UNKNOWN, (said, why))


def _compared(both: Both) -> Comparison:
    return compare(both.before.period, both.after.period, both.control)


def _moves(compared: Comparison) -> tuple[str, ...]:
    return tuple(f"{m.what} {m.before:.3g} → {m.after:.3g}: {m.verdict.value}" for m in compared.moved)


def _first(compared: Comparison, what: str) -> Verdict | None:
    return next((m.verdict for m in compared.moved if m.what == what), None)


def _grade(verdict: Verdict) -> Grade:
    return Grade(verdict.value)


def _three(*, worse: bool, helped: bool) -> Grade:
    return Grade.WORSE if worse else Grade.HELPED if helped else Grade.NO_CHANGE


def _pair(what: str, before: float | None, after: float | None, form: str) -> str:
    told = ("unknown" if v is None else format(v, f".{form}") for v in (before, after))
    return f"{what} {' → '.join(told)}"


_RESTARTS = frozenset(
    {ActionType.DRAIN_AND_RECYCLE, ActionType.SHRINK_SPECULATION_WINDOW, ActionType.QUARANTINE_SHAPE}
)
"""Actions that come with a restart, or are judged by them."""
_JUDGES: Final[Mapping[ActionType, Callable[[Both], Effect]]] = {
    ActionType.THROTTLE_CONCURRENCY: _throttle,
    ActionType.DRAIN_AND_RECYCLE: _drain,
    ActionType.FLUSH_SESSION_RADIX: _flush,
    ActionType.SHRINK_SPECULATION_WINDOW: _shrink,
    ActionType.RECOMMEND_COMPACTION: _compact,
    ActionType.QUARANTINE_SHAPE: _quarantine,
}
_WATCHED: Final[Mapping[ActionType, str]] = {
    ActionType.THROTTLE_CONCURRENCY: "preemptions, late first tokens and ITL p95 at like arrivals, or at the limit",
    ActionType.DRAIN_AND_RECYCLE: "that it restarts, answers and finishes requests",
    ActionType.FLUSH_SESSION_RADIX: "prefix hit rate and late first tokens at like arrivals",
    ActionType.SHRINK_SPECULATION_WINDOW: "draft acceptance and ITL p95 at like arrivals",
    ActionType.RECOMMEND_COMPACTION: "pool share held by one request at like arrivals",
    ActionType.QUARANTINE_SHAPE: "that it does not crash again",
}
