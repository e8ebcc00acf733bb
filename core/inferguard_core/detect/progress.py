"""An engine that answers /metrics and serves nothing.

Gauges cannot be believed here: a frozen core leaves them at their last values, often idle ones. What tells is a
counter that always moves and has stopped, beside something that shows clients waiting. In order of trust: the
scheduler's own clock, open HTTP requests, running or waiting requests, and descriptors of the API server.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from inferguard_core.baselines import Normal
from inferguard_core.detect.finding import Finding, Situation, blind, unknown
from inferguard_core.detect.onset import lasted
from inferguard_core.frame import Severity
from inferguard_core.reading import Engine
from inferguard_core.signals import Signal
from inferguard_core.verdict import Evidence

if TYPE_CHECKING:
    from inferguard_core.detect.limits import Limits
    from inferguard_core.window import Window

PROGRESS = (
    Signal.GENERATION_TOKENS,
    Signal.PROMPT_TOKENS,
    Signal.PROMPT_TOKENS_COMPUTED,
    Signal.ENGINE_STEPS,
    Signal.FINISHED,
    Signal.TTFT,
    Signal.ITL,
)
"""Any of these rising is progress; the latency histograms count tokens where an engine has no live counter."""
BEFORE_S = 120.0
"""Span before the standstill whose highest descriptor count is the level that a pile-up must exceed."""
BEFORE_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Witness:
    """What shows that the standstill is not idleness."""

    form: str
    """Which stall it is, in words."""
    flat_s: float
    limit_s: float
    evidence: Evidence | None


def stall(window: Window, limits: Limits, situation: Situation) -> Finding:
    """No progress at all while something shows that requests are there."""
    if not any(s in situation.spellings for s in PROGRESS):
        return blind("stall", Signal.GENERATION_TOKENS)
    risen = window.flat_for(PROGRESS)
    flat_s = window.history.span_s if risen is None else risen
    if flat_s == 0 and risen is None:
        return unknown("stall")
    asleep = window.latest(Signal.AWAKE) == 0
    witness = None if asleep else _witness(window, limits, situation, flat_s)
    hot = witness is not None and witness.flat_s >= witness.limit_s
    return Finding(
        "stall",
        hot=hot,
        cool=flat_s == 0 or (witness is None and not asleep and not _waiting(window)),
        for_s=0.0,
        keep_s=limits.stall_keep,
        severity=Severity.CRITICAL,
        summary=f"{witness.form}: no progress for {witness.flat_s:.0f} s" if witness else "",
        evidence=_evidence(witness, flat_s, situation) if witness else (),
        since_s=witness.flat_s if witness else 0.0,
    )


def traffic_stopped(window: Window, limits: Limits, situation: Situation) -> Finding:
    """Nothing moves on an endpoint that had traffic, and nothing piles up: nobody asks, or nobody gets through."""
    if not any(s in situation.spellings for s in PROGRESS):
        return blind("traffic_stopped", Signal.GENERATION_TOKENS)
    flat_s = window.flat_for(PROGRESS)
    usual = situation.normal(Normal.FINISH_RATE)
    if flat_s is None or usual is None:
        return unknown("traffic_stopped")
    silent = flat_s >= limits.traffic_stopped_for and usual * flat_s >= limits.traffic_expected
    quiet = "stall" not in situation.active and window.latest(Signal.AWAKE) != 0 and not _waiting(window)
    source = situation.source(*PROGRESS)
    row = Evidence(
        "progress_flat", flat_s, "seconds", limits.traffic_stopped_for, None, flat_s, source=source
    )
    was = Evidence(
        "finish_rate", 0.0, "requests/s", None, usual, flat_s, source=situation.source(Signal.FINISHED)
    )
    return Finding(
        "traffic_stopped",
        hot=silent and quiet and not window.latest(Signal.HTTP_ACTIVE),
        cool=flat_s < limits.traffic_stopped_for,
        for_s=0.0,
        keep_s=0.0,
        severity=Severity.NOTICE,
        summary=f"no traffic for {flat_s:.0f} s, was {usual:.1f} requests/s",
        evidence=(row, was),
        since_s=flat_s,
    )


def _witness(window: Window, limits: Limits, situation: Situation, flat_s: float) -> Witness | None:
    # Counters are cumulative: two equal ones prove the time between them, however often anyone looked.
    polls = max(limits.stall_for, limits.stall_min_polls * situation.interval_s)
    return (
        _dead_scheduler(window, limits, situation)
        or _open_requests(window, situation, flat_s, polls)
        or _stuck_gauges(window, limits, situation, flat_s, polls)
        or _descriptors(window, limits, situation, flat_s, polls)
    )


def _dead_scheduler(window: Window, limits: Limits, situation: Situation) -> Witness | None:
    """The scheduler's clock stands still; it ticks a second per second in a living loop, busy or idle."""
    flat_s = window.flat_for((Signal.SCHEDULER_SECONDS,))
    if flat_s is None or flat_s == 0:
        return None
    limit = max(limits.scheduler_flat_s, 2 * situation.interval_s)
    if flat_s < limit:
        return None
    source = situation.source(Signal.SCHEDULER_SECONDS)
    row = Evidence("scheduler_seconds_flat", flat_s, "seconds", limit, None, flat_s, source=source)
    return Witness("scheduler frozen", flat_s, limit, row)


def _open_requests(window: Window, situation: Situation, flat_s: float, limit: float) -> Witness | None:
    """Requests that were open all the while nothing was made for any of them."""
    open_s = lasted(window, situation, Signal.HTTP_ACTIVE, lambda n: n > 0, flat_s + situation.interval_s)
    active = window.latest(Signal.HTTP_ACTIVE)
    if not active or not open_s:
        return None
    source = situation.source(Signal.HTTP_ACTIVE)
    row = Evidence("http_active", active, "requests", 0.0, window_s=open_s, source=source)
    return Witness("engine frozen with open requests", min(flat_s, open_s), limit, row)


def _stuck_gauges(
    window: Window, limits: Limits, situation: Situation, flat_s: float, limit: float
) -> Witness | None:
    """Running or waiting stand above zero; on SGLang that alone may be an idle server's old gauge.

    A request that has just come to an idle engine, and one whose long prompt still fills the pool, are no stall.
    """
    running, waiting = window.latest(Signal.RUNNING) or 0.0, window.latest(Signal.WAITING) or 0.0
    if running <= 0 and waiting <= 0:
        return None
    usage = window.latest(Signal.KV_USAGE)
    if running > 0:
        form, signal, value = "decode stalled", Signal.RUNNING, running
    elif usage == 0:
        form, signal, value = "engine core dead", Signal.WAITING, waiting
    else:
        form, signal, value = "admission stalled", Signal.WAITING, waiting
    if situation.engine is Engine.SGLANG:
        limit = max(limit, limits.stall_idle_gauge_s)
    there_s = lasted(window, situation, signal, lambda n: n > 0, flat_s + situation.interval_s)
    still_s = min(flat_s, there_s, _unmoved_for(window, situation, Signal.KV_USAGE, flat_s))
    row = Evidence(signal, value, "requests", 0.0, window_s=still_s, source=situation.source(signal))
    return Witness(form, still_s, limit, row)


def _unmoved_for(window: Window, situation: Situation, gauge: Signal, seconds: float) -> float:
    """Seconds up to now without a change of a gauge; `seconds` where it is not known."""
    value = window.latest(gauge)
    return (
        seconds
        if value is None
        else lasted(window, situation, gauge, lambda v: v == value, seconds + situation.interval_s)
    )


def _descriptors(
    window: Window, limits: Limits, situation: Situation, flat_s: float, limit: float
) -> Witness | None:
    """About one descriptor a waiting client: they have risen above all of the minutes before, and nothing is made.

    On an engine long idle the minutes before the rise are meant: connections come and go over hours.
    """
    fds = window.latest(Signal.OPEN_FDS)
    if fds is None or flat_s < situation.interval_s:
        return None
    until = window.now - (flat_s if flat_s <= BEFORE_S else 2 * limit)
    span = window.points(Signal.OPEN_FDS, window.now - until + BEFORE_S)
    before = [v for t, v in span if t <= until]
    if len(before) < BEFORE_SAMPLES or fds < max(before) + limits.stall_descriptors:
        return None
    source = situation.source(Signal.OPEN_FDS)
    level = max(before)
    piling_s = min(
        flat_s, lasted(window, situation, Signal.OPEN_FDS, lambda n: n > level, flat_s + situation.interval_s)
    )
    row = Evidence("open_fds", fds, "1", level + limits.stall_descriptors, level, piling_s, source=source)
    return Witness(
        f"engine core frozen, clients pile up (descriptors {level:.0f} → {fds:.0f})", piling_s, limit, row
    )


def _waiting(window: Window) -> bool:
    return bool((window.latest(Signal.RUNNING) or 0.0) or (window.latest(Signal.WAITING) or 0.0))


def _evidence(witness: Witness, flat_s: float, situation: Situation) -> tuple[Evidence, ...]:
    source = situation.source(*PROGRESS)
    flat = Evidence("progress_flat", flat_s, "seconds", witness.limit_s, None, flat_s, source=source)
    return (flat,) if witness.evidence is None else (flat, witness.evidence)
