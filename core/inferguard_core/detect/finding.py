"""What a rule says about one instant, and what it may know besides the window.

A rule has no memory and no clock. Holding, clearing and severity over time are the anomaly's life, not the rule's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inferguard_core.frame import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.baseline import Baseline
    from inferguard_core.poll import Failure
    from inferguard_core.reading import Engine
    from inferguard_core.signals import Signal
    from inferguard_core.verdict import Evidence, Forecast


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule at one instant."""

    kind: str
    hot: bool | None
    """The trigger holds; None is unknown, and then nothing changes."""
    cool: bool | None
    """The clear condition holds; stricter than not hot."""
    for_s: float
    """Observed seconds the trigger must hold before it fires."""
    keep_s: float
    """Observed seconds the clear condition must hold before it ends."""
    severity: Severity = Severity.WARNING
    summary: str = ""
    evidence: tuple[Evidence, ...] = ()
    since_s: float = 0.0
    """How long the evidence had lasted when the rule saw it, where the window tells: moves the onset back."""
    held_s: float = 0.0
    """Of those, the seconds for which the trigger itself demonstrably held: they count towards `for_s`."""
    missing: tuple[Signal, ...] = ()
    """Inputs that this engine does not export: the rule is blind."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of an endpoint besides its window."""

    engine: Engine
    interval_s: float
    models: tuple[str, ...] = ()
    failed_polls: int = 0
    good_polls: int = 0
    """In a row, up to now."""
    failure: Failure | None = None
    restarted: bool = False
    """This reading is the first of a new process."""
    running_before: float | None = None
    """Requests that ran when the old process was last seen."""
    restarts_recent: int = 0
    """Restarts within `Limits.restart_twice_within`, this one included."""
    active: frozenset[str] = frozenset()
    """Kinds firing now."""
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    """By `baselines.Normal` or, for decoding at one batch size, by the name of its class."""
    spellings: Mapping[str, str] = field(default_factory=dict)
    """Signal to exposed name, for evidence. A signal that one page lacks keeps its name for a minute, so that
    a spoilt value is unknown and not a rule without input."""
    ranks: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Of the newest page: rank name to its gauges; empty with a single rank."""
    forecast: Forecast | None = None
    """Of KV exhaustion, made from this poll."""

    def normal(self, name: str) -> float | None:
        """The healthy level of one number, None until its baseline is trusted."""
        baseline = self.baselines.get(name)
        return None if baseline is None else baseline.centre

    def source(self, *signals: Signal) -> str:
        return ", ".join(dict.fromkeys(self.spellings[s] for s in signals if s in self.spellings))


def blind(kind: str, *missing: Signal) -> Finding:
    """The rule cannot see: its inputs are not exported."""
    return Finding(kind, hot=None, cool=None, for_s=0.0, keep_s=0.0, missing=missing)


def unknown(kind: str) -> Finding:
    """The inputs exist, but there is too little data to say anything."""
    return Finding(kind, hot=None, cool=None, for_s=0.0, keep_s=0.0)
