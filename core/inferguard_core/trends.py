"""Measures over time on a fixed grid, ready to draw. A bin keeps its peak, so that a spike stays visible."""

from __future__ import annotations

from collections import deque

from inferguard_core.frame import Trend

SPAN_S = 300.0
MIN_STEP_S = 1.0


class TrendRing:
    """The last `SPAN_S` seconds of one measure; a missed bin is None, never interpolated."""

    def __init__(self, interval_s: float) -> None:
        self._step = max(MIN_STEP_S, interval_s)
        self._values: deque[float | None] = deque(maxlen=max(2, round(SPAN_S / self._step)))
        self._bin: int | None = None
        self._trend: Trend | None = None

    def push(self, unix: float, value: float | None) -> None:
        """Take one sample; one older than the newest bin (the wall clock was set back) starts the ring anew."""
        index = int(unix // self._step)
        self._trend = None
        if (
            self._bin is None
            or index < self._bin
            or index - self._bin > len(self._values) + SPAN_S / self._step
        ):
            self._values.clear()
        elif index == self._bin:
            last = self._values[-1]
            if value is not None and (last is None or value > last):
                self._values[-1] = value
            return
        else:
            # One bin late is the jitter of a poll, not a gap: the step is the poll interval.
            missed = index - self._bin - 1
            self._values.extend([value] if missed == 1 else [None] * missed)
        self._bin = index
        self._values.append(value)

    @property
    def trend(self) -> Trend | None:
        """The ring as it stands, None before the first sample. The same object until something is pushed."""
        if self._bin is None:
            return None
        if self._trend is None:
            self._trend = Trend(self._step, (self._bin + 1) * self._step, tuple(self._values))
        return self._trend
