"""Engines on virtual time with random faults, watched as a monitor watches them, and what was said of each fault.

A fault that must be reported is one that lasts for more polls than a monitor forgives, or that ends a process; a
slow answer within the deadline is none. Faults of one endpoint are further apart than an incident reopens.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from inferguard_core.detect.limits import Limits
from inferguard_core.engines import EngineReader
from inferguard_core.events import IncidentEvent
from inferguard_core.frame import IncidentState
from inferguard_core.poll import Failure, FailureKind, Poll
from inferguard_core.watch import EndpointWatch
from inferguard_tui.simulator.dialect import Dialect
from inferguard_tui.simulator.engine import SimulatedEngine
from inferguard_tui.simulator.faults import Crash, SlowApi
from inferguard_tui.simulator.healthy_scenarios import IDLE_NIGHT
from inferguard_tui.simulator.source import SimulatedSource
from tests.soak.held import Held, growth, held

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INTERVAL_S: Final = 10.0
DEADLINE_S: Final = 2.0
APART_S: Final = 1000.0
"""More than `reopen_within` and `restart_twice_within`, so that each fault is an incident of its own."""
SOON_S: Final = 60.0
"""Within which of its onset a fault has to be reported."""

WEIGHED: Final = 4
"""Endpoints whose memory is looked at."""

GARBAGE: Final = (
    "<!DOCTYPE html><html><body>502 Bad Gateway</body></html>",
    "\x00\x1b[2J\xff" * 400,
    '{"detail": "Not Found"}',
    "vllm:num_requests_running{engine=",
)


@dataclass(frozen=True, slots=True)
class Injected:
    """One fault of one endpoint."""

    kind: str
    """restart, down, hang, garbage, slow."""
    at: float
    seconds: float
    expected: tuple[str, ...]
    """Anomaly kinds of which one must be reported; empty: nothing may be."""

    @property
    def over(self) -> float:
        return self.at + self.seconds


def faults(seed: int, seconds: float) -> Iterator[Injected]:
    """The faults of one endpoint in order of time."""
    dice = random.Random(seed)
    at = dice.uniform(300.0, 300.0 + APART_S)
    while at < seconds - 400.0:
        kind = dice.choice(("restart", "down", "hang", "garbage", "slow"))
        if kind == "restart":
            yield Injected(kind, at, dice.uniform(2.0, 15.0), ("engine_restart",))
        elif kind == "slow":
            yield Injected(kind, at, dice.uniform(60.0, 240.0), ())
        else:
            yield Injected(kind, at, dice.uniform(60.0, 240.0), ("endpoint_down",))
        at += APART_S + 240.0 + dice.uniform(0.0, 600.0)


class FaultySource(SimulatedSource):
    """A simulated engine whose answers are garbage at times."""

    def __init__(self, engine: SimulatedEngine, endpoint: str, injected: tuple[Injected, ...]) -> None:
        super().__init__(engine, interval_s=INTERVAL_S, endpoint=endpoint, timeout_s=DEADLINE_S)
        self._injected = injected

    async def poll(self) -> Poll:
        poll = await super().poll()
        for fault in self._injected:
            if fault.at <= poll.t < fault.over:
                if fault.kind == "garbage":
                    return _garbled(poll)
                if fault.kind == "hang":
                    failure = Failure(FailureKind.TIMED_OUT, f"no answer within {DEADLINE_S:g} s")
                    return replace(poll, body=None, failure=failure)
        return poll


def _garbled(poll: Poll) -> Poll:
    """What a gateway, a broken disk or another program sends in place of a page."""
    bodies = [*GARBAGE, (poll.body or "")[: 40 + int(poll.t) % 30]]
    return replace(poll, body=bodies[int(poll.t / INTERVAL_S) % len(bodies)], failure=None)


@dataclass(slots=True)
class Endpoint:
    watch: EndpointWatch
    source: FaultySource
    injected: tuple[Injected, ...]
    opened: list[tuple[float, str]] = field(default_factory=list)
    """(time, first anomaly) of each incident that opened."""
    reopened: int = 0

    def take(self, poll: Poll) -> None:
        for event in self.watch.observe(poll):
            if isinstance(event, IncidentEvent):
                if event.incident.state is IncidentState.OPEN and event.incident.id not in self._ids:
                    self._ids.add(event.incident.id)
                    self.opened.append((poll.t, event.incident.anomalies[0]))
                self.reopened += event.incident.state is IncidentState.REOPENED

    _ids: set[str] = field(default_factory=set)


def endpoint(number: int, seconds: float, reader: EngineReader, limits: Limits) -> Endpoint:
    injected = tuple(faults(number, seconds))
    made = tuple(
        SlowApi(f.at, f.seconds, DEADLINE_S / 2) if f.kind == "slow" else Crash(f.at, f.seconds)
        for f in injected
        if f.kind in ("slow", "restart", "down")
    )
    dialect = (Dialect.VLLM_V1, Dialect.SGLANG)[number % 2]
    engine = SimulatedEngine(replace(IDLE_NIGHT, faults=made, seconds=seconds), engine=dialect, seed=number)
    url = f"http://gpu-{number:02d}:8000"
    source = FaultySource(engine, url, injected)
    watch = EndpointWatch(url, url.partition("//")[2], INTERVAL_S, source.proof, limits, reader)
    return Endpoint(watch, source, injected)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a soak showed."""

    endpoints: tuple[Endpoint, ...]
    course: tuple[Held, ...]
    """What was held, every ten minutes."""
    seconds: float
    """That it took."""

    @property
    def injected(self) -> int:
        return sum(bool(fault.expected) for each in self.endpoints for fault in each.injected)

    def wrong(self) -> list[str]:
        """Each fault that was not reported, or more than once, and each incident that none explains."""
        return [line for each in self.endpoints for line in _wrong(each)]

    def grown(self) -> list[str]:
        """Each ring that is over its cap, and what grew that is in none."""
        over = {ring.what: ring for each in self.course for ring in each.over}
        lines = [f"{ring.count} {ring.what}: the cap is {ring.cap}" for ring in over.values()]
        return [*lines, *filter(None, [growth(self.course)])]


def soak(endpoints: int, seconds: float, told: Callable[[Held], None] = lambda _held: None) -> Outcome:
    """Watch so many engines for so much virtual time; `told` hears what is held every ten minutes."""
    limits, reader = Limits(), EngineReader()
    watched = tuple(endpoint(n, seconds, reader, limits) for n in range(endpoints))
    course: list[Held] = []
    weighed = [each.watch for each in watched[:WEIGHED]]
    began = time.monotonic()

    async def run() -> None:
        for index in range(int(seconds / INTERVAL_S)):
            for each in watched:
                each.take(await each.source.poll())
            if (index + 1) % 60 == 0:
                course.append(held((index + 1) * INTERVAL_S, weighed, reader))
                told(course[-1])

    asyncio.run(run())
    return Outcome(watched, tuple(course), time.monotonic() - began)


def _wrong(each: Endpoint) -> Iterator[str]:
    left = list(each.opened)
    name = each.watch.name
    for fault in each.injected:
        last = max(fault.over, fault.at + SOON_S) + INTERVAL_S
        own = [found for found in left if fault.at <= found[0] <= last]
        left = [found for found in left if found not in own]
        kinds = [kind for _, kind in own]
        if fault.expected and not (len(kinds) == 1 and kinds[0] in fault.expected):
            yield f"{name}: {fault.kind} at {fault.at:.0f} for {fault.seconds:.0f} s was reported as {kinds}"
        if not fault.expected and kinds:
            yield f"{name}: {fault.kind} at {fault.at:.0f} is no incident and was reported as {kinds}"
    yield from (f"{name}: {kind} at {at:.0f} has no fault" for at, kind in left)
    if each.reopened:
        yield f"{name}: {each.reopened} incidents reopened"
    if each.watch.log.open is not None:
        yield f"{name}: incident {each.watch.log.open.id} is still open"
