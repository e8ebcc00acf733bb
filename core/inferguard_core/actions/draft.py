"""What one action would be, before it has an id, a confidence and a place among the earlier ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inferguard_core.actions.load import Load
from inferguard_core.actions.track_record import ActionHistory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from inferguard_core.scene import Scene
    from inferguard_core.verdict import ActionType, Advisory, Diagnosis, Evidence


@dataclass(frozen=True, slots=True)
class Case:
    """All that an action may look at."""

    scene: Scene
    diagnosis: Diagnosis
    cause: str
    """The cause that the action is weighed for: the diagnosed one, or a ranked one with a trigger of its own."""
    load: Load = field(default_factory=Load)
    earlier: Sequence[Advisory] = ()
    history: ActionHistory = field(default_factory=ActionHistory)

    def observed(self, signal: str) -> Evidence | None:
        """The diagnosis' own evidence for `signal`, wherever in it that stands."""
        ranked = (c for score in self.diagnosis.ranked for c in score.speaks_for if score.cause == self.cause)
        rows = (*self.diagnosis.evidence, *(e for condition in ranked for e in condition.evidence))
        return next((e for e in rows if e.signal == signal and e.value is not None), None)


@dataclass(frozen=True, slots=True)
class Draft:
    action: ActionType
    reason: str
    parameters: Mapping[str, float | str] = field(default_factory=dict)
    decides: tuple[str, ...] = ()
    """Parameters that are the advice; the others tell where it comes from and renew nothing."""
    evidence: tuple[Evidence, ...] = ()
    preconditions: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    urgent: bool = True
    """Holds now, as long as the incident does harm; False: no time is known for it."""
    stepwise: bool = False
    """Part of a control law whose every step is new advice, however small."""
