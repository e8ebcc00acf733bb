"""A stretch of a history between two instants, and what it says: rises, medians, quantiles.

A `Window` answers for the seconds up to now; a cause lies before them. Every answer may be None, which is unknown:
nothing is interpolated over a gap and nothing is zero because it is missing.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from operator import attrgetter
from statistics import median
from typing import TYPE_CHECKING

from inferguard_core.reading import Histogram
from inferguard_core.window import QUANTILE_MIN_N, bucket_quantile

if TYPE_CHECKING:
    from inferguard_core.history import History, Row
    from inferguard_core.signals import Signal

GAUGE_ROWS = 16
"""Rows a median is taken of, evenly spread: it bounds the cost whatever the poll interval."""

_time = attrgetter("t")


@dataclass(slots=True)
class Stretch:
    """Rows from `first`, whose counters are the base, to `last`; gauges are read after `first`."""

    first: Row
    last: Row
    history: History
    _rows: list[Row] | None = field(default=None, init=False)

    @property
    def seconds(self) -> float:
        return self.last.t - self.first.t

    @property
    def rows(self) -> list[Row]:
        """At most `GAUGE_ROWS` rows after the first, the last included."""
        if self._rows is None:
            rows = self.history.since(self.first.t)
            del rows[bisect_right(rows, self.last.t, key=_time) :]
            step = -(-len(rows) // GAUGE_ROWS) or 1
            self._rows = rows[::-step]
        return self._rows

    def values(self, gauge: Signal) -> list[float]:
        """Known samples, newest first."""
        return [v for row in self.rows if (v := row.get(gauge)) is not None]

    def median(self, gauge: Signal) -> float | None:
        values = self.values(gauge)
        return median(values) if values else None

    def rise(self, counter: Signal) -> float | None:
        end, base = self.last.get(counter), self.first.get(counter)
        return None if end is None or base is None else end - base

    def rate(self, counter: Signal) -> float | None:
        rise = self.rise(counter)
        return None if rise is None else rise / self.seconds

    def ratio(self, part: Signal, whole: Signal, at_least: float) -> float | None:
        """Rise of `part` by rise of `whole`; None while `whole` rose by less than `at_least`."""
        top, bottom = self.rise(part), self.rise(whole)
        return top / bottom if top is not None and bottom is not None and bottom >= at_least else None

    def observations(self, signal: Signal) -> Histogram | None:
        """What a histogram took in; None when it is not exported or its edges changed."""
        end, base = self.last.histogram(signal), self.first.histogram(signal)
        if end is None or base is None or end.edges != base.edges:
            return None
        counts = tuple(b - a for a, b in zip(base.counts, end.counts, strict=True))
        return Histogram(end.edges, counts, end.total - base.total)

    def mean(self, signal: Signal, at_least: float) -> float | None:
        seen = self.observations(signal)
        return seen.total / seen.count if seen is not None and seen.count >= at_least else None

    def quantile(self, signal: Signal, q: float) -> float | None:
        """None under `QUANTILE_MIN_N` observations."""
        seen = self.observations(signal)
        if seen is None or seen.count < QUANTILE_MIN_N:
            return None
        return bucket_quantile(seen.edges, seen.counts, q)[0]


def stretch(history: History, start: float, end: float) -> Stretch | None:
    """The rows between two monotonic instants; None unless two of them differ in time."""
    last = history.at_or_before(end)
    first = history.at_or_before(start) or history.oldest
    if last is None or first is None or first.t >= last.t:
        return None
    return Stretch(first, last, history)
