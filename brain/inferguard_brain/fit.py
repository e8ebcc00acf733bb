"""The statistics that an investigation stands on: a robust line through points, and how far it can be believed.

Plain Python on short series. Every function takes finite floats and says None where there is too little to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    Points = Sequence[tuple[float, float]]

MIN_POINTS = 6
LOW, HIGH = 0.35, 0.65
"""Percentiles of the pairwise slopes that bound a horizon."""
PROMISE = 3.0
"""A line says nothing beyond this many times the seconds it was fitted to."""


@dataclass(frozen=True, slots=True)
class Line:
    """Theil–Sen line through a series (Sen, JASA 1968)."""

    slope: float
    """Median of the pairwise slopes, per second."""
    low: float
    high: float
    """35th and 65th percentile of the slopes."""
    level: float
    """Median of the last three values."""
    start: float
    """Median of the first three values."""
    tau: float
    """Kendall's: (pairs that rise - pairs that fall) ÷ all pairs, -1 to 1."""
    slopes: tuple[float, ...]
    n: int
    span_s: float

    @property
    def rise(self) -> float:
        """How far the line moves over its span."""
        return self.slope * self.span_s

    @property
    def promise_s(self) -> float:
        return PROMISE * self.span_s

    def share_reaching(self, threshold: float, within_s: float) -> float:
        """Share of the pairwise slopes that would take the level to `threshold` within the time."""
        gap = threshold - self.level
        return sum(1 for s in self.slopes if s * gap > 0 and gap / s <= within_s) / len(self.slopes)


@dataclass(frozen=True, slots=True)
class Crossing:
    """When a line meets a threshold, in seconds from now."""

    seconds: float
    soonest: float
    latest: float | None
    """None: the slower end of the slopes never gets there."""


def line(points: Points, least: int = MIN_POINTS) -> Line | None:
    """The line through `points`; None with fewer than `least`, or without time between them."""
    if len(points) < least or points[-1][0] <= points[0][0]:
        return None
    slopes = sorted(
        (y2 - y1) / (x2 - x1) for i, (x1, y1) in enumerate(points) for x2, y2 in points[i + 1 :] if x2 > x1
    )
    if not slopes:
        return None
    return Line(
        slope=median(slopes),
        low=_at(slopes, LOW),
        high=_at(slopes, HIGH),
        level=median(y for _, y in points[-3:]),
        start=median(y for _, y in points[:3]),
        tau=(sum(1 for s in slopes if s > 0) - sum(1 for s in slopes if s < 0)) / len(slopes),
        slopes=tuple(slopes),
        n=len(points),
        span_s=points[-1][0] - points[0][0],
    )


def crossing(fitted: Line, threshold: float) -> Crossing | None:
    """Where the line reaches `threshold` from below; None where it does not rise, or is there already."""
    gap = threshold - fitted.level
    if gap <= 0 or fitted.slope <= 0 or fitted.high <= 0:
        return None
    latest = gap / fitted.low if fitted.low > 0 else None
    return Crossing(gap / fitted.slope, gap / fitted.high, latest)


def correlation(left: Sequence[float], right: Sequence[float]) -> float | None:
    """Spearman's rank correlation of two series of one length; None under six pairs or where one is constant."""
    if len(left) != len(right) or len(left) < MIN_POINTS:
        return None
    a, b = _ranks(left), _ranks(right)
    mean = (len(a) - 1) / 2
    over = sum((x - mean) * (y - mean) for x, y in zip(a, b, strict=True))
    below = (sum((x - mean) ** 2 for x in a) * sum((y - mean) ** 2 for y in b)) ** 0.5
    return over / below if below > 0 else None


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _ranks(values: Sequence[float]) -> list[float]:
    """Rank of each value, ties sharing their mean."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for place in order[start : end + 1]:
            ranks[place] = (start + end) / 2
        start = end + 1
    return ranks
