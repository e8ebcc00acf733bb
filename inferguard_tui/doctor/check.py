"""What a look at one thing gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class State(StrEnum):
    OK = "ok"
    OFF = "off"
    """Not set up, which is no fault."""
    WARNING = "warning"
    """Works, but not as it should."""
    UNKNOWN = "unknown"
    """An endpoint that does not answer, or settings that cannot be read."""
    BROKEN = "broken"
    """Set up, and does not work."""


EXIT = {State.OK: 0, State.OFF: 0, State.WARNING: 1, State.BROKEN: 2, State.UNKNOWN: 3}
"""The monitoring-plugin convention."""
_WORST_FIRST = (State.BROKEN, State.UNKNOWN, State.WARNING, State.OK)


@dataclass(frozen=True, slots=True)
class Check:
    part: str
    """The section it belongs to: versions, settings, terminal, state, endpoint, cloud."""
    name: str
    state: State
    said: str
    """One line: what was found and, where it is not in order, what to do."""
    more: tuple[str, ...] = ()
    """Lines below it."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """For programs; never a secret."""

    def to_json(self) -> dict[str, Any]:
        return {
            "part": self.part,
            "name": self.name,
            "state": self.state.value,
            "said": self.said,
            "more": list(self.more),
            "facts": dict(self.facts),
        }


def worst(checks: Iterable[Check]) -> State:
    states = {check.state for check in checks}
    return next((state for state in _WORST_FIRST if state in states), State.OK)
