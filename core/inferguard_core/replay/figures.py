"""Percentiles and totals of a run.

A percentile is given only where there are enough samples for it to be more than the highest one: 1 ÷ (1 - p).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import ceil
from statistics import fmean
from typing import TYPE_CHECKING, Final

from inferguard_core.replay.outcome import Counted, Ending

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from inferguard_core.replay.outcome import TurnOutcome
    from inferguard_core.replay.run import RunRecord

PERCENTILES: Final = (50.0, 90.0, 95.0, 99.0)


def percentile(ordered: Sequence[float], p: float) -> float:
    """Of sorted values, interpolated linearly between the two nearest ranks; `p` is 0 to 100."""
    at = (len(ordered) - 1) * p / 100
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def needed(p: float) -> int:
    """Samples from which percentile `p` is more than the highest of them."""
    return 1 if p <= 50 else ceil(round(100 / (100 - p), 6))


@dataclass(frozen=True, slots=True)
class Spread:
    """How one time is distributed; seconds."""

    n: int
    mean: float | None
    highest: float | None
    at: Mapping[float, float | None]
    """By percentile; None where `n` is too small for it."""


def spread(values: Iterable[float], percentiles: Sequence[float]) -> Spread:
    ordered = sorted(values)
    n = len(ordered)
    return Spread(
        n,
        fmean(ordered) if ordered else None,
        ordered[-1] if ordered else None,
        {p: percentile(ordered, p) if n >= needed(p) else None for p in percentiles},
    )


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run comes to."""

    sent: int
    answered: int
    failed: int
    interrupted: int
    errors: Mapping[str, int]
    """Failed turns by kind."""
    examples: Mapping[str, str]
    """One message a kind."""
    ttft: Spread
    tpot: Spread
    itl: Spread
    e2e: Spread
    prompt_tokens: int | None
    """Of answered turns; None when nobody counted."""
    output_tokens: int | None
    cached_tokens: int | None
    """Of the prompts, where the server says so for every answer."""
    counted: Counted
    """The weakest way of counting among the answers."""
    seconds: float

    @property
    def output_rate(self) -> float | None:
        """Output tokens per second over the whole run, waits included."""
        return _rate(self.output_tokens, self.seconds)

    @property
    def answer_rate(self) -> float | None:
        return _rate(self.answered, self.seconds)


def figures(record: RunRecord, percentiles: Sequence[float] = PERCENTILES) -> Figures:
    """Latencies are those of answered turns only; failed ones are counted, never averaged in."""
    by_ending = Counter(outcome.ending for outcome in record.outcomes)
    answers = [outcome for outcome in record.outcomes if outcome.ending is Ending.ANSWERED]
    failures = [outcome for outcome in record.outcomes if outcome.ending is Ending.FAILED]
    return Figures(
        sent=len(record.outcomes),
        answered=len(answers),
        failed=len(failures),
        interrupted=by_ending[Ending.INTERRUPTED],
        errors=dict(Counter(outcome.error for outcome in failures).most_common()),
        examples={outcome.error: outcome.message for outcome in reversed(failures)},
        ttft=spread((o.ttft_s for o in answers if o.ttft_s is not None), percentiles),
        tpot=spread((o.tpot_s for o in answers if o.tpot_s is not None), percentiles),
        itl=spread((gap for o in answers for gap in o.gaps_s), percentiles),
        e2e=spread((o.e2e_s for o in answers if o.e2e_s is not None), percentiles),
        prompt_tokens=_total(outcome.prompt_tokens for outcome in answers),
        output_tokens=_total(outcome.output_tokens for outcome in answers),
        cached_tokens=_total(outcome.cached_tokens for outcome in answers),
        counted=_weakest(answers),
        seconds=record.seconds,
    )


def _total(counts: Iterable[int | None]) -> int | None:
    """None when one is missing, or there is none: a part is not the whole."""
    known = list(counts)
    whole = [count for count in known if count is not None]
    return sum(whole) if whole and len(whole) == len(known) else None


def _weakest(answers: Sequence[TurnOutcome]) -> Counted:
    for way in (Counted.NOT_AT_ALL, Counted.APPROXIMATE):
        if not answers or any(outcome.counted is way for outcome in answers):
            return way
    return Counted.SERVER


def _rate(count: int | None, seconds: float) -> float | None:
    return None if count is None or seconds <= 0 else count / seconds
