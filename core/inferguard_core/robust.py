"""The few small statistics the rules stand on, robust against the spikes of instant gauges.

Plain Python on short lists: at most a few dozen points, where an array library would cost more to import than
all rules cost in a day. Every function takes finite floats; filtering unknowns is the caller's.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SLOPE_POINTS = 16
"""Points a slope is fitted to: 120 pairs, whatever the poll interval."""


def theil_sen(points: Sequence[tuple[float, float]]) -> float | None:
    """Median of the pairwise slopes, in units per second; None under three points or without time between them.

    Points are first reduced to `SLOPE_POINTS` medians over equal spans of time, so that the result does not
    depend on how often an endpoint is polled. Sen, JASA 1968; breaks down only past 29 % outliers.
    """
    thinned = _by_time(points, SLOPE_POINTS)
    slopes = [
        (y2 - y1) / (x2 - x1) for i, (x1, y1) in enumerate(thinned) for x2, y2 in thinned[i + 1 :] if x2 > x1
    ]
    return median(slopes) if len(thinned) >= 3 else None


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
    """Median absolute deviation times 1.4826, which estimates a normal's standard deviation."""
    return 1.4826 * median(abs(v - centre) for v in values)


def robust_z(value: float, centre: float, spread: float, floor: float) -> float:
    """Distance from `centre` in spreads; the floor keeps an idle, constant signal from reading as infinite.

    The spread is at least 5 % of the centre. Iglewicz and Hoaglin call 3.5 an outlier.
    """
    return (value - centre) / max(spread, 0.05 * abs(centre), floor)
