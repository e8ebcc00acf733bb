"""Windows and situations for tests of single rules, from the few values that a test is about."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from inferguard_core.baseline import Baseline
from inferguard_core.detect.finding import Situation
from inferguard_core.detect.limits import Limits
from inferguard_core.reading import Engine
from inferguard_core.signals import SIGNALS, Signal, SignalKind
from tests.core.readings import reading, window

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_core.reading import Histogram
    from inferguard_core.window import Window

LIMITS = Limits()
Level = "float | Callable[[float], float]"


def situation(*signals: Signal, **changes: object) -> Situation:
    base = Situation(Engine.VLLM, interval_s=1.0, spellings={s: f"vllm:{s}" for s in signals})
    return replace(base, **changes)  # type: ignore[arg-type]


def gauges(seconds: int, every: int = 1, **levels: float | Callable[[int], float]) -> Window:
    """One reading each `every` seconds; a level may be a function of the second."""
    return window(
        {
            t: reading({Signal(k): v(t) if callable(v) else v for k, v in levels.items()})
            for t in range(0, seconds, every)
        }
    )


def observed(
    seconds: int,
    histograms: dict[Signal, Callable[[int], Histogram]],
    **levels: float | Callable[[int], float],
) -> Window:
    """As `gauges`, with histograms that are functions of the second."""
    return window(
        {
            t: reading(
                {Signal(k): v(t) if callable(v) else v for k, v in levels.items()},
                {signal: at(t) for signal, at in histograms.items()},
            )
            for t in range(seconds)
        }
    )


def learnt(value: float, spread: float = 0.0) -> Baseline:
    """A trusted baseline around one value."""
    known = Baseline(60, 300)
    for t in range(60):
        known.learn(t, value + spread * (t % 3 - 1))
    return known


def everything() -> Situation:
    """A situation in which every signal is exported."""
    return situation(*Signal)


def is_histogram(signal: Signal) -> bool:
    return SIGNALS[signal].kind is SignalKind.HISTOGRAM
