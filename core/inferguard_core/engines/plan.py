"""What to do with the numbers of a page whose series are already understood: the part that runs on every poll.

A page of an engine has the same series poll after poll, so what they mean is worked out once (`compiling`)
and kept as a plan of positions; reading a page is then picking numbers and folding them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from inferguard_core.engines.tree import Tree, leaves_of, value_of
from inferguard_core.reading import Engine, Histogram, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from inferguard_core.engines.row import Family

RATIO_LIMIT: Final = 1.05
"""A ratio above it is not a ratio: the engine means something else by it. Engines overshoot 1 by rounding."""

DOUBT_LIMIT: Final = 8


@dataclass(frozen=True, slots=True)
class HistogramPlan:
    """Where the buckets of one histogram stand, one row of positions for each label set."""

    edges: tuple[float, ...]
    buckets: tuple[tuple[int, ...], ...]
    sums: tuple[int, ...]

    @property
    def leaves(self) -> tuple[int, ...]:
        return (*(i for row in self.buckets for i in row), *self.sums)

    def read(self, values: Sequence[float]) -> Histogram:
        """The buckets added up over the label sets."""
        rows = [itemgetter(*row)(values) if len(row) > 1 else (values[row[0]],) for row in self.buckets]
        counts = rows[0] if len(rows) == 1 else tuple(map(sum, zip(*rows, strict=True)))
        return Histogram(self.edges, counts, sum(values[i] for i in self.sums))


@dataclass(frozen=True, slots=True)
class RankPlan:
    name: str
    trees: Mapping[str, Tree]


@dataclass(frozen=True, slots=True)
class Plan:
    """How one shape of page becomes a Reading. Positions index the page's samples."""

    engine: Engine
    generation: str = ""
    models: tuple[str, ...] = ()
    constants: Mapping[str, float] = field(default_factory=dict)
    """Values that stand in labels, and the zeros of counters that have not counted yet."""
    trees: Mapping[str, Tree] = field(default_factory=dict)
    ratios: tuple[str, ...] = ()
    """Keys of `trees` that must lie in 0..1."""
    switches: Mapping[str, str] = field(default_factory=dict)
    """Key to the key whose 0 says that the feature is off."""
    histograms: Mapping[str, HistogramPlan] = field(default_factory=dict)
    ranks: tuple[RankPlan, ...] = ()
    infos: tuple[tuple[tuple[int, Mapping[str, str]], ...], ...] = ()
    """For each info family its series; the one with the greatest value speaks."""
    families: Mapping[int, Family] = field(default_factory=dict)
    spellings: Mapping[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    def read(self, values: list[float], bad_lines: int) -> Reading:
        """The reading of a page of this shape; `values` may be altered."""
        doubts = list(self.doubts)
        spoilt = self._spoilt(values, doubts)
        scalars = self._scalars(values, spoilt, doubts)
        for key, switch in self.switches.items():
            if not scalars.get(switch, 1.0):
                spoilt.add(key)
        for key in spoilt:
            scalars.pop(key, None)
        histograms = {k: h.read(values) for k, h in self.histograms.items() if k not in spoilt}
        for key in [k for k, h in histograms.items() if not _rises(h.counts)]:
            doubts.append(f"{self.spellings.get(key, key)}: a bucket holds less than the one below it")
            del histograms[key]
        kept = scalars.keys() | histograms.keys()
        return Reading(
            engine=self.engine,
            generation=self.generation,
            models=self.models,
            values=scalars,
            histograms=histograms,
            ranks={r.name: _rank(r, values, spoilt) for r in self.ranks},
            info={k: v for series in self.infos for k, v in _speaker(series, values).items()},
            spellings=self.spellings
            if self.spellings.keys() <= kept
            else {k: v for k, v in self.spellings.items() if k in kept},
            doubts=_few(doubts),
            bad_lines=bad_lines,
        )

    def _scalars(self, values: Sequence[float], spoilt: set[str], doubts: list[str]) -> dict[str, float]:
        scalars = dict(self.constants)
        for key, tree in self.trees.items():
            scalars[key] = values[tree] if isinstance(tree, int) else value_of(tree, values)
        spoilt.update(k for k, v in scalars.items() if not math.isfinite(v))
        for key in self.ratios:
            if scalars[key] > RATIO_LIMIT and key not in spoilt:
                doubts.append(f"{self.spellings.get(key, key)} is {scalars[key]:g}; a ratio is at most 1")
                spoilt.add(key)
        return scalars

    def _spoilt(self, values: list[float], doubts: list[str]) -> set[str]:
        """The keys that rest on an impossible number. A documented "unknown" only turns into NaN."""
        odd = [i for i, v in enumerate(values) if not 0.0 <= v < math.inf]
        bad: set[int] = set()
        for i in odd:
            family = self.families.get(i)
            if family is None or (family.signed and math.isfinite(values[i])):
                continue
            if family.unknowns:
                values[i] = math.nan
            else:
                doubts.append(f"{family.name} is {values[i]:g}; left out")
                bad.add(i)
        if not bad:
            return set()
        keys = {k for k, tree in self.trees.items() if bad.intersection(leaves_of(tree))}
        return keys | {k for k, h in self.histograms.items() if bad.intersection(h.leaves)}


def _few(doubts: Sequence[str]) -> tuple[str, ...]:
    """Each once, and no more than a person reads."""
    distinct = tuple(dict.fromkeys(doubts))
    if len(distinct) <= DOUBT_LIMIT:
        return distinct
    return (*distinct[:DOUBT_LIMIT], f"and {len(distinct) - DOUBT_LIMIT} more of this kind")


def _rises(counts: Sequence[float]) -> bool:
    return list(counts) == sorted(counts)


def _rank(plan: RankPlan, values: Sequence[float], spoilt: set[str]) -> Mapping[str, float]:
    read = {k: value_of(tree, values) for k, tree in plan.trees.items() if k not in spoilt}
    return {k: v for k, v in read.items() if math.isfinite(v)}


def _speaker(series: Sequence[tuple[int, Mapping[str, str]]], values: Sequence[float]) -> Mapping[str, str]:
    newest: Callable[[tuple[int, Mapping[str, str]]], float] = lambda s: values[s[0]]  # noqa: E731
    return max(series, key=newest)[1]
