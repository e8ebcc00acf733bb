"""A monitor that comes back knows what the last one knew: simulated engines on virtual time, a real file."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from inferguard_core.assemble import endpoint_frame
from inferguard_core.detect.limits import Limits
from inferguard_core.frame import IncidentState, MeasureId
from inferguard_core.memory.reopened import reopened
from inferguard_core.memory.scribe import Scribe
from inferguard_core.memory.slices import Slices
from inferguard_core.memory.sqlite import SqliteMemory
from inferguard_core.monitor import Listener
from inferguard_core.poll import ProofLevel
from inferguard_core.recent import RecentPolls
from inferguard_core.sources.recording import RecordingFile
from inferguard_core.watch import EndpointWatch
from inferguard_tui.simulator.dialect import Dialect
from inferguard_tui.simulator.engine import SimulatedEngine
from inferguard_tui.simulator.scenarios import SCENARIOS
from inferguard_tui.simulator.source import SimulatedSource

if TYPE_CHECKING:
    from pathlib import Path

URL = "http://sim"
INTERVAL_S = 2.0


class Run:
    """One monitor of one engine; `until` lets virtual time pass."""

    def __init__(self, path: Path, source: SimulatedSource, recent: RecentPolls | None = None) -> None:
        self.now = 0.0
        self.recent = recent
        self.source = source
        self.watch = EndpointWatch(URL, "sim", INTERVAL_S, ProofLevel.SIMULATED, Limits())
        self.memory = SqliteMemory(path)
        slices = Slices(path.parent / "incidents", lambda _endpoint: self.recent)
        self.scribe = Scribe(self.memory, clock=lambda: self.now, slices=slices)
        self.listener = self.scribe.beside(Listener())

    async def begin(self, now: float) -> Run:
        self.now = now
        await self.scribe.start([self.watch])
        return self

    async def until(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            poll = await self.source.poll()
            self.now = poll.unix
            if self.recent is not None:
                self.recent.add(poll)
            self.listener.on_poll(URL, poll)
            for event in self.watch.observe(poll):
                self.listener.on_event(event)
            self.listener.on_judged(self.watch)
            await asyncio.sleep(0)

    async def end(self) -> None:
        await self.scribe.close([self.watch])


def simulated(scenario: str) -> SimulatedSource:
    return SimulatedSource(
        SimulatedEngine(SCENARIOS[scenario], engine=Dialect.VLLM_V1, seed=1), interval_s=INTERVAL_S
    )


async def first_poll(source: SimulatedSource) -> float:
    return (await source.poll()).unix


async def test_sparklines_are_full_and_baselines_known_when_a_monitor_comes_back(tmp_path: Path) -> None:
    source = simulated("healthy")
    before = Run(tmp_path / "state.db", source)
    await before.begin(await first_poll(source))
    await before.until(300)
    await before.end()
    assert before.watch.learned.baselines.learning == {} or before.watch.learned.baselines.by_name

    after = await Run(tmp_path / "state.db", source).begin(before.now + 4)
    ring = after.watch.trends[MeasureId.RUNNING].trends[0]
    assert ring is not None
    assert sum(value is not None for value in ring.values) >= 0.9 * 300 / INTERVAL_S
    assert after.watch.learned.to_json() == before.watch.learned.to_json()
    await after.until(10)
    learnt = before.watch.learned.baselines.by_name
    kept = after.watch.learned.baselines.by_name
    assert (
        {name for name, b in kept.items() if b.trusted}
        >= {name for name, b in learnt.items() if b.trusted}
        != set()
    )
    await after.end()


async def test_an_incident_goes_on_under_its_name_over_a_restart_of_the_monitor(tmp_path: Path) -> None:
    source = simulated("kv_exhausted")
    before = Run(tmp_path / "state.db", source)
    await before.begin(await first_poll(source))
    while before.watch.log.open is None or before.watch.casebook.diagnosis is None:
        await before.until(10)
    await before.until(20)
    known = before.watch.log.open
    await before.end()
    stored = await before.memory.case(known.id)
    assert stored is not None
    assert stored.diagnosis is not None
    assert stored.incident.anomalies == known.anomalies
    assert stored.shape.numbers[MeasureId.WAITING if "waiting" in stored.shape.numbers else "queue"] > 0

    after = await Run(tmp_path / "state.db", source).begin(before.now + 5)
    assert after.watch.log.open is None
    assert after.watch.log.incidents[-1] == known
    await after.until(60)
    again = after.watch.log.open
    assert again is not None
    assert (again.id, again.state) == (known.id, IncidentState.REOPENED)
    assert any(line.text.startswith("not watched since ") for line in again.timeline)
    await after.end()
    assert [c.id for c in await after.memory.cases()] == [known.id]


async def joined(tmp_path: Path) -> tuple[Run, Run]:
    """A watcher with an open incident that is stored, and a second one of the same engine that has just begun."""
    source = simulated("kv_exhausted")
    first = await Run(tmp_path / "state.db", source).begin(await first_poll(source))
    while first.watch.log.open is None:
        await first.until(10)
    await asyncio.sleep(1.2)
    second = await Run(tmp_path / "state.db", source).begin(first.now)
    return first, second


async def test_a_second_watcher_of_one_incident_takes_back_that_nobody_watched(tmp_path: Path) -> None:
    first, second = await joined(tmp_path)
    second.now = first.now
    await second.until(30)
    own = second.watch.log.open
    assert own is not None
    assert own.state is IncidentState.REOPENED
    for _ in range(8):
        await first.until(12)
        await asyncio.sleep(2.6)
        if second.watch.log.incidents[-1].reopened == 0:
            break
    states = set()
    for run in (second, first, second, first):
        await run.until(12)
        await asyncio.sleep(1.2)
        (kept,) = await first.memory.cases()
        states.add((kept.incident.state, kept.incident.reopened))
        assert not any(line.text.startswith("not watched") for line in kept.incident.timeline)
    assert states == {(IncidentState.OPEN, 0)}
    await second.end()
    await first.end()


async def test_a_second_watcher_shows_an_open_incident_as_open_from_its_first_frame(tmp_path: Path) -> None:
    first, second = await joined(tmp_path)
    shown = endpoint_frame(second.watch, second.now, 0.0)
    (known,) = shown.incidents
    assert (known.id, known.state) == (first.watch.log.open.id, IncidentState.OPEN)
    assert shown.incident is None
    # The first goes on writing; the second hears of that before it has seen anything itself.
    for _ in range(8):
        await first.until(12)
        await asyncio.sleep(2.6)
        if second.watch.log.elsewhere is not None and second.watch.log.elsewhere.goes_on:
            break
    assert second.watch.log.incidents[-1].state is IncidentState.OPEN
    second.now = first.now
    await second.until(30)
    own = second.watch.log.open
    assert own is not None
    assert (own.id, own.state, own.reopened) == (first.watch.log.incidents[-1].id, IncidentState.OPEN, 0)
    assert not any(line.text.startswith("not watched") for line in own.timeline)
    await second.end()
    await first.end()


async def test_an_incident_that_ended_while_nobody_watched_says_so(tmp_path: Path) -> None:
    source = simulated("kv_exhausted")
    before = Run(tmp_path / "state.db", source)
    await before.begin(await first_poll(source))
    while before.watch.log.open is None:
        await before.until(10)
    last_seen = before.now
    await before.end()

    after = await Run(tmp_path / "state.db", simulated("healthy")).begin(last_seen + 7200)
    (closed,) = after.watch.log.incidents
    assert (closed.state, closed.ended_unix) == (IncidentState.RESOLVED, last_seen)
    assert "when it ended is not known" in closed.timeline[-1].text
    await after.end()
    (stored,) = await after.memory.cases()
    assert stored.incident.state is IncidentState.RESOLVED


async def test_an_open_incident_is_shown_with_earlier_ones_like_it(tmp_path: Path) -> None:
    earlier = Run(tmp_path / "state.db", source := simulated("kv_exhausted"))
    await earlier.begin(await first_poll(source))
    while earlier.watch.casebook.diagnosis is None:
        await earlier.until(10)
    await earlier.end()
    first = earlier.watch.log.incidents[-1]

    other = Run(tmp_path / "state.db", source := simulated("kv_exhausted"))
    other.watch = EndpointWatch("http://other", "other", INTERVAL_S, ProofLevel.SIMULATED, Limits())
    await other.begin(await first_poll(source))
    for _ in range(60):
        await other.until(10)
        await asyncio.sleep(0.05)
        if other.watch.followup.similar:
            break
    frame = endpoint_frame(other.watch, other.now, 0.0)
    await other.end()
    (like,) = frame.similar
    assert (like.incident_id, like.cause) == (first.id, "kv_exhausted")
    assert any(why.startswith("both had ") for why in like.why)
    assert like.done == ""


async def test_a_past_incident_opens_in_the_panels_of_a_live_one(tmp_path: Path) -> None:
    run = Run(tmp_path / "state.db", source := simulated("kv_exhausted"))
    await run.begin(await first_poll(source))
    while run.watch.casebook.diagnosis is None:
        await run.until(10)
    live = endpoint_frame(run.watch, run.now, None)
    await run.end()
    (stored,) = await run.memory.cases()
    (past,) = reopened(stored).endpoints
    assert (past.diagnosis, past.advisories, past.fix) == (live.diagnosis, live.advisories, live.fix)
    assert past.incident == live.incident
    assert past.measures == live.measures
    assert list(past.trends[MeasureId.KV_USAGE].values) == list(live.trends[MeasureId.KV_USAGE].values)
    assert past.proof is ProofLevel.SIMULATED


@pytest.mark.parametrize("recent", [None, RecentPolls()], ids=["its own pages", "pages kept for exports"])
async def test_an_incident_is_recorded_from_before_it_began_and_its_recording_shows_it_again(
    tmp_path: Path, recent: RecentPolls | None
) -> None:
    run = Run(tmp_path / "state.db", source := simulated("kv_exhausted"), recent)
    await run.begin(await first_poll(source))
    while run.watch.casebook.diagnosis is None:
        await run.until(10)
    opened = run.watch.log.incidents[-1].opened_unix
    await run.end()
    (kept,) = await run.memory.cases()
    recording = RecordingFile.open(tmp_path / "incidents" / kept.recording.rpartition("/")[2])
    assert isinstance(recording, RecordingFile)
    polls = list(recording.polls())
    assert opened - 130 <= polls[0].unix <= opened - 30
    assert polls[-1].unix == run.watch.newest.unix
    again = EndpointWatch(URL, "sim", INTERVAL_S, ProofLevel.RECORDED, Limits())
    for poll in polls:
        again.observe(poll)
    assert again.log.open is not None
    assert "kv" in again.log.open.headline
