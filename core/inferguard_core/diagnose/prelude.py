"""What the time before an onset was like, and what its first half minute was like: the measure of `changed`.

Taken once when an incident opens, because later the history no longer holds it and because the trouble itself
would move it. It says what moved, not why.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from inferguard_core.diagnose.quantities import QUANTITIES
from inferguard_core.diagnose.stretch import Stretch, stretch
from inferguard_core.robust import mad
from inferguard_core.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.reading import Engine
    from inferguard_core.window import Window

LEAD_S = 60.0
"""A cause precedes its first evidence by up to this: a pool takes a minute to fill, a quantile one to turn."""
MIN_LEAD_S = 10.0
BEFORE_S = 180.0
MIN_BEFORE_S = 15.0
"""Shorter, and nothing is known of the time before: the monitor came too late."""
AROUND_S = 30.0
"""After this much of the episode, what set it off has been seen."""
BINS = 8
PEAK_BIN_S = 15.0
CACHE = ("prefix_hit_rate", "prompt_cached_rate")
PEAKED = ("prompt_rate", "finish_rate")


class Level(NamedTuple):
    """One quantity before the onset."""

    value: float
    spread: float | None
    """1.4826 times the MAD of `BINS` parts; None with fewer than three known."""


@dataclass(frozen=True, slots=True)
class Prelude:
    """Levels by quantity; one that is missing is unknown."""

    onset_unix: float
    start: float
    """Monotonic; where the time before begins."""
    before: Mapping[str, Level] = field(default_factory=dict)
    seconds: float = 0.0
    """Length of the time before; 0 is none."""
    around: Mapping[str, float] = field(default_factory=dict)
    """From the lead up to `AROUND_S` into the episode."""
    settled: bool = False
    """`around` is complete and does not change again."""
    arrivals_peak: tuple[float, float] | None = None
    """The highest arrival rate of half a minute around the onset, and the unix time that began."""
    late: Mapping[str, float] = field(default_factory=dict)
    """Of the cache just before the onset: one that warmed up late is measured by what it had become."""
    running_before: float | None = None
    """Most that ran at once before the onset."""
    peaks: Mapping[str, float] = field(default_factory=dict)
    """Highest values ever seen: running, and rates over `PEAK_BIN_S`."""


def monotonic(window: Window, unix: float) -> float:
    return window.now - (window.newest.unix - unix)


def prelude(window: Window, engine: Engine, onset_unix: float) -> Prelude:
    """Look back from the first poll of an episode."""
    onset = monotonic(window, onset_unix)
    oldest = window.history.oldest or window.newest
    lead = _lead(onset - oldest.t)
    start = max(oldest.t, onset - lead - BEFORE_S)
    ran = stretch(window.history, oldest.t, onset - lead)
    taken = Prelude(
        onset_unix,
        start,
        running_before=max(ran.values(Signal.RUNNING), default=None) if ran is not None else None,
        peaks=_peaks(window, engine, oldest.t),
    )
    span = stretch(window.history, start, onset - lead)
    if span is not None and span.seconds >= MIN_BEFORE_S:
        bins = [b for b in _bins(span, span.seconds / BINS) if b is not None]
        before = {name: _level(name, span, bins, engine) for name in QUANTITIES}
        taken = replace(
            taken, before={n: v for n, v in before.items() if v is not None}, seconds=span.seconds
        )
    late = stretch(window.history, onset - lead - AROUND_S, onset - lead / 2)
    asked = {name: QUANTITIES[name].ask(late, engine) for name in CACHE} if late is not None else {}
    known = {name: value for name, value in asked.items() if value is not None}
    return surrounded(replace(taken, late=known), window, engine)


def surrounded(taken: Prelude, window: Window, engine: Engine) -> Prelude:
    """`taken` with what is known by now of the time around the onset."""
    if taken.settled:
        return taken
    onset = monotonic(window, taken.onset_unix)
    oldest = window.history.oldest or window.newest
    begin, end = onset - _lead(onset - oldest.t), min(window.now, onset + AROUND_S)
    span = stretch(window.history, begin, end)
    if span is None:
        return taken
    asked = {name: q.ask(span, engine) for name, q in QUANTITIES.items()}
    return replace(
        taken,
        around={name: value for name, value in asked.items() if value is not None},
        arrivals_peak=_arrivals_peak(window, engine, begin, end),
        settled=window.now >= onset + AROUND_S,
    )


def peaked(taken: Prelude, window: Window, engine: Engine) -> Prelude:
    """`taken` with the newest seconds among its peaks."""
    recent = stretch(window.history, window.now - PEAK_BIN_S, window.now)
    if recent is None:
        return taken
    peaks = {**taken.peaks}
    for name in PEAKED:
        _raise(peaks, name, QUANTITIES[name].ask(recent, engine))
    _raise(peaks, "running", window.latest(Signal.RUNNING))
    return replace(taken, peaks=peaks) if peaks != taken.peaks else taken


def _lead(known_s: float) -> float:
    """A third of what is known before the onset, so that a short history still has a time before."""
    return min(LEAD_S, max(MIN_LEAD_S, known_s / 3))


def _level(name: str, span: Stretch, bins: list[Stretch], engine: Engine) -> Level | None:
    ask = QUANTITIES[name].ask
    value = ask(span, engine)
    if value is None:
        return None
    parts = [v for b in bins if (v := ask(b, engine)) is not None]
    return Level(value, mad(parts, median(parts)) if len(parts) >= 3 else None)


def _bins(span: Stretch, width: float) -> list[Stretch | None]:
    count = max(1, round(span.seconds / width))
    starts = [span.first.t + i * width for i in range(count)]
    return [stretch(span.history, t, t + width) for t in starts]


def _peaks(window: Window, engine: Engine, oldest: float) -> dict[str, float]:
    peaks: dict[str, float] = {}
    whole = stretch(window.history, oldest, window.now)
    if whole is None:
        return peaks
    _raise(peaks, "running", max(whole.values(Signal.RUNNING), default=None))
    for part in _bins(whole, PEAK_BIN_S):
        if part is not None:
            for name in PEAKED:
                _raise(peaks, name, QUANTITIES[name].ask(part, engine))
    return peaks


def _raise(peaks: dict[str, float], name: str, value: float | None) -> None:
    if value is not None and value > peaks.get(name, 0.0):
        peaks[name] = value


def _arrivals_peak(window: Window, engine: Engine, begin: float, end: float) -> tuple[float, float] | None:
    """Half minutes a quarter apart: a crowd of half a minute is not thinned by the quiet beside it."""
    quantity = QUANTITIES["arrival_rate"]
    found: list[tuple[float, float]] = []
    last = end
    while last - quantity.window_s >= begin - quantity.window_s / 2:
        span = stretch(window.history, last - quantity.window_s, last)
        value = None if span is None else quantity.ask(span, engine)
        if span is not None and value is not None:
            found.append((value, span.first.unix))
        last -= quantity.window_s / 2
    return max(found, default=None)
