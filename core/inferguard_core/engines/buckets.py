"""Finds the buckets of a histogram among its series, and refuses one that cannot be added up."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from inferguard_core.engines import labels as roles
from inferguard_core.engines.plan import HistogramPlan

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from inferguard_core.engines.labels import Labels
    from inferguard_core.engines.tree import Leaf


def histogram_plan(parts: Mapping[str, Sequence[Leaf]]) -> HistogramPlan | str:
    """Where the buckets and sums stand, or why they cannot be used, to follow the family's name.

    Label sets are added up over ranks, models and parts. Twin ranks report the same observations, so one of
    them is taken. Buckets of different edges do not add up: that happens where the models of one endpoint
    have different context lengths.

    Args:
        parts: Series by suffix: `_bucket`, `_sum`, `_count`.
    """
    rows = _by_set(parts.get("_bucket", ()))
    sums = _by_set(parts.get("_sum", ()))
    counts = _by_set(parts.get("_count", ()))
    chosen = _one_of_twins(rows.keys() | sums.keys() | counts.keys())
    edges: tuple[float, ...] = ()
    buckets: list[tuple[int, ...]] = []
    for key in chosen:
        at = _edges(rows.get(key, []))
        if key in counts:
            at.setdefault(math.inf, counts[key][0][0])
        if key not in sums or math.inf not in at or len(at) < 2:
            return "is incomplete: it lacks buckets, sum or count"
        row = tuple(sorted(at))
        if edges and row != edges:
            return "has buckets of different edges, which do not add up"
        edges = row
        buckets.append(tuple(at[edge] for edge in row))
    return HistogramPlan(edges, tuple(buckets), tuple(sums[key][0][0] for key in chosen))


def _edges(leaves: Sequence[Leaf]) -> dict[float, int]:
    """Upper bound to position; a bound that is no number is not a bucket."""
    at: dict[float, int] = {}
    for i, labels in leaves:
        try:
            edge = float(labels[roles.BUCKET])
        except (KeyError, ValueError):
            continue
        if not math.isnan(edge):
            at[edge] = i
    return at


def _by_set(leaves: Sequence[Leaf]) -> dict[tuple[Hashable, Hashable], list[Leaf]]:
    """Series by (what they count, which twin counts it)."""
    sets: dict[tuple[Hashable, Hashable], list[Leaf]] = {}
    for leaf in leaves:
        sets.setdefault(_set_of(leaf[1]), []).append(leaf)
    return sets


def _set_of(labels: Labels) -> tuple[Hashable, Hashable]:
    counted = (roles.rank_of(labels), roles.model_of(labels), roles.part_of(labels, but=roles.BUCKET))
    return counted, (*roles.twin_of(labels), labels.get(roles.PID, ""))


def _one_of_twins(sets: set[tuple[Hashable, Hashable]]) -> list[tuple[Hashable, Hashable]]:
    first: dict[Hashable, tuple[Hashable, Hashable]] = {}
    for key in sorted(sets, key=repr):
        first.setdefault(key[0], key)
    return list(first.values())
