"""Counters and buckets made monotone: continued over restarts, and over the numbers of a sick page.

A counter of one process only rises, and no faster than an engine can count. What breaks that is left out of the
reading in which it does; a spike that is withdrawn by the next page never was.
"""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from inferguard_core.reading import Histogram
from inferguard_core.signals import SIGNALS, Signal, SignalKind

if TYPE_CHECKING:
    from collections.abc import Mapping

START_MOVED_S = 1.5
"""A process start differing by less is the same process: the exposed value is rounded."""
BELIEVED_AFTER = 3
"""Polls for which a counter of the same process must stay low, or far up, before that is its new level."""
FASTEST = 1e8
"""Events or tokens a second that no engine counts."""
LARGEST = 2.0**53
"""Past it a float no longer counts by one: not a number of anything here."""

COUNTERS = tuple(s for s in Signal if SIGNALS[s].kind is SignalKind.COUNTER)


def another_process(
    before: Mapping[str, float] | Mapping[Signal, float], after: Mapping[str, float]
) -> tuple[bool, tuple[str, ...]]:
    """Whether exposed values are of another process than those `before`, and which counters fell.

    A start time is proof either way. Without one (multiprocess pages export none) a restart is at least
    two counters, and half of those that had counted, falling at once: a single one is a sick series.
    """
    fell = tuple(s for s in COUNTERS if after.get(s, nan) < before.get(s, nan))
    start, known = after.get(Signal.PROCESS_START), before.get(Signal.PROCESS_START)
    if start is not None and known is not None:
        return start > known + START_MOVED_S, fell
    counted = sum(1 for s in COUNTERS if before.get(s, 0.0) > 0.0 and s in after)
    return len(fell) >= 2 and len(fell) * 2 >= counted, fell


class Continued:
    """The exposed values of one endpoint's counters and histograms, and what to add to them."""

    def __init__(self) -> None:
        self._raw: dict[Signal, float] = {}
        self._before: dict[Signal, float] = {}
        """The exposed value one reading earlier."""
        self._offset: dict[Signal, float] = {}
        self._odd: dict[Signal, int] = {}
        """Readings in a row that could not be believed: above zero those too far up, below it those too low."""
        self._raw_histogram: dict[Signal, Histogram] = {}
        self._histogram_offset: dict[Signal, Histogram] = {}
        self.leapt: list[Signal] = []
        """Of the newest reading: what is larger, or rose faster, than anything can, and was left out."""
        self.withdrawn: list[Signal] = []
        """Of the newest reading: counters whose rise in the reading before it takes back."""

    def restart(self, values: Mapping[str, float]) -> tuple[bool, tuple[str, ...]]:
        """As `another_process`, of the reading before and this one."""
        found = another_process(self._raw, values)
        if (start := values.get(Signal.PROCESS_START)) is not None:
            self._raw[Signal.PROCESS_START] = start
        return found

    def carry_over(self) -> None:
        """Begin with the counters of a new process where those of the old one ended."""
        for signal in COUNTERS:
            if signal in self._raw:
                self._offset[signal] = self._offset.get(signal, 0.0) + self._raw.pop(signal)
        for signal, last in self._raw_histogram.items():
            self._histogram_offset[signal] = plus(last, self._histogram_offset.get(signal))
        self._raw_histogram.clear()
        self._before.clear()

    def gauge(self, signal: Signal, value: float) -> float:
        """`value`, NaN where it is no number of anything."""
        if value > LARGEST:
            self.leapt.append(signal)
            return nan
        return value

    def turn(self) -> None:
        """Begin a reading."""
        self.leapt.clear()
        self.withdrawn.clear()

    def counter(self, signal: Signal, value: float, elapsed_s: float) -> float:
        """`value` continued across resets; NaN while it is not to be believed."""
        last = before = self._raw.get(signal, value)
        if value > LARGEST:
            self.leapt.append(signal)
            self._believed(signal, +1)
            return nan
        if value - last > FASTEST * elapsed_s:
            self.leapt.append(signal)
            if not self._believed(signal, +1):
                return nan
            self._offset[signal] = self._offset.get(signal, 0.0) + last - value
            before = value  # The level is another; nothing rose that could be taken back.
        elif value < last:
            if signal not in self._odd and self._before.get(signal, last) <= value:
                self.withdrawn.append(signal)
            elif not self._believed(signal, -1):
                return nan
            else:
                self._offset[signal] = self._offset.get(signal, 0.0) + last
        self._odd.pop(signal, None)
        self._before[signal] = before
        self._raw[signal] = value
        return value + self._offset.get(signal, 0.0)

    def histogram(
        self, signal: Signal, histogram: Histogram, elapsed_s: float, newest: Histogram | None
    ) -> Histogram | None:
        """`histogram` continued; `newest` again where nothing was observed since, None where it cannot be."""
        last = self._raw_histogram.get(signal)
        if histogram.count > LARGEST or abs(histogram.total) > LARGEST:
            self.leapt.append(signal)
            return None
        if last is not None and last.edges == histogram.edges:
            if histogram.count - last.count > FASTEST * elapsed_s:
                self.leapt.append(signal)
                if not self._believed(signal, +1):
                    return None
                self._histogram_offset[signal] = _over(last, self._histogram_offset.get(signal), histogram)
            elif histogram.count < last.count:
                self._histogram_offset[signal] = plus(last, self._histogram_offset.get(signal))
        self._odd.pop(signal, None)
        unchanged = last is not None and last == histogram
        self._raw_histogram[signal] = histogram
        if unchanged and newest is not None:
            return newest
        return plus(histogram, self._histogram_offset.get(signal))

    def _believed(self, signal: Signal, way: int) -> bool:
        """Whether it has now been out of place for long enough, always the same way."""
        before = self._odd.get(signal, 0)
        self._odd[signal] = way + (before if before * way > 0 else 0)
        return abs(self._odd[signal]) >= BELIEVED_AFTER


def _over(last: Histogram, offset: Histogram | None, histogram: Histogram) -> Histogram:
    """What to add to `histogram` so that it goes on where `last` ended."""
    ended = plus(last, offset)
    counts = tuple(a - b for a, b in zip(ended.counts, histogram.counts, strict=True))
    return Histogram(histogram.edges, counts, ended.total - histogram.total)


def plus(histogram: Histogram, offset: Histogram | None) -> Histogram:
    """Sum of two; an offset with other edges belongs to another configuration and is dropped."""
    if offset is None or offset.edges != histogram.edges:
        return histogram
    counts = tuple(a + b for a, b in zip(histogram.counts, offset.counts, strict=True))
    return Histogram(histogram.edges, counts, histogram.total + offset.total)
