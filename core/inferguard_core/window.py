"""Questions to a history as of one instant: medians, increases, slopes, quantiles, each with what it rests on.

Every answer may be None, which means unknown: the signal is not exported, or there is too little data. Nothing
here is zero because it is missing, and nothing is a lifetime average.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from inferguard_core.reading import Histogram
from inferguard_core.robust import theil_sen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from inferguard_core.history import History, Row
    from inferguard_core.signals import Signal

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
class Window:
    """The history up to its newest row."""

    history: History
    newest: Row

    @property
    def now(self) -> float:
        return self.newest.t

    def latest(self, signal: Signal) -> float | None:
        return self.newest.get(signal)

    def values(self, signal: Signal, seconds: float) -> list[float]:
        """Known samples of the last `seconds`."""
        return [v for _, v in self.points(signal, seconds)]

    def points(self, signal: Signal, seconds: float) -> list[tuple[float, float]]:
        """Known samples of the last `seconds` as (monotonic time, value)."""
        rows = self.history.since(self.now - seconds)
        return [(row.t, value) for row in rows if (value := row.get(signal)) is not None]

    def median(self, signal: Signal, seconds: float) -> float | None:
        values = self.values(signal, seconds)
        return median(values) if values else None

    def maximum(self, signal: Signal, seconds: float) -> float | None:
        return max(self.values(signal, seconds), default=None)

    def minimum(self, signal: Signal, seconds: float) -> float | None:
        return min(self.values(signal, seconds), default=None)

    def slope(self, signal: Signal, seconds: float) -> float | None:
        """Theil-Sen slope per second; None unless the samples span a third of the window."""
        points = self.points(signal, seconds)
        if len(points) < 3 or points[-1][0] - points[0][0] < seconds / 3:
            return None
        return theil_sen(points)

    def increase(self, counter: Signal, seconds: float) -> Increase | None:
        """Rise of a counter over the last `seconds`, or over what there is of them.

        The base is the last sample at or before the window's start, so a rate after a gap is spread over the
        gap. None with one sample only.
        """
        end = self.newest.get(counter)
        base = self._base(counter, seconds)
        if end is None or base is None:
            return None
        return Increase(end - base[1], self.now - base[0])

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
        end = self.newest.histogram(signal)
        if end is None:
            return None
        start = self.now - seconds
        base = self.history.at_or_before(start)
        rows: Sequence[Row] = [base] if base is not None else self.history.since(start)
        for row in rows:
            first = row.histogram(signal)
            if row.t < self.now and first is not None and first.edges == end.edges:
                counts = tuple(b - a for a, b in zip(first.counts, end.counts, strict=True))
                return Histogram(end.edges, counts, end.total - first.total), self.now - row.t
        return None

    def _base(self, counter: Signal, seconds: float) -> tuple[float, float] | None:
        start = self.now - seconds
        base = self.history.at_or_before(start)
        if base is not None and (value := base.get(counter)) is not None:
            return base.t, value
        for row in self.history.since(start):
            if row.t < self.now and (value := row.get(counter)) is not None:
                return row.t, value
        return None


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
