"""How often an action has helped: the memory that a confidence, and a number, may lean on.

Whoever keeps executed advice fills it. An empty one is a normal state, not an error.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from inferguard_core.followup import Grade

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

GRADED_MIN = 10
"""Outcomes behind a calibrated confidence: from here on its standard deviation is below 0.15 (Beta, at one half)."""
HELPED_MIN = 2
"""Times that a number must have helped on an endpoint before it is proposed there: once may be chance."""


class Deed(NamedTuple):
    """One thing that was really done about an incident, and how that was judged."""

    what: str
    """An action type or a flag."""
    cause: str
    endpoint: str
    grade: Grade
    parameters: Mapping[str, float]


class Graded(NamedTuple):
    """Outcomes of one action for one cause that somebody, or a verification, has judged."""

    helped: int
    total: int

    @property
    def smoothed(self) -> float:
        """Share that helped under a Beta(1, 1) prior: never 0 or 1."""
        return (self.helped + 1) / (self.total + 2)

    @property
    def words(self) -> str:
        return f"{self.helped} of {self.total} helped"


@dataclass(frozen=True, slots=True)
class ActionHistory:
    graded: Mapping[tuple[str, str], Graded] = field(default_factory=dict)
    """By action or flag, and cause."""
    levels: Mapping[tuple[str, str, str, str], tuple[float, ...]] = field(default_factory=dict)
    """By action, cause, endpoint and parameter: the values that helped."""

    @classmethod
    def of(cls, deeds: Iterable[Deed]) -> ActionHistory:
        """The record of all deeds; what nobody judged counts for nothing."""
        totals: dict[tuple[str, str], list[Grade]] = defaultdict(list)
        levels: dict[tuple[str, str, str, str], list[float]] = defaultdict(list)
        for deed in deeds:
            if deed.grade is Grade.UNKNOWN:
                continue
            totals[deed.what, deed.cause].append(deed.grade)
            if deed.grade is Grade.HELPED:
                for name, value in deed.parameters.items():
                    levels[deed.what, deed.cause, deed.endpoint, name].append(value)
        return cls(
            {key: Graded(grades.count(Grade.HELPED), len(grades)) for key, grades in totals.items()},
            {key: tuple(values) for key, values in levels.items()},
        )

    def confidence(self, action: str, cause: str, score: float) -> tuple[float, bool]:
        """(confidence, calibrated): the track record where it is long enough, else the rule's own `score`."""
        graded = self.graded.get((action, cause))
        if graded is not None and graded.total >= GRADED_MIN:
            return graded.smoothed, True
        return min(1.0, max(0.0, score)), False

    def level(self, action: str, cause: str, endpoint: str, parameter: str) -> tuple[float, int] | None:
        """The middle of the values that helped here and how many they are; None while they are too few."""
        helped = self.levels.get((action, cause, endpoint, parameter), ())
        return (median(helped), len(helped)) if len(helped) >= HELPED_MIN else None
