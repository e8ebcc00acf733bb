"""What an incident has cost so far: differences of counters and buckets since its onset, nothing modelled.

Costs only grow within an incident, whatever a restart or a gap does to the counters. What an engine does not
export stays unknown; the one estimate says so in its name.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from inferguard_core.actions.load import tokens_held
from inferguard_core.frame import AnomalyState
from inferguard_core.signals import Signal
from inferguard_core.verdict import Impact
from inferguard_core.window import snapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from inferguard_core.history import Row
    from inferguard_core.reading import Histogram
    from inferguard_core.scene import Scene
    from inferguard_core.window import Window

LOOK_BACK_S: Final = 60.0
"""How far back to look for the last first token when a poll brought none."""
NO_TOKENS: Final = frozenset({"endpoint_down", "stall"})
GAP_INTERVALS: Final = 3.0
"""A longer silence between two readings is a gap."""
HUNG_UP_MIN: Final = 5.0
"""Calls answered 2xx and requests finished are counted at two places a moment apart; fewer are that moment."""
_FAILED: Final = (Signal.FINISHED_ERROR, Signal.FINISHED_ABORT, Signal.REJECTED, Signal.HTTP_5XX)
_COUNTED: Final = (*_FAILED, Signal.PREEMPTIONS, Signal.FINISHED, Signal.HTTP_2XX)
_RETRACTED: Final = ("num_retracted_input_tokens", "num_retracted_output_tokens")
"""SGLang's own counts of tokens thrown back, as plain ids; they appear with the first retraction."""


@dataclass(frozen=True, slots=True)
class ImpactStart:
    """Counters as they stood at the onset; taken once, kept while the incident lasts."""

    t: float
    unix: float
    counters: Mapping[Signal, float] = field(default_factory=dict)
    ttft: Histogram | None = None

    @classmethod
    def at(cls, window: Window, onset_unix: float) -> ImpactStart:
        """From the last reading at or before the onset, else the oldest there is."""
        onset = window.now - (window.newest.unix - onset_unix)
        row = window.history.at_or_before(onset) or window.history.oldest or window.newest
        earlier = window.history.since(row.t - LOOK_BACK_S)
        counters = {s: v for s in _COUNTED if (v := _last_known(s, earlier, row)) is not None}
        return cls(row.t, onset_unix, counters, row.histogram(Signal.TTFT))


def _last_known(signal: Signal, rows: Sequence[Row], row: Row) -> float | None:
    """At `row`, or just before it: a counter that is doubted for a poll or two has not gone."""
    known = [v for r in rows if r.t < row.t and (v := r.get(signal)) is not None]
    return row.get(signal) if row.get(signal) is not None else known[-1] if known else None


def impact(scene: Scene, start: ImpactStart | None, before: Impact | None = None) -> Impact:
    """Costs from `start` to now. `before` is the last answer for this incident: nothing in it is taken back.

    Without a start or without a good page only what was known before is told. Fields that this engine does
    not let us know stay None.
    """
    since = start.unix if start is not None else scene.incident.onset_unix
    told = (
        replace(before, until_unix=max(before.until_unix, scene.unix))
        if before
        else Impact(since, scene.unix)
    )
    if start is None or scene.window is None:
        return told
    fields = (
        ("seconds_over_objective", _seconds_over(scene, start, before)),
        ("requests_delayed", _delayed(scene.window, scene.limits.ttft_objective_s, start)),
        ("requests_failed", _failed(scene.window, start)),
        ("tokens_recomputed_estimate", _recomputed(scene, start)),
        ("peak_waiting", _peak(scene, Signal.WAITING, start, before)),
        ("peak_kv_usage", _peak(scene, Signal.KV_USAGE, start, before)),
    )
    grown = {name: _most(getattr(told, name), value) for name, value in fields}
    return Impact(told.since_unix, told.until_unix, **grown, sources=_sources(scene, grown))


def _most(old: float | None, new: float | None) -> float | None:
    known = [v for v in (old, new) if v is not None]
    return max(known) if known else None


def _seconds_over(scene: Scene, start: ImpactStart, before: Impact | None) -> float | None:
    """Seconds in which too many first tokens came late, or none came although requests waited too long for one.

    While nothing answers, or the engine stands still with requests in it, every second counts.
    """
    window, limits = scene.window, scene.limits
    assert window is not None
    done = (before.seconds_over_objective if before is not None else None) or 0.0
    counted_to = start.unix if before is None else before.until_unix
    if any(a.kind in NO_TOKENS and a.state is AnomalyState.FIRING for a in scene.anomalies):
        return done + max(0.0, scene.unix - counted_to)
    if window.newest.histogram(Signal.TTFT) is None:
        return None
    back = window.now - (window.newest.unix - counted_to) - LOOK_BACK_S
    rows = window.history.since(back)
    gap = GAP_INTERVALS * scene.situation.interval_s
    return done + _late(rows, counted_to, limits.ttft_objective_s, 1.0 - limits.latency_goal, gap)


def _late(rows: Sequence[Row], counted_to: float, objective: float, allowed: float, gap: float) -> float:
    """Late seconds between neighbouring rows after wall time `counted_to`; a gap in the data counts as nothing.

    Wall time, since a row's is exactly its poll's: of a difference of clocks the last bit would count twice.
    """
    late, last_token = 0.0, None
    for earlier, row in pairwise(rows):
        first, now = earlier.histogram(Signal.TTFT), row.histogram(Signal.TTFT)
        if first is None or now is None or first.edges != now.edges:
            continue
        came = now.count - first.count
        if came > 0:
            index = snapped(now.edges, objective)
            over = came - (now.counts[index] - first.counts[index])
            is_late = over > allowed * came
            last_token = row.t
        else:
            waited = row.t - (last_token if last_token is not None else rows[0].t)
            is_late = bool(row.get(Signal.WAITING)) and waited > objective
        if is_late and row.unix > counted_to and row.t - earlier.t <= gap:
            late += row.t - earlier.t
    return late


def _delayed(window: Window, objective: float, start: ImpactStart) -> float | None:
    now = window.newest.histogram(Signal.TTFT)
    if now is None or start.ttft is None or now.edges != start.ttft.edges:
        return None
    index = snapped(now.edges, objective)
    came = now.count - start.ttft.count
    return max(0.0, came - (now.counts[index] - start.ttft.counts[index]))


def _failed(window: Window, start: ImpactStart) -> float | None:
    """Errors, aborts and refusals. A 5xx is often one of these again, so the larger of the two counts."""
    errors = _sum(_rise(window, start, s) for s in (Signal.FINISHED_ERROR, Signal.REJECTED))
    answered = _rise(window, start, Signal.HTTP_5XX)
    aborts = _most(_rise(window, start, Signal.FINISHED_ABORT), _hung_up(window, start))
    return _sum((_most(errors, answered), aborts))


def _hung_up(window: Window, start: ImpactStart) -> float | None:
    """Calls answered 2xx that the engine never finished: clients that left, which vLLM counts nowhere else."""
    answered, finished = _rise(window, start, Signal.HTTP_2XX), _rise(window, start, Signal.FINISHED)
    if answered is None or finished is None or answered - finished < HUNG_UP_MIN:
        return None
    return answered - finished


def _rise(window: Window, start: ImpactStart, signal: Signal) -> float | None:
    """Since the start. A counter that was not there then has come with its first event: it rose from 0."""
    now = window.latest(signal)
    return None if now is None else max(0.0, now - start.counters.get(signal, 0.0))


def _recomputed(scene: Scene, start: ImpactStart) -> float | None:
    """SGLang counts what it threw back; for vLLM preemptions · tokens held by a running request, an upper bound."""
    assert scene.window is not None
    values = scene.reading.values if scene.reading is not None else {}
    counted = [values[name] - scene.at_onset.get(name, 0.0) for name in _RETRACTED if name in values]
    if counted and min(counted) >= 0:
        return sum(counted)
    preempted = _rise(scene.window, start, Signal.PREEMPTIONS)
    if preempted is None:
        return None
    held = tokens_held(scene.window) if preempted else None
    return 0.0 if preempted == 0 else None if held is None else preempted * held


def _peak(scene: Scene, signal: Signal, start: ImpactStart, before: Impact | None) -> float | None:
    window = scene.window
    assert window is not None
    return window.latest(signal) if before is not None else window.maximum(signal, window.now - start.t)


def _sum(parts: Iterable[float | None]) -> float | None:
    """Of what is known; None when nothing is."""
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


_RESTS_ON: Final[Mapping[str, tuple[Signal, ...]]] = {
    "seconds_over_objective": (Signal.TTFT, Signal.WAITING),
    "requests_delayed": (Signal.TTFT,),
    "requests_failed": _FAILED,
    "tokens_recomputed_estimate": (Signal.PREEMPTIONS, Signal.KV_USAGE, Signal.KV_CAPACITY_TOKENS),
    "peak_waiting": (Signal.WAITING,),
    "peak_kv_usage": (Signal.KV_USAGE,),
}


def _sources(scene: Scene, fields: Mapping[str, float | None]) -> dict[str, str]:
    return {
        name: source
        for name, value in fields.items()
        if value is not None and (source := scene.situation.source(*_RESTS_ON[name]))
    }
