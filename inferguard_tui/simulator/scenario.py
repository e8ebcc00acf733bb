"""A scenario, declared: an engine, its clients, what goes wrong, and what a monitor should have said about it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from inferguard_tui.simulator.dialect import Dialect
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
    """Anomaly kinds a monitor must raise, of each group at least one, where the run shows their harm."""
    cause: tuple[str, ...] = ()
    """Accepted causes, the one it was made for first; none where no cause of the table fits."""
    actions: tuple[str, ...] = ()
    """Accepted first actions; `none` is advising none. Empty: not judged."""
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
    engines: tuple[Dialect, ...] = (Dialect.VLLM_V1, Dialect.SGLANG)
    """Where it shows what it is about."""
    seconds: float = 300.0
    """How long an evaluation looks at it."""
    fixed_load: bool = False
    """Its point is one level of load: an evaluation does not scale it."""

    def scaled(self, load: float) -> Scenario:
        """The same with `load` times as many clients, unless the load is fixed."""
        if self.fixed_load:
            return self
        return replace(self, traffic=tuple(traffic.scaled(load) for traffic in self.traffic))
