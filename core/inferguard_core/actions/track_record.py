"""How often an action has helped: the memory that a confidence may lean on.

Whoever keeps executed advice fills it. An empty one is a normal state, not an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.verdict import ActionType

GRADED_MIN = 10
"""Outcomes behind a calibrated confidence: from here on its standard deviation is below 0.15 (Beta, at one half)."""


class Graded(NamedTuple):
    """Outcomes of one action for one cause that somebody, or a verification, has judged."""

    helped: int
    total: int

    @property
    def smoothed(self) -> float:
        """Share that helped under a Beta(1, 1) prior: never 0 or 1."""
        return (self.helped + 1) / (self.total + 2)


@dataclass(frozen=True, slots=True)
class ActionHistory:
    graded: Mapping[tuple[ActionType, str], Graded] = field(default_factory=dict)
    """By action and cause."""

    def confidence(self, action: ActionType, cause: str, score: float) -> tuple[float, bool]:
        """(confidence, calibrated): the track record where it is long enough, else the rule's own `score`."""
        graded = self.graded.get((action, cause))
        if graded is not None and graded.total >= GRADED_MIN:
            return graded.smoothed, True
        return min(1.0, max(0.0, score)), False
