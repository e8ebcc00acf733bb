"""Measures over time on fixed grids, ready to draw. A bin keeps its worst value, so that trouble stays visible.

Each measure is kept three times, ever coarser over ever longer, in memory that does not grow: some 4 kB a measure
and span. Nothing is interpolated; where there was no data, there is none.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from inferguard_core.frame import SPANS_S, Trend

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MIN_STEP_S = 1.0
MAX_BINS = 360
"""Of one span: as many as a wide chart has columns."""
_NOTHING = math.nan


class Bins(Sequence[float | None]):
    """Values of a trend in 8 bytes each; it never changes."""

    __slots__ = ("_values",)

    def __init__(self, values: array[float]) -> None:
        """`values` holds NaN for no data, and is not written to any more."""
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[float | None]:
        return (None if value != value else value for value in self._values)  # noqa: PLR0124 - only NaN is not itself

    @overload
    def __getitem__(self, index: int) -> float | None: ...
    @overload
    def __getitem__(self, index: slice) -> Bins: ...
    def __getitem__(self, index: int | slice) -> float | Bins | None:
        if isinstance(index, slice):
            return Bins(self._values[index])
        value = self._values[index]
        return None if math.isnan(value) else value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]


class TrendRing:
    """One measure over each of `SPANS_S`; `trends` are in that order."""

    def __init__(self, interval_s: float, *, lowest: bool = False) -> None:
        """`interval_s` is from one sample to the next; no bin is shorter. A bin keeps its peak, or its `lowest`."""
        self._rings = tuple(_Ring(span, interval_s, lowest=lowest) for span in SPANS_S)

    def push(self, unix: float, value: float | None) -> None:
        """Take one sample; one older than the newest bin (the wall clock was set back) starts the ring anew."""
        for ring in self._rings:
            ring.push(unix, value)

    def fill(self, past: Iterable[tuple[float, float | None]]) -> None:
        """Put samples of an earlier run, as (unix, value), where there is no data yet.

        They may come in any order and at any time; those newer than the newest sample taken are left out.
        """
        samples = [(unix, value) for unix, value in past if value is not None and math.isfinite(value)]
        if samples:
            for ring in self._rings:
                ring.fill(samples)

    @property
    def trends(self) -> tuple[Trend | None, ...]:
        """One a span as they stand; None before the first sample. The same objects until something changes."""
        return tuple(ring.trend for ring in self._rings)


class _Ring:
    """The last `span_s` seconds at one step."""

    __slots__ = ("_bin", "_lowest", "_most", "_span_s", "_step", "_trend", "_values")

    def __init__(self, span_s: float, interval_s: float, *, lowest: bool) -> None:
        self._lowest = lowest
        self._span_s = span_s
        self._step = max(MIN_STEP_S, interval_s, span_s / MAX_BINS)
        self._most = max(2, round(span_s / self._step))
        self._values: array[float] = array("d")
        self._bin: int | None = None
        self._trend: Trend | None = None

    def push(self, unix: float, value: float | None) -> None:
        index, taken = int(unix // self._step), _NOTHING if value is None else value
        if self._bin is None or index < self._bin or index - self._bin > 2 * self._most:
            self._become(array("d", (taken,)), index)
        elif index == self._bin:
            last = self._values[-1]
            worse = taken < last if self._lowest else taken > last
            if worse or (math.isnan(last) and not math.isnan(taken)):
                self._become(self._values[:-1] + array("d", (taken,)), index)
        else:
            # One bin late is the jitter of a poll where the step is the poll interval, and else a gap.
            missed = index - self._bin - 1
            bridge = taken if missed == 1 and self._span_s == SPANS_S[0] else _NOTHING
            self._become(self._values + array("d", [*[bridge] * missed, taken]), index)

    def fill(self, past: Iterable[tuple[float, float]]) -> None:
        known: dict[int, float] = {}
        worse = min if self._lowest else max
        for unix, value in past:
            index = int(unix // self._step)
            known[index] = worse(value, known.get(index, value))
        newest = max(known) if self._bin is None else self._bin
        oldest = newest - len(self._values) + 1
        known |= {oldest + i: v for i, v in enumerate(self._values) if not math.isnan(v)}
        first = max(newest - self._most + 1, min((i for i in known if i <= newest), default=newest))
        self._become(array("d", (known.get(i, _NOTHING) for i in range(first, newest + 1))), newest)

    def _become(self, values: array[float], index: int) -> None:
        # A trend that was handed out keeps the array it has; this is a new one.
        self._values, self._bin, self._trend = values[-self._most :], index, None

    @property
    def trend(self) -> Trend | None:
        if self._bin is None:
            return None
        if self._trend is None:
            until = (self._bin + 1) * self._step
            self._trend = Trend(self._step, until, Bins(self._values), self._span_s, self._lowest)
        return self._trend
