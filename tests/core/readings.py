"""Readings for tests, built from the few values that a test is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.history import History
from inferguard_core.reading import Engine, Histogram, Reading
from inferguard_core.window import Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.signals import Signal

EDGES = (0.1, 0.5, 1.0, 2.5, 5.0, float("inf"))


def reading(
    values: Mapping[Signal, float] | None = None,
    histograms: Mapping[Signal, Histogram] | None = None,
    engine: Engine = Engine.VLLM,
) -> Reading:
    values, histograms = values or {}, histograms or {}
    names = [*values, *histograms]
    return Reading(engine, values=values, histograms=histograms, spellings={n: f"test:{n}" for n in names})


def buckets(*counts: float, edges: tuple[float, ...] = EDGES) -> Histogram:
    """Cumulative buckets over `edges` from per-bucket counts."""
    running, cumulative = 0.0, []
    for count in counts:
        running += count
        cumulative.append(running)
    return Histogram(edges, tuple(cumulative), total=0.0)


def history(samples: Mapping[float, Reading]) -> History:
    """A history of readings by monotonic time."""
    kept = History()
    for t, r in samples.items():
        kept.append(t, 1_800_000_000.0 + t, r)
    return kept


def window(samples: Mapping[float, Reading]) -> Window:
    kept = history(samples)
    newest = kept.newest
    assert newest is not None
    return Window(kept, newest)
