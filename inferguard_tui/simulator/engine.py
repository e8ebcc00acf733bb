"""The simulated engine: clients, server and faults on one clock that only `advance` moves.

Everything happens in order of time, so the same seed gives the same pages however `advance` is called.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from inferguard_tui.simulator.dialect import Dialect
from inferguard_tui.simulator.episodes import EpisodeClock
from inferguard_tui.simulator.faults import SlowApi
from inferguard_tui.simulator.gateway import Gateway
from inferguard_tui.simulator.host import Host
from inferguard_tui.simulator.ledger import Ledger
from inferguard_tui.simulator.request import FinishReason, Request, Segment, Status
from inferguard_tui.simulator.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_tui.simulator.scenario import Scenario
    from inferguard_tui.simulator.server_process import ServerProcess
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
        self._workload = Workload(scenario.traffic, scenario.size, seed, self.now)
        self.ledger = Ledger()
        self._episodes = EpisodeClock(scenario.episodes)
        self.gateway = Gateway()
        self.host = Host(scenario.size, engine, scenario.faults, seed, epoch_unix)
        self.host.boot(self.now).turn(self.now)
        self.advance(0.0)

    @property
    def process(self) -> ServerProcess:
        """The server that runs now, or the one that is down."""
        return self.host.process

    @property
    def condition(self) -> Condition:
        if self.host.down:
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
        self.gateway.drop(request)
        self.process.hang_up(request, self.now)
        self.process.turn(self.now)

    def _next_event(self) -> float:
        clients = min(self._workload.next_at, self._workload.next_deadline)
        return min(clients, self.host.next_at(self.now), self.gateway.next_at(self.now))

    def _happen(self) -> None:
        now, host = self.now, self.host
        boots = host.boots
        host.befall(now)
        if host.boots > boots:
            self.ledger.restarted(now)
        preempted = sum(self._report(step) for step in host.complete(now))
        for request in host.lost:
            self._workload.lost(request, now)
        host.lost.clear()
        while self._workload.next_at <= now:
            self._arrive(self._workload.take())
        gone = self._workload.impatient(now)
        self.ledger.hung_up(gone, now)
        for request in gone:
            self.gateway.drop(request)
            self.process.hang_up(request, now)
        self.gateway.pass_on(self.host, self.now)
        host.turn(now)
        uneven = self.ledger.look(None if host.down else self.process, now)
        trouble = (
            bool(preempted) or uneven or self.condition is not Condition.SERVING or self.process.held_up(now)
        )
        self._episodes.observe(now, trouble=trouble)

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
        if self.host.down and not self.host.recycling:
            self._workload.lost(request, self.now)
            return
        if request.invalid:
            self.process.page.refused(request.handler, 400)
            return
        request.lay_out(self.scenario.size.block_size)
        if self.gateway.refuses(request):
            request.status, request.finish_reason = Status.FINISHED, FinishReason.ABORT
            if request.on_tokens is not None:
                request.on_tokens(0)
            self._workload.lost(request, self.now)
            return
        self._workload.connected(request)
        self.gateway.hold(request)
        self.gateway.pass_on(self.host, self.now)
