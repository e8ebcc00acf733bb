"""What a rule answers: the changes in the order to try them, and the words that go with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from inferguard_core.verdict import FlagChange

RESTART = "a restart: weights load anew and the prefix cache starts empty"


class Proposal(NamedTuple):
    why: str
    effect: str
    check: str
    changes: tuple[FlagChange, ...] = ()
    cost: str = ""
    """Of the changes, besides the restart."""
    instead: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
