"""Readings of one endpoint over time, with counters made monotone across restarts.

Memory is bounded: readings of the last `DENSE_S` seconds are all kept, older ones at one per `SPARSE_STEP_S`
up to `HORIZON_S`. A row costs 8 bytes a signal and a bucket, about 2 KiB on a full vLLM page: at a 1 s
interval 1.1 MiB an endpoint, at 5 s 0.5 MiB, whatever the uptime.

It does no judging; `Window` asks it questions as of one instant. It never interpolates over a gap.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass
from math import isnan, nan
from operator import attrgetter
from typing import TYPE_CHECKING

from inferguard_core.continued import COUNTERS, Continued
from inferguard_core.signals import SIGNALS, Signal, SignalKind

if TYPE_CHECKING:
    from inferguard_core.reading import Histogram, Reading

DENSE_S = 330.0
"""The longest window that looks at single samples is 300 s."""
SPARSE_STEP_S = 10.0
HORIZON_S = 1830.0
"""The longest window of all, the slow burn-rate pair, is 1800 s."""
CLOCK_JUMP_S = 2.0

SCALARS = tuple(s for s in Signal if SIGNALS[s].kind is not SignalKind.HISTOGRAM)
HISTOGRAMS = tuple(s for s in Signal if SIGNALS[s].kind is SignalKind.HISTOGRAM)
_COLUMN = {s: i for i, s in enumerate(SCALARS)}
_HISTOGRAM_COLUMN = {s: i for i, s in enumerate(HISTOGRAMS)}
_IS_COUNTER = tuple(SIGNALS[s].kind is SignalKind.COUNTER for s in SCALARS)


@dataclass(frozen=True, slots=True)
class Row:
    """One reading, reduced to the vocabulary; counters and buckets continue across restarts."""

    t: float
    unix: float
    values: array[float]
    """One per `SCALARS`; NaN is unknown."""
    histograms: tuple[Histogram | None, ...]
    """One per `HISTOGRAMS`."""

    def get(self, signal: Signal) -> float | None:
        value = self.values[_COLUMN[signal]]
        return None if isnan(value) else value

    def histogram(self, signal: Signal) -> Histogram | None:
        return self.histograms[_HISTOGRAM_COLUMN[signal]]


@dataclass(frozen=True, slots=True)
class Appended:
    """What a reading revealed by following the one before it."""

    restarted: bool = False
    running_before: float | None = None
    """Requests running in the last reading before the restart."""
    fell: tuple[str, ...] = ()
    """Counters that fell although the process is the same: not to be trusted for this poll."""
    leapt: tuple[str, ...] = ()
    """What is larger, or rose faster, than any engine counts: left out of this poll."""
    clock_jump_s: float = 0.0
    """How far wall time moved against monotonic time since the reading before."""


class History:
    """Append-only ring of rows; see the module for its bounds."""

    def __init__(self) -> None:
        self._sparse: list[Row] = []
        self._dense: list[Row] = []
        self._continued = Continued()
        self._rose: dict[Signal, float] = {}
        self.restarts: list[float] = []
        """Times of restarts within the horizon."""

    def __len__(self) -> int:
        return len(self._sparse) + len(self._dense)

    @property
    def newest(self) -> Row | None:
        return self._dense[-1] if self._dense else None

    @property
    def oldest(self) -> Row | None:
        return self._sparse[0] if self._sparse else (self._dense[0] if self._dense else None)

    @property
    def span_s(self) -> float:
        """Seconds from the oldest kept reading to the newest."""
        oldest, newest = self.oldest, self.newest
        return newest.t - oldest.t if oldest is not None and newest is not None else 0.0

    def append(self, t: float, unix: float, reading: Reading) -> Appended:
        """Take one reading taken at monotonic `t`. A `t` that does not advance is refused with ValueError."""
        before = self.newest
        if before is not None and t <= before.t:
            raise ValueError(f"reading at {t} does not follow {before.t}")
        restarted, fell = self._continued.restart(reading.values)
        if restarted:
            self._continued.carry_over()
            self.restarts = [*(r for r in self.restarts if r > t - HORIZON_S), t]
        row = self._row(t, unix, reading)
        if before is not None:
            for signal in self._continued.withdrawn:
                before.values[_COLUMN[signal]] = nan
            self._note_rises(before, row)
        self._dense.append(row)
        self._thin(t)
        jump = 0.0 if before is None else (unix - before.unix) - (t - before.t)
        return Appended(
            restarted=restarted,
            running_before=before.get(Signal.RUNNING) if before is not None and restarted else None,
            fell=() if restarted else fell,
            leapt=tuple(self._continued.leapt),
            clock_jump_s=jump if abs(jump) > CLOCK_JUMP_S else 0.0,
        )

    def since(self, t: float) -> list[Row]:
        """Rows later than `t`, oldest first; only dense ones are complete."""
        if not self._dense or t >= self._dense[0].t:
            return self._dense[bisect_right(self._dense, t, key=_time) :]
        return self._sparse[bisect_right(self._sparse, t, key=_time) :] + self._dense

    def at_or_before(self, t: float) -> Row | None:
        """The last row not later than `t`, else None."""
        for rows in (self._dense, self._sparse):
            index = bisect_right(rows, t, key=_time)
            if index:
                return rows[index - 1]
        return None

    def rose_at(self, signal: Signal) -> float | None:
        """Time of the reading in which a counter, or a histogram's count, last rose; None if it never did."""
        return self._rose.get(signal)

    def _note_rises(self, before: Row, row: Row) -> None:
        for signal in COUNTERS:
            if row.values[_COLUMN[signal]] > before.values[_COLUMN[signal]]:
                self._rose[signal] = row.t
        for signal in HISTOGRAMS:
            now, then = row.histogram(signal), before.histogram(signal)
            if now is not None and then is not None and now.count > then.count:
                self._rose[signal] = row.t

    def _row(self, t: float, unix: float, reading: Reading) -> Row:
        before = self.newest
        elapsed = t - before.t if before is not None else 0.0
        continued, values = self._continued, reading.values
        continued.turn()
        scalars = array("d")
        for signal, counts in zip(SCALARS, _IS_COUNTER, strict=True):
            value = values.get(signal)
            if value is None:
                scalars.append(nan)
            else:
                scalars.append(
                    continued.counter(signal, value, elapsed) if counts else continued.gauge(signal, value)
                )
        histograms = tuple(
            None
            if (read := reading.histograms.get(signal)) is None
            else continued.histogram(
                signal, read, elapsed, before.histogram(signal) if before is not None else None
            )
            for signal in HISTOGRAMS
        )
        return Row(t, unix, scalars, histograms)

    def _thin(self, now: float) -> None:
        """Move rows out of the dense part in batches, so that the cost per reading stays constant."""
        if now - self._dense[0].t < DENSE_S * 1.1:
            return
        keep = bisect_right(self._dense, now - DENSE_S, key=_time)
        for row in self._dense[:keep]:
            if not self._sparse or row.t - self._sparse[-1].t >= SPARSE_STEP_S:
                self._sparse.append(row)
        del self._dense[:keep]
        del self._sparse[: bisect_right(self._sparse, now - HORIZON_S, key=_time)]


_time = attrgetter("t")
