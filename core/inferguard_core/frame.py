"""The Frame: everything that is known at one instant, immutable. Views render it and ask nothing else.

Everything timed or counted is in here (ages, windows, sample counts), so that showing a frame twice shows the
same thing. It says what is; how a person looks at it (selection, sort, zoom, pause) belongs to the screen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, NamedTuple

from inferguard_core.reading import Engine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from inferguard_core.engines.capability import Capability
    from inferguard_core.followup import BrainResult, Execution, Note, Similar
    from inferguard_core.poll import Failure, ProofLevel
    from inferguard_core.verdict import Advisory, Diagnosis, Evidence, Fix, Forecast, Impact


SPANS_S = (300.0, 1800.0, 21_600.0)
"""Seconds over which trends are kept: five minutes, half an hour, six hours."""


class Severity(IntEnum):
    OK = 0
    NOTICE = 1
    WARNING = 2
    CRITICAL = 3

    @property
    def word(self) -> str:
        return self.name.lower()


class Status(StrEnum):
    """The state word of an endpoint."""

    WAITING = "WAITING"
    """No poll has come back yet."""
    OK = "OK"
    NOTICE = "NOTICE"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"
    NO_DATA = "NO DATA"
    """Declared down: three polls in a row failed."""
    STALE = "STALE"
    """The newest page is older than three intervals, not yet declared down."""
    RESTARTED = "RESTARTED"


class AnomalyState(StrEnum):
    OK = "ok"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"


class IncidentState(StrEnum):
    OPEN = "open"
    RECOVERING = "recovering"
    RESOLVED = "resolved"
    REOPENED = "reopened"


class MeasureId(StrEnum):
    """What panels, `scan --json` and evidence call a number. Rates and quantiles carry their window."""

    KV_USAGE = "kv_usage"
    KV_CAPACITY_TOKENS = "kv_capacity_tokens"
    RUNNING = "running"
    WAITING = "waiting"
    WAITING_CAPACITY = "waiting_capacity"
    WAITING_DEFERRED = "waiting_deferred"
    SWAPPED = "swapped"
    WAIT_ESTIMATE = "wait_estimate"
    """Seconds a request that arrives now would queue: waiting ÷ completions per second."""
    QUEUE_SLOPE = "queue_slope"
    ARRIVAL_RATE = "arrival_rate"
    FINISH_RATE = "finish_rate"
    REJECT_RATE = "reject_rate"
    PREEMPTION_RATE = "preemption_rate"
    RECOMPUTE_RATE = "recompute_rate"
    """Estimate: preemptions per second times KV tokens that a running request holds."""
    TTFT_P50 = "ttft_p50"
    TTFT_P95 = "ttft_p95"
    TTFT_P99 = "ttft_p99"
    TTFT_OVER_GOAL = "ttft_over_goal"
    """Share of requests whose first token came later than the goal; a bound where no bucket ends at the goal."""
    ITL_P50 = "itl_p50"
    ITL_P95 = "itl_p95"
    PROMPT_RATE = "prompt_rate"
    PROMPT_COMPUTED_RATE = "prompt_computed_rate"
    GENERATION_RATE = "generation_rate"
    PREFIX_HIT_RATE = "prefix_hit_rate"
    SPEC_ACCEPTANCE = "spec_acceptance"
    OPEN_FDS = "open_fds"


LOWEST_IS_WORST = frozenset({MeasureId.PREFIX_HIT_RATE, MeasureId.SPEC_ACCEPTANCE})
"""Measures of which a longer time is told by its lowest value; of all others by its highest."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A number with its window and source. `value` None is unknown and is shown as `—`, never as 0."""

    value: float | None
    unit: str
    """`ratio`, `tokens`, `requests`, `seconds`, `requests/s`, `tokens/s`, `1/s` or `1`."""
    window_s: float | None = None
    """Seconds of data it rests on; None for an instant reading."""
    n: int | None = None
    """Observations behind a quantile or a share."""
    source: str = ""
    """The exposed metric name(s) it was computed from."""
    why_unknown: str = ""
    """Without a value: not exported, first poll, … With one: why it is a bound, the upper one after `at most`."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A measure over time on a fixed grid; the last bin ends at `until`."""

    step_s: float
    until: float
    """Unix seconds."""
    values: Sequence[float | None]
    """Oldest first; None where there was no data."""
    span_s: float = SPANS_S[0]
    """What it covers once there is enough of the past, one of `SPANS_S`."""
    keeps_lowest: bool = False
    """A bin holds the lowest value of its time, as for all of `LOWEST_IS_WORST`; else its peak."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One kind of trouble on one endpoint, from its first evidence to its end."""

    kind: str
    state: AnomalyState
    severity: Severity
    summary: str
    """What is seen, in one line with numbers."""
    onset_unix: float
    """When the evidence began, before the rule's hold time ran out."""
    since_unix: float
    """When it fired."""
    evidence: tuple[Evidence, ...] = ()
    incident_id: str | None = None
    flapping: bool = False


class IncidentEntry(NamedTuple):
    """One line of an incident's timeline."""

    unix: float
    text: str
    by: str = ""
    """Who did it: a person's name, `inferguard` for what the tool did; empty for what the rules saw."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One episode of trouble on one endpoint; holds many anomalies and may reopen."""

    id: str
    endpoint: str
    state: IncidentState
    severity: Severity
    """Now, or at the end."""
    worst: Severity
    onset_unix: float
    opened_unix: float
    ended_unix: float | None
    anomalies: tuple[str, ...]
    """Kinds seen in it, in order of onset."""
    reopened: int
    headline: str
    timeline: tuple[IncidentEntry, ...] = ()
    peaks: Mapping[str, float] = field(default_factory=dict)
    """Worst values while it lasted, by `MeasureId`: highest of queue, KV usage and latency, lowest hit rate."""
    acknowledged_by: str = ""
    """Who said that they are on it; empty: nobody."""
    snoozed_until_unix: float | None = None
    notes: tuple[Note, ...] = ()


class Blind(NamedTuple):
    """A rule whose input this engine does not export: neither firing nor fine."""

    rule: str
    missing: str
    remedy: str = ""
    """The flag or version that would show it, where one exists."""


class RawSignal(NamedTuple):
    """A signal as exposed, for a zoomed panel."""

    signal: str
    name: str
    value: float


@dataclass(frozen=True, slots=True)
class EndpointFrame:
    """One endpoint at one instant."""

    endpoint: str
    """URL without credentials; the key."""
    name: str
    """host:port, for people."""
    status: Status
    severity: Severity
    proof: ProofLevel
    interval_s: float
    at_unix: float | None = None
    """The frame's instant."""
    engine: Engine = Engine.UNKNOWN
    engine_version: str | None = None
    models: tuple[str, ...] = ()
    failure: Failure | None = None
    """Of the newest poll."""
    failed_polls: int = 0
    """In a row, up to now."""
    polls: int = 0
    last_page_unix: float | None = None
    age_s: float | None = None
    """Seconds since the newest good page, at the frame's instant."""
    poll_ms: float | None = None
    measures: Mapping[str, Measure] = field(default_factory=dict)
    trends: Mapping[str, Trend] = field(default_factory=dict)
    """By `MeasureId`, over the shortest span."""
    longer_trends: Mapping[float, Mapping[str, Trend]] = field(default_factory=dict)
    """The same over each of the longer spans, by its seconds."""
    anomalies: tuple[Anomaly, ...] = ()
    """Firing and recovering, worst first."""
    incident: Incident | None = None
    """The open one."""
    incidents: tuple[Incident, ...] = ()
    """Newest first, the open one included."""
    diagnosis: Diagnosis | None = None
    advisories: tuple[Advisory, ...] = ()
    fix: Fix | None = None
    impact: Impact | None = None
    """Of the open incident, else of the last one."""
    forecast: Forecast | None = None
    executions: tuple[Execution, ...] = ()
    """Of the open incident, else of the last one; newest first."""
    brain: BrainResult | None = None
    similar: tuple[Similar, ...] = ()
    """Past incidents like the open one, best first."""
    blind: tuple[Blind, ...] = ()
    dialect: tuple[Capability, ...] = ()
    """Every signal and how this engine and version lets us have it; empty before the first page."""
    doubts: tuple[str, ...] = ()
    learning: Mapping[str, str] = field(default_factory=dict)
    """Baselines that are not trusted yet, by name: `learning 40/60`."""
    raw: tuple[RawSignal, ...] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """Limits to draw: kv_usage (ratio), ttft and itl (seconds)."""


@dataclass(frozen=True, slots=True)
class PartHealth:
    """State of one of our own parts, for the status line."""

    part: str
    state: str
    detail: str = ""
    since_unix: float | None = None


@dataclass(frozen=True, slots=True)
class ReplayPosition:
    """Where a replay stands."""

    at_s: float
    length_s: float
    speed: float
    paused: bool
    ended: bool
    marks: tuple[float, ...] = ()
    """Where incidents opened, as far as was looked; rising."""
    note: str = ""
    """What a person's last key came to, where that shows nowhere else; in words of ours."""


@dataclass(frozen=True, slots=True)
class Frame:
    seq: int
    """First, so that comparing two frames is one integer comparison."""
    unix: float
    endpoints: tuple[EndpointFrame, ...]
    parts: tuple[PartHealth, ...] = ()
    replay: ReplayPosition | None = None
