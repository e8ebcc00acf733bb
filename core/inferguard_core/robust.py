"""The few small statistics the rules stand on, robust against the spikes of instant gauges.

Plain Python on short lists: at most a few dozen points, where an array library would cost more to import than
all rules cost in a day. Every function takes finite floats; filtering unknowns is the caller's.
"""

from __future__ import annotations

from operator import itemgetter
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SPREAD_OF_NORMAL = 1.4826
"""A normal's standard deviation ÷ its median absolute deviation."""
SLOPE_POINTS = 16
"""Points a slope is fitted to: 120 pairs, whatever the poll interval."""


def theil_sen(points: Sequence[tuple[float, float]]) -> float | None:
    """Median of the pairwise slopes, in units per second; None under three points or without time between them.

    Sen, JASA 1968; breaks down only past 29 % outliers.
    """
    if len(points) >= 3 and points[0][0] < points[-1][0] and len({y for _, y in points}) == 1:
        return 0.0
    slopes = pairwise_slopes(points)
    return median(slopes) if slopes else None


def pairwise_slopes(points: Sequence[tuple[float, float]]) -> list[float]:
    """Slope of each pair of points, in units per second; none under three points or without time between them.

    Points are first reduced to `SLOPE_POINTS` medians over equal spans of time, so that the result does not
    depend on how often an endpoint is polled.
    """
    thinned = _by_time(points, SLOPE_POINTS)
    if len(thinned) < 3:
        return []
    return [
        (y2 - y1) / (x2 - x1) for i, (x1, y1) in enumerate(thinned) for x2, y2 in thinned[i + 1 :] if x2 > x1
    ]


def _by_time(points: Sequence[tuple[float, float]], bins: int) -> list[tuple[float, float]]:
    if len(points) <= bins:
        return list(points)
    start, span = points[0][0], points[-1][0] - points[0][0]
    if span <= 0:
        return []
    grouped: dict[int, list[tuple[float, float]]] = {}
    for x, y in points:
        grouped.setdefault(min(bins - 1, int((x - start) / span * bins)), []).append((x, y))
    return [(median(x for x, _ in g), median(y for _, y in g)) for g in grouped.values()]


def mad(values: Sequence[float], centre: float) -> float:
    """Median absolute deviation as a normal's standard deviation."""
    return SPREAD_OF_NORMAL * median(abs(v - centre) for v in values)


def weighted_median(samples: Iterable[tuple[float, float]]) -> float:
    """The least value at or below which half the weight of the (value, weight) pairs lies.

    Where the halves meet between two values it is their mean, as the plain median has it. Raises ValueError
    without a pair.
    """
    ordered = sorted(samples, key=itemgetter(0))
    half, below = sum(weight for _, weight in ordered) / 2.0, 0.0
    for i, (value, weight) in enumerate(ordered):
        below += weight
        if below == half and i + 1 < len(ordered):
            return (value + ordered[i + 1][0]) / 2.0
        if below >= half:
            return value
    raise ValueError("no samples")


def robust_z(value: float, centre: float, spread: float, floor: float) -> float:
    """Distance from `centre` in spreads; the floor keeps an idle, constant signal from reading as infinite.

    The spread is at least 5 % of the centre. Iglewicz and Hoaglin call 3.5 an outlier.
    """
    return (value - centre) / max(spread, 0.05 * abs(centre), floor)
