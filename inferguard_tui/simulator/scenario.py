"""A scenario, declared: an engine, its clients, what goes wrong, and what a monitor should have said about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inferguard_tui.simulator.size import EngineSize

if TYPE_CHECKING:
    from inferguard_tui.simulator.faults import Fault
    from inferguard_tui.simulator.traffic import Traffic


@dataclass(frozen=True, slots=True)
class Episode:
    """One stretch of trouble, for scoring. The cause is declared; the end is measured.

    An episode ends at the last instant of trouble after `cause_ends`: a preemption, a request held up
    in the queue, a server that is frozen or down.
    """

    onset: float
    """Seconds of scenario time at which the cause sets in."""
    cause_ends: float
    kinds: tuple[tuple[str, ...], ...]
    """Anomaly kinds a monitor must raise: of each group at least one."""
    cause: tuple[str, ...]
    """Accepted causes."""
    actions: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    """Kinds that are true as well and so no false alarm."""
    when_measured: bool = False
    """The onset is the first trouble at or after `onset`: the cause builds up slowly."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Scenario time 0 is the first instant shown; `history_s` seconds were lived through before it."""

    name: str
    summary: str
    traffic: tuple[Traffic, ...]
    size: EngineSize = field(default_factory=EngineSize)
    faults: tuple[Fault, ...] = ()
    episodes: tuple[Episode, ...] = ()
    history_s: float = 20.0
