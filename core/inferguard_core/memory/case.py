"""A whole incident as it is kept: what was seen, concluded, advised, done and said, and whether it helped.

A value without behaviour. What nobody said and no engine showed is not in it: a fix that was proposed is not a
fix that was applied.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from inferguard_core.followup import Grade
from inferguard_core.memory.shape import Shape
from inferguard_core.poll import ProofLevel
from inferguard_core.reading import Engine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.followup import Execution
    from inferguard_core.frame import Anomaly, Incident, Measure, Trend
    from inferguard_core.verdict import Advisory, Diagnosis, Fix, Impact


class Known(StrEnum):
    """How it is known that something was carried out."""

    SAID = "said"
    """A person said so."""
    SHOWN = "shown"
    """The engine's running configuration shows it."""
    ANSWERED = "answered"
    """The receiver of the webhook accepted it."""


@dataclass(frozen=True, slots=True)
class Applied:
    """One thing that was really done about an incident."""

    what: str
    """`--max-num-seqs 128`, an action type, or a person's words."""
    known: Known
    by: str
    """Who said it, or the endpoint or receiver that showed it."""
    unix: float


@dataclass(frozen=True, slots=True)
class Case:
    """One incident, whole. The newest version of it replaces the older ones."""

    incident: Incident
    """With its timeline and notes."""
    seen_unix: float
    """When this was last known to be so; an open incident that ends unseen is known up to here."""
    proof: ProofLevel = ProofLevel.LIVE
    engine: Engine = Engine.UNKNOWN
    engine_version: str | None = None
    models: tuple[str, ...] = ()
    interval_s: float = 0.0
    anomalies: tuple[Anomaly, ...] = ()
    """Each kind as it stood at its worst, with its evidence."""
    diagnosis: Diagnosis | None = None
    advisories: tuple[Advisory, ...] = ()
    fix: Fix | None = None
    """Proposed. What was applied is in `applied`."""
    impact: Impact | None = None
    executions: tuple[Execution, ...] = ()
    shape: Shape = field(default_factory=Shape)
    course: Mapping[str, Trend] = field(default_factory=dict)
    """Measures over the incident, as panels draw them."""
    measures: Mapping[str, Measure] = field(default_factory=dict)
    """All numbers as of `seen_unix`."""
    applied: tuple[Applied, ...] = ()
    grade: Grade = Grade.UNKNOWN
    """Whether what was done has helped."""
    graded_by: str = ""
    """Who judged: a person, or `verification`."""
    outcome: str = ""
    """What became of it, in a person's words."""
    recording: str = ""
    """Path of the recording of it; empty where there is none."""

    @property
    def id(self) -> str:
        return self.incident.id

    @property
    def cause(self) -> str:
        """The diagnosed cause, `unclear` without one."""
        return self.diagnosis.cause if self.diagnosis is not None else "unclear"

    @property
    def lasted_s(self) -> float | None:
        """Seconds from the onset to the end; None while it is open."""
        ended = self.incident.ended_unix
        return None if ended is None else max(0.0, ended - self.incident.onset_unix)
