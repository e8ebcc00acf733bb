"""What a run did, second by second, as the engine itself knows it: the ground that labels stand on.

A monitor sees none of this. It is kept for two hours, so that a demonstration may run for weeks.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inferguard_tui.simulator.request import Request
    from inferguard_tui.simulator.server_process import ServerProcess
    from inferguard_tui.simulator.step import Step

KEPT_S = 7200
LATE_S = 1.0
"""The usual objective for a first token."""
GAP_BINS_PER_E = 10.0
"""Inter-token gaps are kept in bins a tenth of a power of e wide: 10 %, finer than any effect looked for."""
QUEUE_MATTERS = 5
QUEUE_OF_RUNNING = 0.25
RANK_SPREAD = 0.3
RANK_PRESSED = 0.8


@dataclass(slots=True)
class Second:
    """Counts of one second; the booleans held at some instant of it."""

    t: int
    preempted: int = 0
    first_tokens: int = 0
    late: int = 0
    finished: int = 0
    failed: int = 0
    hung_up: int = 0
    looked_up: int = 0
    hits: int = 0
    drafted: int = 0
    accepted: int = 0
    restarts: int = 0
    open: int = 0
    """Requests with an open connection at the last look."""
    queued: bool = False
    """A queue that matters, whose head has waited longer than a first token should take."""
    frozen: bool = False
    down: bool = False
    swapped: bool = False
    uneven: bool = False
    """One core's pool is pressed while most others have room."""
    gaps: Counter[int] = field(default_factory=Counter)


class Ledger:
    """Written by the engine as things happen; read by whoever labels the run."""

    def __init__(self) -> None:
        self._seconds: deque[Second] = deque(maxlen=KEPT_S)

    def between(self, start: float, end: float) -> Iterator[Second]:
        """The seconds in which anything was noted, from `start` to `end`."""
        return (second for second in self._seconds if start <= second.t < end)

    def step(self, step: Step, now: float) -> None:
        second = self._at(now)
        second.preempted += len(step.preempted)
        second.first_tokens += len(step.first_tokens)
        second.late += sum(1 for r in step.first_tokens if now - r.arrived_at > LATE_S)
        second.finished += len(step.finished)
        second.failed += len(step.failed)
        second.drafted += step.draft_tokens
        second.accepted += sum(step.accepted_by_position)
        for request in step.admitted:
            if not request.preemptions:
                second.looked_up += request.prompt_tokens
                second.hits += request.cached_tokens
        for gap, count in step.gaps.items():
            second.gaps[gap_bin(gap)] += count

    def hung_up(self, requests: list[Request], now: float) -> None:
        if requests:
            self._at(now).hung_up += len(requests)

    def restarted(self, now: float) -> None:
        self._at(now).restarts += 1

    def look(self, process: ServerProcess | None, now: float) -> bool:
        """Note the state of the server, None while it is down; whether it is uneven now."""
        second = self._at(now)
        if process is None:
            second.down = True
            return False
        second.open = len(process.open)
        second.frozen = second.frozen or process.frozen(now)
        second.queued = second.queued or (process.held_up(now) and _queue_matters(process))
        second.swapped = second.swapped or any(rank.scheduler.swapped_requests for rank in process.ranks)
        uneven = len(process.ranks) > 1 and _uneven(process)
        second.uneven = second.uneven or uneven
        return uneven

    def _at(self, now: float) -> Second:
        t = math.floor(now)
        if not self._seconds or self._seconds[-1].t < t:
            self._seconds.append(Second(t))
        return self._seconds[-1]


def gap_bin(seconds: float) -> int:
    return math.floor(math.log(max(seconds, 1e-6)) * GAP_BINS_PER_E)


def gap_of(gap: int) -> float:
    """Seconds at the middle of a bin."""
    return math.exp((gap + 0.5) / GAP_BINS_PER_E)


def _queue_matters(process: ServerProcess) -> bool:
    waiting = sum(len(rank.scheduler.waiting) for rank in process.ranks)
    running = sum(len(rank.scheduler.running) for rank in process.ranks)
    return waiting >= max(QUEUE_MATTERS, QUEUE_OF_RUNNING * running)


def _uneven(process: ServerProcess) -> bool:
    usages = [rank.scheduler.pool.usage for rank in process.ranks]
    return max(usages) >= RANK_PRESSED and max(usages) - median(usages) >= RANK_SPREAD
