"""Runs cases: a simulated engine on virtual time under watches at several intervals, in worker processes."""

from __future__ import annotations

import asyncio
import multiprocessing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from evaluate.cases import INTERVALS_S, Case
from evaluate.score import Event, RunScore, score_run
from inferguard_core.detect.limits import Limits
from inferguard_core.engines import EngineReader
from inferguard_core.poll import EndpointFacts, Poll, ProofLevel
from inferguard_core.watch import EndpointWatch
from inferguard_tui.simulator.engine import SimulatedEngine
from inferguard_tui.simulator.scenarios import SCENARIOS
from inferguard_tui.simulator.source import SimulatedSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from inferguard_core.reading import Reading


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case at one interval."""

    group: str
    """What it is listed under: the scenario, or the recording."""
    name: str
    split: str
    interval_s: float
    score: RunScore
    harmless: int = 0
    """Declared episodes that did too little harm to be demanded."""


class PageReader(EngineReader):
    """Reads a page once for all the onlookers that are shown it, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self._newest: tuple[str, str | None, Reading] | None = None

    def read(self, body: str, version: str | None = None) -> Reading:
        newest = self._newest
        if newest is None or newest[0] is not body or newest[1] != version:
            newest = self._newest = (body, version, super().read(body, version))
        return newest[2]


class Onlooker:
    """One watch at its own interval: it sees every n-th page of a run."""

    def __init__(self, every: int, reader: EngineReader) -> None:
        self.every = every
        self.events: list[Event] = []
        self._watch = EndpointWatch(
            "http://simulated", "simulated", float(every), ProofLevel.SIMULATED, Limits(), reader
        )
        self._facts: EndpointFacts | None = None

    def offer(self, number: int, poll: Poll) -> None:
        """Look at the poll when it is one of ours. Facts wait for it, since a live source asks them anew."""
        self._facts = poll.facts or self._facts
        if number % self.every:
            return
        seen = replace(poll, facts=self._facts)
        self._facts = None
        self.events += [event.to_json() for event in self._watch.observe(seen)]


async def watched(
    case: Case, intervals: Sequence[int] = INTERVALS_S
) -> tuple[dict[str, Any], dict[int, list[Event]]]:
    """The labels of a run, and by interval the events that its watch told."""
    scenario = SCENARIOS[case.scenario].scaled(case.load)
    engine = SimulatedEngine(scenario, engine=case.dialect, seed=case.seed)
    source = SimulatedSource(engine, interval_s=1.0)
    reader = PageReader()
    onlookers = [Onlooker(every, reader) for every in intervals]
    for number in range(int(case.seconds) + 1):
        poll = await source.poll()
        for onlooker in onlookers:
            onlooker.offer(number, poll)
    labels = {**engine.labels(), "harmless": engine.harmless()}
    return labels, {onlooker.every: onlooker.events for onlooker in onlookers}


def run_case(case: Case) -> list[Outcome]:
    """One outcome for each interval."""
    labels, told = asyncio.run(watched(case))
    return [
        Outcome(
            group=case.scenario,
            name=case.name,
            split=case.split,
            interval_s=every,
            score=score_run(events, labels, case.seconds),
            harmless=len(labels["harmless"]),
        )
        for every, events in told.items()
    ]


def run_all(cases: Sequence[Case], jobs: int) -> Iterator[list[Outcome]]:
    """Outcomes in the order of `cases`, each as soon as it and those before it are done."""
    if jobs == 1:
        yield from map(run_case, cases)
        return
    # Spawned rather than forked: a worker then holds only what it imports, on every system alike.
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        yield from pool.imap(run_case, cases)
