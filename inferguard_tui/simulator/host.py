"""The machine that a server runs on: it boots the process, and what goes wrong with the process happens here."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from inferguard_tui.simulator.faults import Crash, Fault, ShapeCrash, Stall, Throttle
from inferguard_tui.simulator.rng import stream
from inferguard_tui.simulator.server_process import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_tui.simulator.dialect import Dialect
    from inferguard_tui.simulator.request import Request
    from inferguard_tui.simulator.size import EngineSize
    from inferguard_tui.simulator.step import Step


class Host:
    """One server process at a time. Times are seconds of scenario time; `epoch_unix` is the wall clock at 0."""

    def __init__(
        self, size: EngineSize, dialect: Dialect, faults: Sequence[Fault], seed: int, epoch_unix: float
    ) -> None:
        self.lost: list[Request] = []
        """Requests whose connections broke; whoever tells their clients empties it."""
        self.boots = 0
        self.recycling = False
        """It is down because somebody restarts it, and the gateway keeps what comes meanwhile."""
        self.size = size
        """Of the next process that is booted."""
        self._dialect = dialect
        self._epoch_unix = epoch_unix
        self._jitter = stream(seed, "jitter")
        self._acceptance = stream(seed, "acceptance")
        self._faults = sorted(faults, key=lambda fault: fault.at)
        self._deadly = tuple(fault for fault in faults if isinstance(fault, ShapeCrash))
        self._patient_stall: Stall | None = None
        self._down_until: float | None = None

    @property
    def down(self) -> bool:
        return self._down_until is not None

    def boot(self, now: float) -> ServerProcess:
        """Start a process; it becomes `process`."""
        size = self.size
        schedulers = self._dialect.schedulers(size, self._jitter, self._acceptance)
        page = self._dialect.page(size, now, self._epoch_unix + now)
        self.process = ServerProcess(schedulers, page, now)
        self.boots += 1
        return self.process

    def next_at(self, now: float) -> float:
        """When the process, or something that befalls it, needs attention next."""
        at = self._faults[0].at if self._faults else math.inf
        return min(at, self.process.next_at(now) if self._down_until is None else self._down_until)

    def befall(self, now: float) -> None:
        """Let a dead server come back and due faults strike."""
        if self._down_until is not None and now >= self._down_until:
            self._down_until = None
            self.recycling = False
            self.boot(now)
        while self._faults and self._faults[0].at <= now:
            self._strike(self._faults.pop(0), now)

    def restart(self, now: float, seconds: float) -> None:
        """Stop the process on purpose, and let a new one come up after `seconds`."""
        if not self.down:
            self._die(now, seconds)
            self.recycling = True

    def complete(self, now: float) -> list[Step]:
        """Deliver what is done; the process may die of what it has just begun to run."""
        if self.down:
            return []
        steps = self.process.complete(now)
        for fault in self._deadly:
            if any(self._kills(fault, step, now) for step in steps):
                self._die(now, fault.restart_s)
        return steps

    def turn(self, now: float) -> None:
        """Let the engine loops go on."""
        if self.down:
            return
        self.process.turn(now)
        if self._patient_stall is not None and self.process.idle:
            self.process.freeze(now, self._patient_stall.seconds)
            self._patient_stall = None

    def _strike(self, fault: Fault, now: float) -> None:
        if self.down:
            return
        if isinstance(fault, Stall):
            if fault.when_idle:
                self._patient_stall = fault
            else:
                self.process.freeze(now, fault.seconds)
        elif isinstance(fault, Crash):
            self._die(now, fault.seconds)
        elif isinstance(fault, Throttle):
            self.process.slowness = fault.factor
            if fault.seconds:
                over = replace(fault, at=fault.at + fault.seconds, seconds=0.0, factor=1.0)
                self._faults = sorted([*self._faults, over], key=lambda later: later.at)

    def _kills(self, fault: ShapeCrash, step: Step, now: float) -> bool:
        def shaped(request: Request) -> bool:
            return request.prompt_tokens >= fault.prompt_tokens and request.max_tokens >= fault.max_tokens

        if not fault.at <= now < fault.at + fault.seconds or not any(map(shaped, step.admitted)):
            return False
        running = (request for rank in self.process.ranks for request in rank.scheduler.running)
        return sum(map(shaped, running)) >= fault.together

    def _die(self, now: float, seconds: float) -> None:
        self._down_until = now + seconds
        self.lost.extend(self.process.die())
