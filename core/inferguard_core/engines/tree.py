"""Folding of many series into one number, as a tree that is built once and evaluated on every page.

Leaves are positions in the page's list of values. A leaf that is NaN is left out; what has no leaf left is
NaN itself.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from inferguard_core.engines import labels as roles
from inferguard_core.engines.labels import Labels
from inferguard_core.engines.row import Family, Fold

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

Tree = int | tuple[Fold, tuple["Tree", ...]]
Leaf = tuple[int, Labels]

_LEVELS: Final[tuple[Callable[[Labels], Hashable], ...]] = (
    roles.rank_of,
    roles.model_of,
    roles.part_of,
    roles.twin_of,
    lambda labels: labels.get(roles.PID, ""),
)


def grow(family: Family, leaves: Sequence[Leaf]) -> Tree:
    """The tree of one family's series, over ranks, models, parts, twins and processes in that order."""
    folds = (family.fold, family.fold, family.fold_dims, family.twins, family.pids)
    return _grow(leaves, tuple(zip(_LEVELS, folds, strict=True)))


def together(trees: Sequence[Tree]) -> Tree:
    """The sum of several trees."""
    return trees[0] if len(trees) == 1 else _node(Fold.SUM, trees)


def leaves_of(tree: Tree) -> tuple[int, ...]:
    if isinstance(tree, int):
        return (tree,)
    return tuple(leaf for branch in tree[1] for leaf in leaves_of(branch))


def value_of(tree: Tree, values: Sequence[float]) -> float:
    """The number the tree folds `values` into; NaN where nothing is left."""
    if isinstance(tree, int):
        return values[tree]
    fold, branches = tree
    numbers = [values[b] if isinstance(b, int) else value_of(b, values) for b in branches]
    known = [n for n in numbers if n == n]  # noqa: PLR0124 - NaN is the only number that differs from itself
    if not known:
        return math.nan
    if fold is Fold.SUM:
        return sum(known)
    if fold is Fold.MAX:
        return max(known)
    if fold is Fold.MIN:
        return min(known)
    return sum(known) / len(known)


def _grow(leaves: Sequence[Leaf], levels: Sequence[tuple[Callable[[Labels], Hashable], Fold]]) -> Tree:
    if len(leaves) == 1:
        return leaves[0][0]
    if not levels:
        # Series alike in every label we know; the page says the same thing twice.
        return leaves[-1][0]
    key, fold = levels[0]
    groups: dict[Hashable, list[Leaf]] = {}
    for leaf in leaves:
        groups.setdefault(key(leaf[1]), []).append(leaf)
    branches = [_grow(group, levels[1:]) for group in groups.values()]
    return branches[0] if len(branches) == 1 else _node(fold, branches)


def _node(fold: Fold, branches: Sequence[Tree]) -> Tree:
    """A node; branches of the same fold are taken up, except means, whose weights would change."""
    flat: list[Tree] = []
    for branch in branches:
        if not isinstance(branch, int) and branch[0] is fold and fold is not Fold.MEAN:
            flat.extend(branch[1])
        else:
            flat.append(branch)
    return (fold, tuple(flat))
