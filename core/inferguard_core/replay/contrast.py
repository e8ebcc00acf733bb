"""Two runs of the same load held against each other, with noise in mind.

A change is said only where a bootstrap interval of it leaves out zero; turns of one session depend on each
other, so whole sessions are drawn, in pairs. Where the interval is too wide to tell, the verdict is
inconclusive, never "no difference". That a change in between was the cause is not said here: another hour's
traffic beside the load moves the same numbers.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Final, NamedTuple

from inferguard_core.counted import counted
from inferguard_core.replay.figures import percentile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from inferguard_core.replay.outcome import TurnTimes

SESSIONS_MIN: Final = 8
"""Sessions in both runs under which drawing them again says nothing about others."""
LEAST: Final = 0.05
"""A smaller relative change of a latency is of no use to anybody, however sure."""
SHARE_LEAST: Final = 0.01
"""The same for the share of failed turns, in points."""
INTERVAL: Final = 0.99
"""Of each number: half a dozen are looked at, and one of them should not stray by chance."""
DRAWS: Final = 1000
_WORK: Final = 3_000_000
"""Turns drawn in all; long runs are drawn less often."""
_DRAWS_MIN: Final = 400


class Verdict(StrEnum):
    IMPROVED = "improved"
    REGRESSED = "regressed"
    NO_DIFFERENCE = "no_difference"
    INCONCLUSIVE = "inconclusive"


class Sample(NamedTuple):
    """One turn in both runs."""

    before: TurnTimes
    after: TurnTimes


@dataclass(frozen=True, slots=True)
class Change:
    """One number of both runs. Relative for times (0.1 is 10 % longer), in points for the share of failures."""

    what: str
    before: float | None
    after: float | None
    change: float | None
    low: float | None
    high: float | None
    n: int
    """Turns that have the number in both runs."""
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Contrast:
    verdict: Verdict
    why: str
    changes: tuple[Change, ...] = ()
    sessions: int = 0


class _Number(NamedTuple):
    what: str
    of: Callable[[TurnTimes], float | None]
    p: float
    """Percentile."""


_NUMBERS = (
    _Number("ttft_p50", lambda o: o.ttft_s, 50),
    _Number("ttft_p95", lambda o: o.ttft_s, 95),
    _Number("tpot_p50", lambda o: o.tpot_s, 50),
    _Number("e2e_p50", lambda o: o.e2e_s, 50),
    _Number("e2e_p95", lambda o: o.e2e_s, 95),
)
_N_MIN = {50.0: 10, 95.0: 60}
"""Pairs under which a percentile of both sides is one or two turns' doing."""


def contrast(before: Sequence[TurnTimes], after: Sequence[TurnTimes], seed: int = 0) -> Contrast:
    """Hold `after` against `before`; both are finished turns of the same load. Equal input, equal answer."""
    sessions = _paired(before, after)
    if len(sessions) < SESSIONS_MIN:
        return Contrast(
            Verdict.INCONCLUSIVE,
            f"{counted(len(sessions), 'session was', 'sessions were')} finished in both runs;"
            f" {SESSIONS_MIN} are needed",
            sessions=len(sessions),
        )
    dice = random.Random(seed)  # noqa: S311 - a bootstrap, no secret
    changes = tuple(
        change
        for change in (*(_time(number, sessions, dice) for number in _NUMBERS), _failures(sessions, dice))
        if change.n
    )
    return Contrast(*_joined(changes), changes, len(sessions))


def _paired(before: Iterable[TurnTimes], after: Iterable[TurnTimes]) -> list[list[Sample]]:
    """Turns that both runs have, by session."""
    known = {(turn.session, turn.turn_id): turn for turn in before}
    sessions: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for turn in after:
        if (other := known.get((turn.session, turn.turn_id))) is not None:
            sessions[turn.session].append(Sample(other, turn))
    return list(sessions.values())


def _time(number: _Number, sessions: list[list[Sample]], dice: random.Random) -> Change:
    pairs = [_numbers(number, session) for session in sessions]
    pairs = [session for session in pairs if session]
    whole = [pair for session in pairs for pair in session]
    if len(whole) < _N_MIN[number.p]:
        return Change(number.what, None, None, None, None, None, len(whole), Verdict.INCONCLUSIVE)

    def relative(drawn: Sequence[tuple[float, float]]) -> float:
        first = percentile(sorted(a for a, _ in drawn), number.p)
        second = percentile(sorted(b for _, b in drawn), number.p)
        return second / first - 1 if first > 0 else 0.0

    low, high = _interval(pairs, relative, dice)
    change = relative(whole)
    return Change(
        number.what,
        percentile(sorted(a for a, _ in whole), number.p),
        percentile(sorted(b for _, b in whole), number.p),
        change,
        low,
        high,
        len(whole),
        _verdict(change, low, high, LEAST),
    )


def _numbers(number: _Number, session: list[Sample]) -> list[tuple[float, float]]:
    both = ((number.of(sample.before), number.of(sample.after)) for sample in session)
    return [(a, b) for a, b in both if a is not None and b is not None]


def _failures(sessions: list[list[Sample]], dice: random.Random) -> Change:
    pairs = [[(float(s.before.failed), float(s.after.failed)) for s in each] for each in sessions]
    whole = [pair for session in pairs for pair in session]

    def points(drawn: Sequence[tuple[float, float]]) -> float:
        return sum(b - a for a, b in drawn) / len(drawn)

    low, high = _interval(pairs, points, dice)
    first, second = (sum(pair[side] for pair in whole) / len(whole) for side in (0, 1))
    change = second - first
    return Change(
        "failed_share",
        first,
        second,
        change,
        low,
        high,
        len(whole),
        _verdict(change, low, high, SHARE_LEAST),
    )


def _interval(
    sessions: Sequence[Sequence[tuple[float, float]]],
    statistic: Callable[[Sequence[tuple[float, float]]], float],
    dice: random.Random,
) -> tuple[float, float]:
    """Bootstrap percentile interval over whole sessions."""
    turns = sum(map(len, sessions))
    draws = max(_DRAWS_MIN, min(DRAWS, _WORK // turns))
    found = sorted(
        statistic([pair for session in dice.choices(sessions, k=len(sessions)) for pair in session])
        for _ in range(draws)
    )
    tail = (1 - INTERVAL) / 2 * 100
    whole = statistic([pair for session in sessions for pair in session])
    by = _widening(len(sessions))
    return whole - (whole - percentile(found, tail)) * by, whole + (
        percentile(found, 100 - tail) - whole
    ) * by


def _widening(sessions: int) -> float:
    """How much too narrow a bootstrap over so few is: Student's t over the normal, and the square root of n ÷ (n - 1).

    The quantile of t is Cornish and Fisher's expansion, good to 1 % from five degrees of freedom up.
    """
    z, free = NormalDist().inv_cdf((1 + INTERVAL) / 2), sessions - 1
    t = z + (z**3 + z) / (4 * free) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * free**2)
    return t / z * sqrt(sessions / free)


def _verdict(change: float, low: float, high: float, least: float) -> Verdict:
    """Higher is worse, for every number here."""
    if low > 0 and change >= least:
        return Verdict.REGRESSED
    if high < 0 and change <= -least:
        return Verdict.IMPROVED
    return Verdict.NO_DIFFERENCE if -least <= low and high <= least else Verdict.INCONCLUSIVE


def _joined(changes: Sequence[Change]) -> tuple[Verdict, str]:
    by_verdict = {verdict: [c.what for c in changes if c.verdict is verdict] for verdict in Verdict}
    better, worse = by_verdict[Verdict.IMPROVED], by_verdict[Verdict.REGRESSED]
    if better and worse:
        return Verdict.INCONCLUSIVE, f"better: {', '.join(better)}; worse: {', '.join(worse)}"
    if better or worse:
        return (Verdict.REGRESSED, ", ".join(worse)) if worse else (Verdict.IMPROVED, ", ".join(better))
    if wide := by_verdict[Verdict.INCONCLUSIVE]:
        return Verdict.INCONCLUSIVE, f"too much noise or too few turns: {', '.join(wide)}"
    return Verdict.NO_DIFFERENCE, f"every number within {LEAST:.0%}"
