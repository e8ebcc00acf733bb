"""What follows a conclusion: what was done and whether it helped, notes, what is recalled, the brain's view.

Records only, as in `verdict.py`; nothing in here acts, stores or asks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.verdict import ActionType, Diagnosis, Evidence


class Grade(StrEnum):
    """Whether something that was done has helped."""

    HELPED = "helped"
    NO_CHANGE = "no_change"
    WORSE = "worse"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """What became of an attempt to carry out an advisory."""

    DRY_RUN = "dry_run"
    """Nothing was sent; the payload is what would have been."""
    REFUSED = "refused"
    """A guard said no; `detail` says which and why."""
    SENDING = "sending"
    APPLIED = "applied"
    """The receiver accepted it."""
    REJECTED = "rejected"
    """The receiver declined."""
    UNKNOWN = "unknown"
    """No answer, or one that says neither; it may have been applied, and is not sent again."""
    NOT_SENT = "not_sent"
    """The receiver could not be reached: nothing was applied, and a person may try again."""


@dataclass(frozen=True, slots=True)
class Check:
    """What one guard says about one attempt."""

    guard: str
    """mode, allowlist, bounds, still_true, fresh, once, cooldown, per_hour, in_flight, kill_switch, read_only,
    target or audit."""
    ok: bool
    text: str
    """Its reason with the number, either way: `0 of 6 this hour`."""
    live_only: bool = False
    """A dry run may go on without it."""


@dataclass(frozen=True, slots=True)
class PastUse:
    """An earlier live attempt of the same action type on the same endpoint."""

    incident_id: str
    unix: float
    grade: Grade


@dataclass(frozen=True, slots=True)
class Execution:
    """One attempt to carry out an advisory, a dry run included."""

    id: str
    action_id: str
    action_type: ActionType
    incident_id: str
    endpoint: str
    mode: str
    """dry_run or live."""
    outcome: Outcome
    requested_unix: float
    requested_by: str
    payload: Mapping[str, object] = field(default_factory=dict)
    """The webhook body as it was, or would have been, sent."""
    detail: str = ""
    reference: str = ""
    """What the receiver calls it."""
    answered_unix: float | None = None
    verify_at_unix: float | None = None
    grade: Grade | None = None
    """None until it was verified."""
    verification: tuple[str, ...] = ()
    """Each criterion with its number before and after."""
    target: str = ""
    """The webhook without credentials or query; empty: none is set."""
    checks: tuple[Check, ...] = ()
    """Every guard in order, as of `requested_unix`; all must agree before anything is sent."""
    watches: tuple[str, ...] = ()
    """What will be compared, and over which spans, in words."""
    data_age_s: float | None = None
    """Of the page that the guards looked at."""
    past: tuple[PastUse, ...] = ()
    """Earlier uses, newest first."""


@dataclass(frozen=True, slots=True)
class Note:
    """What a person wrote about an incident."""

    unix: float
    author: str
    text: str


@dataclass(frozen=True, slots=True)
class Similar:
    """A past incident that resembles another, or a query."""

    incident_id: str
    endpoint: str
    cause: str
    headline: str
    opened_unix: float
    lasted_s: float | None
    score: float
    """0 to 1; comparable within one answer only."""
    why: tuple[str, ...]
    """What matched, in words with numbers."""
    done: str = ""
    """What was done about it."""
    grade: Grade = Grade.UNKNOWN
    recording: str = ""
    """Path of its recording slice; empty where there is none."""


@dataclass(frozen=True, slots=True)
class BrainAdvisory:
    """What an investigation expects and would do about it; advice only."""

    advisory_type: str
    """capacity_cliff_predicted, degradation_trend, preemptive_compaction, preemptive_recycle or
    prior_pattern_match."""
    text: str
    confidence: float
    formula: str
    """How the confidence was computed, in words."""
    horizon_seconds: float | None
    evidence: tuple[Evidence, ...] = ()
    source: str = "brain"
    """brain or llm."""
    advisory_only: bool = True


@dataclass(frozen=True, slots=True)
class BrainResult:
    """What the newest investigation of an endpoint concluded."""

    unix: float
    source: str
    """rules, direct or decomposed: the deepest step that answered."""
    advisories: tuple[BrainAdvisory, ...] = ()
    diagnosis: Diagnosis | None = None
    """Refined by the LLM, its numbers checked; None where only rules spoke."""
    narrative: tuple[str, ...] = ()
    """Paragraphs in the model's words; what could not be verified is struck out before it comes here."""
    unverified: tuple[str, ...] = ()
    """What the model said that no evidence supports."""
    trace: tuple[str, ...] = ()
    """Each step taken, with its cost."""
    sent: tuple[str, ...] = ()
    """What was sent to a model, line by line."""
    error: str = ""
    """Why it went no deeper."""


@dataclass(slots=True)
class Followup:
    """What other parts put beside an endpoint's polls; each writes its own field, the next frame carries it."""

    executions: tuple[Execution, ...] = ()
    brain: BrainResult | None = None
    similar: tuple[Similar, ...] = ()
