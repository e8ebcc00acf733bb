"""Synthetic engines as functions of time, looked at poll by poll as an open incident is.

Each number is a rate or a level before and after a moment of change, so that what is true does not depend on the
poll interval.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from inferguard_core.detect.finding import Finding, Situation
from inferguard_core.detect.limits import Limits
from inferguard_core.diagnose import EpisodeMemory, diagnose, remember
from inferguard_core.frame import Anomaly, AnomalyState, Incident, IncidentState, Severity
from inferguard_core.history import History
from inferguard_core.reading import Engine, Histogram, Reading
from inferguard_core.scene import Scene
from inferguard_core.signals import SIGNALS, Signal, SignalKind
from inferguard_core.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from inferguard_core.verdict import Diagnosis

UNIX = 1_800_000_000.0
CHANGE = 200.0
"""Second at which a world changes."""
EDGES = (0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0, float("inf"))
LENGTH_EDGES = (100.0, 1_000.0, 10_000.0, 100_000.0, float("inf"))
LIMITS = Limits()
S = Signal


@dataclass(frozen=True)
class Change:
    """A rate or level before `CHANGE` and from it on."""

    before: float
    after: float

    def level(self, t: float) -> float:
        return self.before if t < CHANGE else self.after

    def total(self, t: float) -> float:
        return self.before * min(t, CHANGE) + self.after * max(0.0, t - CHANGE)


Number = float | Change


@dataclass(frozen=True)
class World:
    """`numbers`: gauges are levels, counters are rates. `latency`: values per second and where they fall.

    A latency is a tuple of (value, share) pairs, before and after; observations come at `latency_rate`.
    """

    numbers: Mapping[Signal, Number]
    latency: Mapping[Signal, tuple[tuple[tuple[float, float], ...], tuple[tuple[float, float], ...]]] = field(
        default_factory=dict
    )
    latency_rate: Mapping[Signal, Number] = field(default_factory=dict)
    engine: Engine = Engine.VLLM
    info: Mapping[str, str] = field(default_factory=dict)
    ranks: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def but(self, **changes: Number | None) -> World:
        """Other numbers by signal id; None removes one: the engine does not export it."""
        numbers = {**self.numbers, **{S(k): v for k, v in changes.items()}}
        return replace(self, numbers={k: v for k, v in numbers.items() if v is not None})

    def reading(self, t: float) -> Reading:
        values = {s: self._value(s, n, t) for s, n in self.numbers.items()}
        histograms = {s: self._histogram(s, t) for s in self.latency}
        names = [*values, *histograms]
        return Reading(
            self.engine,
            values=values,
            histograms=histograms,
            ranks=self.ranks if t >= CHANGE else {},
            info=self.info,
            spellings={n: f"test:{n}" for n in names},
        )

    def _value(self, signal: Signal, number: Number, t: float) -> float:
        counter = SIGNALS[signal].kind is SignalKind.COUNTER
        if isinstance(number, Change):
            return number.total(t) if counter else number.level(t)
        return number * t if counter else number

    def _histogram(self, signal: Signal, t: float) -> Histogram:
        edges = LENGTH_EDGES if SIGNALS[signal].unit == "tokens" else EDGES
        rate = self.latency_rate.get(signal, 2.0)
        counts, total = [0.0] * len(edges), 0.0
        for shares, seconds in zip(self.latency[signal], (min(t, CHANGE), max(0.0, t - CHANGE)), strict=True):
            per_second = (
                rate
                if isinstance(rate, float)
                else (rate.before if shares is self.latency[signal][0] else rate.after)
            )
            for value, share in shares:
                seen = per_second * share * seconds
                total += seen * value
                counts = [c + (seen if value <= edge else 0.0) for c, edge in zip(counts, edges, strict=True)]
        return Histogram(edges, tuple(counts), total)


FAST = ((0.04, 1.0),)
HEALTHY = World(
    {
        S.KV_USAGE: 0.3,
        S.KV_CAPACITY_TOKENS: 100_000.0,
        S.RUNNING: 10.0,
        S.WAITING: 0.0,
        S.PREEMPTIONS: 0.0,
        S.FINISHED: 2.0,
        S.FINISHED_ABORT: 0.0,
        S.FINISHED_ERROR: 0.0,
        S.HTTP_2XX: 2.0,
        S.HTTP_5XX: 0.0,
        S.PROMPT_TOKENS: 2_000.0,
        S.PROMPT_TOKENS_COMPUTED: 600.0,
        S.PREFIX_QUERIES: 2_000.0,
        S.PREFIX_HITS: 1_400.0,
        S.GENERATION_TOKENS: 400.0,
        S.ENGINE_STEPS: 40.0,
        S.PROCESS_START: UNIX - 50_000.0,
    },
    latency={S.TTFT: (FAST, FAST), S.ITL: (FAST, FAST)},
    latency_rate={S.TTFT: 2.0, S.ITL: 400.0},
    info={"enable_prefix_caching": "True"},
)
"""Two requests a second of 1,000 tokens, 70 % of them cached, answered with 200 tokens each."""
HEALTHY_SGLANG = replace(
    HEALTHY.but(
        http_2xx=None,
        http_5xx=None,
        process_start=None,
        engine_steps=None,
        evicted_tokens=600.0,
        new_token_ratio=0.15,
    ),
    engine=Engine.SGLANG,
    info={},
)


def trouble(
    kind: str, summary: str = "seen", severity: Severity = Severity.WARNING, onset: float = CHANGE
) -> Anomaly:
    return Anomaly(kind, AnomalyState.FIRING, severity, summary, UNIX + onset, UNIX + onset)


def silent(*kinds: str) -> dict[str, Finding]:
    """Findings of rules that see and see nothing."""
    return {k: Finding(k, hot=False, cool=True, for_s=0.0, keep_s=0.0) for k in kinds}


RULES = ("endpoint_down", "engine_restart", "stall", "swap", "rank_imbalance", "preemption")


def scenes(
    world: World,
    anomalies: tuple[Anomaly, ...] = (),
    *,
    interval: float = 1.0,
    opened: float = CHANGE + 20.0,
    until: float = CHANGE + 60.0,
    onset: float = CHANGE + 5.0,
    state: IncidentState = IncidentState.OPEN,
) -> Iterator[Scene]:
    """Polls from 0 to `until`; a scene for each from `opened` on."""
    history = History()
    down = any(a.kind == "endpoint_down" for a in anomalies)
    incident = Incident(
        "x/1", "x", state, Severity.WARNING, Severity.WARNING, UNIX + onset, UNIX + opened, None, (), 0, ""
    )
    active = frozenset(a.kind for a in anomalies)
    polls = int(until / interval)
    for i in range(polls + 1):
        t = i * interval
        reading = world.reading(t)
        if not (down and t >= CHANGE):
            history.append(t, UNIX + t, reading)
        newest = history.newest
        if t < opened or newest is None:
            continue
        yield Scene(
            "x",
            UNIX + t,
            Window(history, newest),
            reading,
            Situation(world.engine, interval, active=active, spellings=reading.spellings),
            silent(*(k for k in RULES if k not in active)),
            anomalies,
            incident,
            LIMITS,
        )


def concluded(
    world: World, *anomalies: Anomaly, interval: float = 1.0, until: float = CHANGE + 60.0
) -> Diagnosis:
    """What is said at the end."""
    memory, told = EpisodeMemory(), None
    for scene in scenes(world, anomalies, interval=interval, until=until):
        memory = remember(memory, scene)
        told = diagnose(scene, memory)
    assert told is not None
    return told
