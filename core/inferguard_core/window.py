"""Questions to a history as of one instant: medians, increases, slopes, quantiles, each with what it rests on.

Every answer may be None, which means unknown: the signal is not exported, or there is too little data. Nothing
here is zero because it is missing, and nothing is a lifetime average.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from operator import sub
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from inferguard_core.reading import Histogram
from inferguard_core.robust import theil_sen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from inferguard_core.history import History, Row
    from inferguard_core.signals import Signal

_T = TypeVar("_T")

QUANTILE_MIN_N = 20
"""Observations under a p50 or p95; fewer would show one request's luck."""
P99_MIN_N = 100


class Increase(NamedTuple):
    """How far a counter rose within `seconds` of data."""

    amount: float
    seconds: float

    @property
    def rate(self) -> float:
        return self.amount / self.seconds


class Quantile(NamedTuple):
    value: float
    n: int
    seconds: float
    beyond: bool
    """The quantile lies in the +Inf bucket: `value` is the last finite edge, a lower bound."""


class Share(NamedTuple):
    """Share of observations above an objective."""

    over: float
    n: int
    seconds: float
    edge: float
    """The bucket edge that the objective was snapped to."""


@dataclass(frozen=True, slots=True)
class Lookback:
    """The history up to its newest row. What is asked again within one poll is worked out once."""

    history: History
    newest: Row
    _asked: dict[tuple[object, ...], Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def now(self) -> float:
        return self.newest.t

    def latest(self, signal: Signal) -> float | None:
        return self.newest.get(signal)

    def rows(self, seconds: float) -> Sequence[Row]:
        """Readings of the last `seconds`, oldest first."""
        return self.once(("rows", seconds), lambda: self.history.since(self.now - seconds))

    def bases(self, seconds: float) -> Iterator[Row]:
        """Where a rise over the last `seconds` may begin: the reading at their start, else the next ones."""
        start = self.now - seconds
        base = self.once(("base", seconds), lambda: self.history.at_or_before(start))
        if base is not None:
            yield base
        yield from self.rows(seconds)

    def once(self, question: tuple[object, ...], answer: Callable[[], _T]) -> _T:
        """`answer()`, worked out the first time that `question` is asked of this window."""
        if question not in self._asked:
            self._asked[question] = answer()
        known: _T = self._asked[question]
        return known


@dataclass(frozen=True, slots=True)
class Window(Lookback):
    """Questions about single signals."""

    def values(self, signal: Signal, seconds: float) -> list[float]:
        """Known samples of the last `seconds`."""
        return [v for _, v in self.points(signal, seconds)]

    def points(self, signal: Signal, seconds: float) -> Sequence[tuple[float, float]]:
        """Known samples of the last `seconds` as (monotonic time, value).

        None at all where the newest reading does not hold the signal: it would be a word on the past.
        """
        return self.once(("points", signal, seconds), lambda: _points(self, signal, seconds))

    def median(self, signal: Signal, seconds: float) -> float | None:
        values = self.values(signal, seconds)
        return median(values) if values else None

    def mean(self, signal: Signal, seconds: float) -> float | None:
        """Mean over time of an instant gauge: each sample stands for the time since the one before."""
        return self.once(("mean", signal, seconds), lambda: _mean(self.points(signal, seconds)))

    def maximum(self, signal: Signal, seconds: float) -> float | None:
        return max(self.values(signal, seconds), default=None)

    def minimum(self, signal: Signal, seconds: float) -> float | None:
        return min(self.values(signal, seconds), default=None)

    def slope(self, signal: Signal, seconds: float) -> float | None:
        """Theil-Sen slope per second; None unless the samples span a third of the window."""
        return self.once(("slope", signal, seconds), lambda: _slope(self.points(signal, seconds), seconds))

    def increase(self, counter: Signal, seconds: float) -> Increase | None:
        """Rise of a counter over the last `seconds`, or over what there is of them.

        The base is the last sample at or before the window's start, so a rate after a gap is spread over the
        gap. None with one sample only.
        """
        return self.once(("increase", counter, seconds), lambda: _increase(self, counter, seconds))

    def rate(self, counter: Signal, seconds: float) -> float | None:
        increase = self.increase(counter, seconds)
        return None if increase is None else increase.rate

    def flat_for(self, counters: Iterable[Signal]) -> float | None:
        """Seconds since any of these last rose; None when none of them has risen in this history."""
        rises = [t for c in counters if (t := self.history.rose_at(c)) is not None]
        return self.now - max(rises) if rises else None

    def quantile(self, signal: Signal, q: float, seconds: float) -> Quantile | None:
        """Quantile of the observations of the last `seconds`, interpolated within its bucket.

        None under `QUANTILE_MIN_N` observations, for q above 0.95 under `P99_MIN_N`.
        """
        delta = self.buckets(signal, seconds)
        if delta is None:
            return None
        histogram, elapsed = delta
        n = round(histogram.count)
        if n < (P99_MIN_N if q > 0.95 else QUANTILE_MIN_N):
            return None
        value, beyond = bucket_quantile(histogram.edges, histogram.counts, q)
        return Quantile(value, n, elapsed, beyond)

    def share_over(self, signal: Signal, objective: float, seconds: float) -> Share | None:
        """Share of the last `seconds`' observations above `objective`, snapped down to a bucket edge.

        Down, so that a request counted as good truly met the objective. None without observations.
        """
        delta = self.buckets(signal, seconds)
        if delta is None or delta[0].count < 1:
            return None
        histogram, elapsed = delta
        index = snapped(histogram.edges, objective)
        over = 1.0 - histogram.counts[index] / histogram.count
        return Share(over, round(histogram.count), elapsed, histogram.edges[index])

    def buckets(self, signal: Signal, seconds: float) -> tuple[Histogram, float] | None:
        """Observations of the last `seconds` as a histogram, with the seconds it really spans."""
        return self.once(("buckets", signal, seconds), lambda: _buckets(self, signal, seconds))


def _points(window: Lookback, signal: Signal, seconds: float) -> list[tuple[float, float]]:
    if window.newest.get(signal) is None:
        return []
    return [(row.t, value) for row in window.rows(seconds) if (value := row.get(signal)) is not None]


def _mean(points: Sequence[tuple[float, float]]) -> float | None:
    if len(points) < 2:
        return points[0][1] if points else None
    weighed = sum(v * (t - before) for (before, _), (t, v) in pairwise(points))
    return weighed / (points[-1][0] - points[0][0])


def _slope(points: Sequence[tuple[float, float]], seconds: float) -> float | None:
    if len(points) < 3 or points[-1][0] - points[0][0] < seconds / 3:
        return None
    return theil_sen(points)


def _increase(window: Lookback, counter: Signal, seconds: float) -> Increase | None:
    end = window.newest.get(counter)
    if end is None:
        return None
    for row in window.bases(seconds):
        if row.t < window.now and (value := row.get(counter)) is not None:
            return Increase(end - value, window.now - row.t)
    return None


def _buckets(window: Lookback, signal: Signal, seconds: float) -> tuple[Histogram, float] | None:
    end = window.newest.histogram(signal)
    if end is None:
        return None
    for row in window.bases(seconds):
        first = row.histogram(signal)
        if row.t < window.now and first is not None and first.edges == end.edges:
            return _minus(end, first), window.now - row.t
    return None


def _minus(end: Histogram, first: Histogram) -> Histogram:
    counts = tuple(map(sub, end.counts, first.counts))
    return Histogram(end.edges, counts, end.total - first.total)


def bucket_quantile(edges: Sequence[float], counts: Sequence[float], q: float) -> tuple[float, bool]:
    """Quantile of cumulative `counts`, linear within the bucket as Prometheus' histogram_quantile does it.

    Returns (value, beyond); `beyond` when it lies in the +Inf bucket and the value is the last finite edge.
    """
    rank = q * counts[-1]
    lower_edge = lower_count = 0.0
    for edge, count in zip(edges, counts, strict=True):
        if count >= rank and count > lower_count:
            if edge == float("inf"):
                return lower_edge, True
            return lower_edge + (edge - lower_edge) * (rank - lower_count) / (count - lower_count), False
        lower_edge, lower_count = edge, max(count, lower_count)
    return lower_edge, True


def snapped(edges: Sequence[float], objective: float) -> int:
    """Index of the greatest finite edge not above `objective`; the first edge when all lie above."""
    below = [i for i, edge in enumerate(edges) if edge <= objective * (1 + 1e-9)]
    return below[-1] if below else 0
