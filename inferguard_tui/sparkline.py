"""A trend as columns of a fixed time grid, and columns as eighth blocks.

Columns are aligned to the wall clock, not to the newest sample: between two column borders only the last
column changes, which is what keeps a remote terminal quiet. A gap stays a gap.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from inferguard_tui.glyphs import EIGHTHS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from inferguard_core.frame import Trend


def columns(trend: Trend | None, count: int) -> list[float | None]:
    """`count` columns that end with the trend's newest bin and hold its whole span, oldest first.

    A column that covers several bins keeps their worst, as the bins do. Where there are fewer bins than columns, each
    bin is repeated a whole number of times.
    """
    if trend is None or count <= 0:
        return [None] * max(0, count)
    group, repeat = _grouping(trend, count)
    end = round(trend.until / trend.step_s)
    first = end - len(trend.values)
    worse = min if trend.keeps_lowest else max
    grouped: dict[int, float | None] = {}
    for index, value in enumerate(trend.values, first):
        column = index // group
        known = grouped.get(column)
        grouped[column] = value if known is None else known if value is None else worse(known, value)
    last = (end - 1) // group
    shown = math.ceil(count / repeat)
    series = [grouped.get(column) for column in range(last - shown + 1, last + 1)]
    return [value for value in series for _ in range(repeat)][-count:]


def cells_of(trend: Trend | None, count: int, times: Iterable[float]) -> frozenset[int]:
    """Which of the `count` columns hold these unix times; those outside the trend's span are left out."""
    if trend is None or count <= 0:
        return frozenset()
    group, repeat = _grouping(trend, count)
    last = (round(trend.until / trend.step_s) - 1) // group
    shown = math.ceil(count / repeat)
    cut = shown * repeat - count
    at = ((math.floor(t / trend.step_s) // group - (last - shown + 1)) * repeat - cut for t in times)
    return frozenset(cell for cell in at if 0 <= cell < count)


def column_seconds(trend: Trend, count: int) -> float:
    """Seconds that one of `count` columns stands for."""
    group, repeat = _grouping(trend, count)
    return trend.step_s * group / repeat


def _grouping(trend: Trend, count: int) -> tuple[int, int]:
    """(bins to a column, columns to a bin); one of them is 1."""
    bins = max(1.0, trend.span_s / trend.step_s)
    group = math.ceil(bins / count)
    return group, max(1, int(count // bins)) if group == 1 else 1


def nice_ceiling(value: float) -> float:
    """The next of 1, 2, 5, 10, … at or above `value`: an axis that seldom changes."""
    if value <= 0:
        return 1.0
    scale = 10.0 ** math.floor(math.log10(value))
    return next(scale * step for step in (1, 2, 5, 10) if value <= scale * step * (1 + 1e-9))


def blocks(values: Sequence[float | None], top: float) -> str:
    """One character a value on an axis from 0 to `top`; a space where there is none."""
    return "".join(" " if v is None else EIGHTHS[_level(v, top, len(EIGHTHS)) - 1] for v in values)


def tall_blocks(values: Sequence[float | None], top: float, height: int) -> list[str]:
    """The same over `height` rows, topmost row first."""
    steps = len(EIGHTHS)
    levels = [None if v is None else _level(v, top, steps * height) for v in values]
    rows = []
    for row in reversed(range(height)):
        filled = (0 if level is None else level - row * steps for level in levels)
        rows.append("".join(" " if f <= 0 else EIGHTHS[min(f, steps) - 1] for f in filled))
    return rows


def _level(value: float, top: float, steps: int) -> int:
    """1 to `steps`: zero still shows its base line, so that it differs from no data."""
    share = value / top if top > 0 else 0.0
    return max(1, min(steps, math.ceil(share * steps - 1e-9)))
