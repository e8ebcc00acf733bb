"""How a cause is recognised and what follows from it: the shape of a row of the table, and its score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from inferguard_core.verdict import ActionType, CauseScore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.verdict import Condition

NAMED_FROM = 0.5
"""The score from which a cause is named; below, the answer is `unclear`."""


class Lever(NamedTuple):
    """What people reach for here that would not help; told only when `condition` holds, with its number."""

    lever: str
    condition: str
    because: str


UNNAMED = 0.9 * NAMED_FROM


@dataclass(frozen=True, slots=True)
class Signature:
    """One cause. Weights: 3 defines it, 2 is strong, 1 is supporting."""

    cause: str
    failure_mode: str
    """Of the seed's seven names."""
    speaks_for: Mapping[str, float]
    speaks_against: Mapping[str, float]
    required: tuple[str, ...]
    """Conditions without which it is not this cause."""
    first_advice: str
    actions: tuple[ActionType, ...] = ()
    """In order."""
    wrong_levers: tuple[Lever, ...] = ()
    measure_next: str = ""
    """What would confirm it."""
    consequence: bool = False
    """It follows from trouble that has a cause of its own, where that began before it."""
    grave: bool = False
    """The engine serves nobody, whatever the severity says."""


def score(signature: Signature, conditions: Mapping[str, Condition]) -> CauseScore:
    """Weights that hold, less those against, by the weights for it that are known.

    A required condition known to be false makes it 0. While one is unknown the cause cannot be named, for a
    defining fact that nobody saw is not a finding, and it is weighed by all of its weights. Elsewhere the
    unknown weighs nothing.
    """
    required = [c.holds if (c := conditions.get(n)) is not None else None for n in signature.required]
    if False in required:
        return CauseScore(signature.cause, 0.0)
    known = held = 0.0
    speaks_for: list[Condition] = []
    failing: list[Condition] = []
    for name, weight in signature.speaks_for.items():
        found = conditions.get(name)
        if found is None or found.holds is None:
            continue
        known += weight
        if found.holds:
            held += weight
        (speaks_for if found.holds else failing).append(found)
    against = [(c, w) for n, w in signature.speaks_against.items() if (c := conditions.get(n)) is not None]
    holding = [(c, w) for c, w in against if c.holds]
    confidence = max(0.0, held - sum(w for _, w in holding)) / known if known else 0.0
    if None in required:
        confidence = min(confidence * known / sum(signature.speaks_for.values()), UNNAMED)
    names = dict.fromkeys((*signature.required, *signature.speaks_for, *signature.speaks_against))
    unknown = tuple(n for n in names if (c := conditions.get(n)) is None or c.holds is None)
    return CauseScore(
        signature.cause, confidence, tuple(speaks_for), (*(c for c, _ in holding), *failing), unknown
    )


def onset(signature: Signature, conditions: Mapping[str, Condition]) -> float:
    """When the earliest of what defines it began; infinity where that is not known."""
    defining = (c for n in signature.required if (c := conditions.get(n)) is not None and c.holds)
    return min((c.onset_unix for c in defining if c.onset_unix is not None), default=float("inf"))
