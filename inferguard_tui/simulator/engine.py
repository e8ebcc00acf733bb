"""The simulated engine: clients, server and faults on one clock that only `advance` moves.

Everything happens in order of time, so the same seed gives the same pages however `advance` is called.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from inferguard_tui.simulator.dialect import Dialect
from inferguard_tui.simulator.episodes import EpisodeClock
from inferguard_tui.simulator.faults import Crash, Fault, ShapeCrash, SlowApi, Stall, Throttle
from inferguard_tui.simulator.ledger import Ledger
from inferguard_tui.simulator.request import Request, Segment
from inferguard_tui.simulator.rng import stream
from inferguard_tui.simulator.server_process import ServerProcess
from inferguard_tui.simulator.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_tui.simulator.scenario import Scenario
    from inferguard_tui.simulator.step import Step

VIRTUAL_EPOCH = 1_800_000_000.0
"""Unix time of scenario time 0 when no clock is given."""


class Condition(StrEnum):
    """What a client meets."""

    SERVING = "serving"
    STALLED = "stalled"
    DOWN = "down"


class SimulatedEngine:
    """One endpoint. Times are seconds of scenario time; `epoch_unix` is the wall clock at 0."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        engine: Dialect = Dialect.VLLM_V1,
        seed: int = 0,
        epoch_unix: float = VIRTUAL_EPOCH,
    ) -> None:
        self.scenario = scenario
        self.dialect = engine
        self.now = -scenario.history_s
        self.on_step: list[Callable[[Step], None]] = []
        """Told of every completed step; for measuring from outside."""
        self.epoch_unix = epoch_unix
        self._jitter = stream(seed, "jitter")
        self._acceptance = stream(seed, "acceptance")
        self._workload = Workload(scenario.traffic, scenario.size, seed, self.now)
        self.ledger = Ledger()
        self._episodes = EpisodeClock(scenario.episodes)
        self._faults: list[Fault] = sorted(scenario.faults, key=lambda fault: fault.at)
        self._patient_stall: Stall | None = None
        self._deadly = tuple(fault for fault in scenario.faults if isinstance(fault, ShapeCrash))
        self._down_until: float | None = None
        self.process = self._boot()
        self.process.turn(self.now)
        self.advance(0.0)

    @property
    def condition(self) -> Condition:
        if self._down_until is not None:
            return Condition.DOWN
        return Condition.STALLED if self.process.frozen(self.now) else Condition.SERVING

    @property
    def api_delay_s(self) -> float:
        """How much later than usual the API server answers now."""
        return sum(
            fault.delay_s
            for fault in self.scenario.faults
            if isinstance(fault, SlowApi) and fault.at <= self.now < fault.at + fault.seconds
        )

    def advance(self, to_seconds: float) -> None:
        """Let everything happen up to and including `to_seconds`. Going back does nothing."""
        while (at := self._next_event()) <= to_seconds:
            self.now = max(self.now, at)
            self._happen()
        self.now = max(self.now, to_seconds)

    def exposition(self) -> str:
        """The body that `GET /metrics` would have now."""
        return self.process.text(self.now)

    def episodes(self) -> list[dict[str, Any]]:
        """Ground truth so far, as the `episodes` of a labels file: those that did harm."""
        return [episode for episode in self._episodes.labels(self.now, self.ledger) if episode["kinds"]]

    def harmless(self) -> list[dict[str, Any]]:
        """Declared episodes that did too little to demand an alarm; nor is one of theirs false."""
        return [episode for episode in self._episodes.labels(self.now, self.ledger) if not episode["kinds"]]

    def labels(self) -> dict[str, Any]:
        """A whole labels file for a recording of this engine that starts at scenario time 0."""
        faults = sorted(self.scenario.faults, key=lambda fault: fault.at)
        events = [{"t": fault.at, "event": type(fault).__name__.lower()} for fault in faults]
        return {
            "scenario": self.scenario.name,
            "engine": self.dialect.engine,
            "version": f"{self.dialect.version} (simulated)",
            "events": [*events, {"t": round(self.now, 3), "event": "end"}],
            "episodes": self.episodes(),
        }

    def submit(
        self,
        segments: tuple[Segment, ...],
        *,
        max_tokens: int,
        target_tokens: int,
        handler: str,
        streaming: bool,
        on_tokens: Callable[[int], None],
    ) -> Request:
        """Take a request from a client over the socket, at `now`. The caller has checked its length.

        `on_tokens` hears how many tokens each step made, and 0 when the server died.
        """
        request = Request(
            number=self._workload.composer.next_number(),
            arrived_at=self.now,
            segments=segments,
            max_tokens=max_tokens,
            target_tokens=target_tokens,
            handler=handler,
            streaming=streaming,
            on_tokens=on_tokens,
        )
        self._arrive(request)
        self.process.turn(self.now)
        return request

    def hang_up(self, request: Request) -> None:
        """The client of an unfinished request is gone."""
        self.process.hang_up(request, self.now)
        self.process.turn(self.now)

    def _boot(self) -> ServerProcess:
        size = self.scenario.size
        return ServerProcess(
            self.dialect.schedulers(size, self._jitter, self._acceptance),
            self.dialect.page(size, self.now, self.epoch_unix + self.now),
            self.now,
        )

    def _next_event(self) -> float:
        at = min(self._workload.next_at, self._workload.next_deadline)
        if self._faults:
            at = min(at, self._faults[0].at)
        if self._down_until is not None:
            return min(at, self._down_until)
        return min(at, self.process.next_at(self.now))

    def _happen(self) -> None:
        now = self.now
        if self._down_until is not None and now >= self._down_until:
            self._down_until = None
            self.process = self._boot()
            self.ledger.restarted(now)
        while self._faults and self._faults[0].at <= now:
            self._strike(self._faults.pop(0))
        preempted = sum(self._report(step) for step in self._completed())
        while self._workload.next_at <= now:
            self._arrive(self._workload.take())
        gone = self._workload.impatient(now)
        self.ledger.hung_up(gone, now)
        for request in gone:
            self.process.hang_up(request, now)
        up = self._down_until is None
        if up:
            self.process.turn(now)
            self._freeze_when_idle()
        self.ledger.look(self.process if up else None, now)
        trouble = bool(preempted) or self.condition is not Condition.SERVING or self.process.held_up(now)
        self._episodes.observe(now, trouble=trouble)

    def _completed(self) -> list[Step]:
        if self._down_until is not None:
            return []
        steps = self.process.complete(self.now)
        for fault in self._deadly:
            if any(self._kills(fault, step) for step in steps):
                self._die(fault.restart_s)
        return steps

    def _kills(self, fault: ShapeCrash, step: Step) -> bool:
        def shaped(request: Request) -> bool:
            return request.prompt_tokens >= fault.prompt_tokens and request.max_tokens >= fault.max_tokens

        if not fault.at <= self.now < fault.at + fault.seconds or not any(map(shaped, step.admitted)):
            return False
        running = (r for rank in self.process.ranks for r in rank.scheduler.running)
        return sum(map(shaped, running)) >= fault.together

    def _freeze_when_idle(self) -> None:
        stall = self._patient_stall
        if stall is not None and self.process.idle:
            self.process.freeze(self.now, stall.seconds)
            self._patient_stall = None

    def _strike(self, fault: Fault) -> None:
        up = self._down_until is None
        if isinstance(fault, Stall) and up:
            if fault.when_idle:
                self._patient_stall = fault
            else:
                self.process.freeze(self.now, fault.seconds)
        elif isinstance(fault, Crash) and up:
            self._die(fault.seconds)
        elif isinstance(fault, Throttle):
            self.process.slowness = fault.factor
            if fault.seconds:
                self._faults.append(replace(fault, at=fault.at + fault.seconds, seconds=0.0, factor=1.0))
                self._faults.sort(key=lambda later: later.at)

    def _die(self, seconds: float) -> None:
        self._down_until = self.now + seconds
        for request in self.process.die():
            self._workload.lost(request, self.now)

    def _report(self, step: Step) -> int:
        """Tell everyone of a completed step; how many requests it preempted."""
        self.ledger.step(step, self.now)
        for request in step.first_tokens:
            self._workload.first_token(request, self.now)
        for request in step.finished:
            self._workload.answered(request, self.now)
        for request in step.failed:
            self._workload.lost(request, self.now)
        for listener in self.on_step:
            listener(step)
        return len(step.preempted)

    def _arrive(self, request: Request) -> None:
        if self._down_until is not None:
            self._workload.lost(request, self.now)
            return
        if request.invalid:
            self.process.page.refused(request.handler, 400)
            return
        request.lay_out(self.scenario.size.block_size)
        self.process.accept(request)
        self._workload.connected(request)
