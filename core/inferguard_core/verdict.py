"""What is concluded and advised: records that a Frame, an event and a handed-over incident carry.

They hold what was measured and what was derived from it, never a text without its numbers. An advisory is advice:
nothing in here acts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Evidence:
    """One number that a finding rests on."""

    signal: str
    value: float | None
    unit: str
    threshold: float | None = None
    baseline: float | None = None
    window_s: float | None = None
    n: int | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """One statement about an endpoint that causes are weighed by."""

    id: str
    holds: bool | None
    """None: the engine does not let us know."""
    text: str
    """The statement with its number, as it stands: `KV ≥ 0.9 held for 30 s (0.97)`."""
    evidence: tuple[Evidence, ...] = ()
    onset_unix: float | None = None
    """When it began to hold, where that is known; breaks ties between causes."""


@dataclass(frozen=True, slots=True)
class CauseScore:
    """How well one cause explains what is seen."""

    cause: str
    confidence: float
    """Weights of its conditions that hold ÷ weights of those that are known, 0 to 1."""
    speaks_for: tuple[Condition, ...] = ()
    speaks_against: tuple[Condition, ...] = ()
    unknown: tuple[str, ...] = ()
    """Ids of its conditions that cannot be known here."""


@dataclass(frozen=True, slots=True)
class WrongLever:
    """What people usually try here that would not help, with the number that says so."""

    lever: str
    because: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why, ranked. `source` says who concluded it: `rules` or `llm`."""

    incident_id: str
    cause: str
    """`unclear` when no cause reaches one half."""
    failure_mode: str
    confidence: float
    ranked: tuple[CauseScore, ...]
    """At most three, best first, each with at least three tenths of what is known for it."""
    source: str
    risk_level: str
    """low, medium, high or unknown."""
    actuation_recommendation: str
    """safe_to_actuate, manual_review or do_not_actuate."""
    evidence: tuple[Evidence, ...] = ()
    changed_before: tuple[str, ...] = ()
    """What moved most just before the onset, in words, top mover first."""
    wrong_lever: WrongLever | None = None
    measure_next: tuple[str, ...] = ()
    """What would tell, when it is unclear or when conditions are unknown."""
    also_ran: tuple[CauseScore, ...] | None = None
    """At most two that score above 0 and below what a ranked one needs, best first; None where that was not kept."""


class ActionType(StrEnum):
    RECOMMEND_COMPACTION = "recommend_compaction"
    THROTTLE_CONCURRENCY = "throttle_concurrency"
    FLUSH_SESSION_RADIX = "flush_session_radix"
    DRAIN_AND_RECYCLE = "drain_and_recycle"
    QUARANTINE_SHAPE = "quarantine_shape"
    SHRINK_SPECULATION_WINDOW = "shrink_speculation_window"


@dataclass(frozen=True, slots=True)
class Advisory:
    """What is safe to do next. It never changes; what was done about it is a record of its own."""

    id: str
    created_unix: float
    action_type: ActionType
    incident_id: str
    endpoint: str
    reason: str
    confidence: float
    calibrated: bool
    """False: the rule's own score, to be shown with the word `uncalibrated`."""
    horizon_seconds: float | None
    """Within how long it matters; 0 is now, None is not known."""
    parameters: Mapping[str, float | str] = field(default_factory=dict)
    """Measured values only; what cannot be computed says so in a caveat."""
    evidence: tuple[Evidence, ...] = ()
    source: str = "rule"
    """rule, brain or llm."""
    preconditions: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    advisory_only: bool = True
    superseded_by: str | None = None
    """Id of the advisory of the same incident that took its place."""
    helped: int = 0
    """Times that this action has helped for this cause, of the `tried` that were applied and judged."""
    tried: int = 0


@dataclass(frozen=True, slots=True)
class FlagChange:
    """One flag of the engine at hand."""

    flag: str
    current: str | None
    """The running value where the engine exposes it; None is shown as `your current value`."""
    proposed: str
    since: str = ""
    """First version known to have the flag."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A change of configuration for this engine, version and model; a restart is a person's decision."""

    cause: str
    changes: tuple[FlagChange, ...]
    why: str
    effect: str
    cost: str
    check: str
    """How to see afterwards whether it helped."""
    command: str = ""
    """The flags as they would be typed, copyable."""
    instead: tuple[str, ...] = ()
    """What to do that is no flag: at the gateway, in the client, in the fleet."""
    notes: tuple[str, ...] = ()
    flags_of: str = ""
    """Engine version whose flag table was used."""


@dataclass(frozen=True, slots=True)
class Impact:
    """What an incident has cost so far. Counts come from counters; an estimate says so in its name."""

    since_unix: float
    until_unix: float
    seconds_over_objective: float | None = None
    requests_delayed: float | None = None
    """First tokens later than the objective."""
    requests_failed: float | None = None
    tokens_recomputed_estimate: float | None = None
    peak_waiting: float | None = None
    peak_kv_usage: float | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    """Field to the exposed names that it rests on."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """When the KV pool would be full if it went on like this."""

    usage: float
    slope: float
    """Per second."""
    seconds: float | None
    """None: not within the promise of the fit."""
    low_s: float | None
    high_s: float | None
    probability: float
    """Of exhaustion within the horizon, calibrated where `closed` allows."""
    word: str
    """likely, possible, unlikely, or uncalibrated."""
    basis: str
    """trend or decode_growth."""
    fit_s: float
    closed: int
    """Forecasts of this endpoint whose outcome is known."""
