"""What one page of /metrics says in our vocabulary: plain values, no judgement and no history.

Absent means absent: a signal the page does not hold has no key. Values are aggregated over models and ranks
as the engine table says; per-rank values are kept apart where there is more than one rank.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Engine(StrEnum):
    VLLM = "vllm"
    SGLANG = "sglang"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Histogram:
    """Cumulative buckets of one family, summed over its label sets."""

    edges: tuple[float, ...]
    """Upper bounds, rising; the last is +Inf."""
    counts: tuple[float, ...]
    """Observations at or below each edge since the engine started; same length as `edges`."""
    total: float
    """Sum of the observed values."""

    @property
    def count(self) -> float:
        return self.counts[-1] if self.counts else 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One page, read. Keys are `Signal` members or the plain ids of an engine table."""

    engine: Engine
    generation: str = ""
    """`V0` or `V1` for vLLM where the page shows it."""
    models: tuple[str, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)
    histograms: Mapping[str, Histogram] = field(default_factory=dict)
    ranks: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Rank name to its values of KV_USAGE, RUNNING and WAITING; empty with a single rank."""
    info: Mapping[str, str] = field(default_factory=dict)
    """Labels of the engine's info families: block_size, num_gpu_blocks, cache_dtype, …"""
    spellings: Mapping[str, str] = field(default_factory=dict)
    """Signal to the exposed name that it was read from."""
    doubts: tuple[str, ...] = ()
    """Why a value of this page is not to be trusted, in words; the value itself is left out."""
    bad_lines: int = 0
    """Lines that are not exposition text and were skipped."""
