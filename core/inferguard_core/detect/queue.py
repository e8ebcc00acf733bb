"""The admission queue: how long a request that arrives now would wait, and whether that is growing.

The queue shows overload first: latency histograms learn of a wait only when it is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from inferguard_core.detect.finding import Finding, Situation, blind, unknown
from inferguard_core.detect.onset import lasted
from inferguard_core.frame import Severity
from inferguard_core.signals import Signal
from inferguard_core.verdict import Evidence

if TYPE_CHECKING:
    from inferguard_core.detect.limits import Limits
    from inferguard_core.window import Window

GAUGE_WINDOW_S = 5.0
"""Waiting is an instant gauge and flickers; its median over this many seconds does not."""
CRITICAL_FOR_S = 5.0
"""Hold time of a queue that matters and whose wait is past the critical multiple: half a minute of certainty
would cost its first requests more than a flicker costs a reader."""


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue at one instant, from the last minute."""

    waiting: float
    running: float | None
    slope: float | None
    """Requests per second."""
    finish_rate: float | None
    wait_s: float | None
    """Little's law on the queue alone: waiting ÷ completions per second."""


def observe(window: Window, limits: Limits) -> Queue | None:
    """The queue now, None when waiting is unknown."""
    waiting = window.median(Signal.WAITING, GAUGE_WINDOW_S)
    if waiting is None:
        return None
    finish_rate = window.rate(Signal.FINISHED, limits.queue_window)
    return Queue(
        waiting=waiting,
        running=window.median(Signal.RUNNING, GAUGE_WINDOW_S),
        slope=window.slope(Signal.WAITING, limits.queue_window),
        finish_rate=finish_rate,
        wait_s=waiting / finish_rate if finish_rate else None,
    )


def queue_growth(window: Window, limits: Limits, situation: Situation) -> Finding:
    """The wait is over its share of the TTFT objective, or a queue that matters is growing."""
    if Signal.WAITING not in situation.spellings:
        return blind("queue_growth", Signal.WAITING)
    queue = observe(window, limits)
    if queue is None:
        return unknown("queue_growth")
    objective = limits.ttft_objective_s
    floor = max(limits.queue_min_waiting, limits.queue_of_running * (queue.running or 0.0))
    slow = (
        queue.waiting >= 1
        and queue.wait_s is not None
        and queue.wait_s > limits.queue_wait_of_objective * objective
    )
    growing = queue.waiting >= floor and queue.slope is not None and queue.slope > 0
    critical = queue.wait_s is not None and queue.wait_s > limits.queue_critical_of_objective * objective
    urgent = queue.waiting >= floor and (critical or (growing and not queue.finish_rate))
    half_wait = 0.5 * limits.queue_wait_of_objective * objective
    return Finding(
        "queue_growth",
        hot=slow or growing,
        cool=queue.waiting < floor / 2 and (queue.wait_s is None or queue.wait_s < half_wait),
        for_s=min(CRITICAL_FOR_S, limits.queue_for) if urgent else limits.queue_for,
        keep_s=limits.queue_keep,
        severity=Severity.CRITICAL if critical and queue.waiting >= floor else Severity.WARNING,
        summary=_summary(queue),
        evidence=_evidence(queue, floor, limits, situation),
        since_s=lasted(window, situation, Signal.WAITING, lambda n: n >= 1, limits.queue_window),
    )


def _summary(queue: Queue) -> str:
    parts = [f"{queue.waiting:.0f} waiting"]
    if queue.slope is not None:
        parts.append(f"{queue.slope:+.1f}/s")
    if queue.wait_s is not None:
        parts.append(f"≈ {queue.wait_s:.1f} s wait")
    return ", ".join(parts)


def _evidence(queue: Queue, floor: float, limits: Limits, situation: Situation) -> tuple[Evidence, ...]:
    waiting = situation.source(Signal.WAITING)
    both = situation.source(Signal.WAITING, Signal.FINISHED)
    wait_limit = limits.queue_wait_of_objective * limits.ttft_objective_s
    window_s = limits.queue_window
    return (
        Evidence(
            "waiting", queue.waiting, "requests", threshold=floor, window_s=GAUGE_WINDOW_S, source=waiting
        ),
        Evidence("queue_slope", queue.slope, "requests/s", threshold=0.0, window_s=window_s, source=waiting),
        Evidence(
            "wait_estimate", queue.wait_s, "seconds", threshold=wait_limit, window_s=window_s, source=both
        ),
    )
