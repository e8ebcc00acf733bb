"""How well past incidents are found again: simulated ones of every cause stored, new ones asked by shape alone.

Two incidents are alike when the scenario that made them declares the same cause. What the monitor concluded is
part of the question, right or wrong, as it is on a real night.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from evaluate.cases import TROUBLED
from inferguard_core.detect.limits import Limits
from inferguard_core.memory.case import Case
from inferguard_core.memory.protocol import Query
from inferguard_core.memory.scribe import Scribe
from inferguard_core.memory.sqlite import SqliteMemory
from inferguard_core.poll import ProofLevel
from inferguard_core.watch import EndpointWatch
from inferguard_tui.simulator.engine import SimulatedEngine
from inferguard_tui.simulator.scenarios import SCENARIOS
from inferguard_tui.simulator.source import SimulatedSource

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from inferguard_core.memory.shape import Shape
    from inferguard_tui.simulator.dialect import Dialect

STORED, CROWD = 300, 10_000
ASKED_SEEDS = (901, 902)
QUICK_STORED, QUICK_SEEDS = 90, (901,)
INTERVAL_S = 5.0
EARLY_S = 60.0
"""So long after an incident opened it is also asked about, as by somebody who was just woken."""
DEPTH = 10
QUESTIONS = (
    "KV pressure on GPT-OSS",
    "engine hung, nothing comes out",
    "prefix cache hit rate fell after deploy",
)


class Plan(NamedTuple):
    scenario: str
    dialect: Dialect
    seed: int
    load: float


@dataclass(frozen=True, slots=True)
class Lived:
    """One incident of a simulated run."""

    cause: str
    """As its scenario declares it."""
    case: Case
    early: Shape
    """What was known of it a minute in."""


class _Collector:
    """Keeps what a scribe puts."""

    def __init__(self) -> None:
        self.kept: dict[str, Case] = {}

    def put(self, record: object) -> None:
        if isinstance(record, Case):
            self.kept[record.id] = record

    async def learned(self, _endpoint: str) -> None: ...

    async def readings(self, _endpoint: str, _since: float) -> tuple[()]:
        return ()

    async def cases(self, _endpoint: str, _limit: int) -> tuple[()]:
        return ()

    async def recall(self, _query: Query) -> tuple[()]:
        return ()

    async def track_record(self) -> Any:
        from inferguard_core.actions import ActionHistory

        return ActionHistory()


def run(jobs: int, *, quick: bool) -> list[str]:
    """The part of the report about recall."""
    began = time.monotonic()
    stored = _lived(_plans(QUICK_STORED if quick else STORED), jobs)
    asked = _lived([p for seed in (QUICK_SEEDS if quick else ASKED_SEEDS) for p in _asked(seed)], jobs)
    with tempfile.TemporaryDirectory() as directory:
        return asyncio.run(_measured(Path(directory), stored, asked, began))


def _combinations() -> list[tuple[str, Dialect]]:
    return [(name, dialect) for name in TROUBLED for dialect in SCENARIOS[name].engines]


def _plans(count: int) -> list[Plan]:
    pairs = _combinations()
    rng = random.Random(5)
    return [Plan(*pairs[n % len(pairs)], 200 + n // len(pairs), rng.uniform(0.85, 1.2)) for n in range(count)]


def _asked(seed: int) -> list[Plan]:
    rng = random.Random(seed)
    return [Plan(*pair, seed, rng.uniform(0.85, 1.2)) for pair in _combinations()]


def _lived(plans: Sequence[Plan], jobs: int) -> list[Lived]:
    lived: list[Lived] = []
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for number, found in enumerate(pool.imap(live, plans, chunksize=4), 1):
            lived += found
            if sys.stderr.isatty():
                print(f"\r{number}/{len(plans)} incidents", end="", file=sys.stderr)
    return lived


def live(plan: Plan) -> list[Lived]:
    """The worst incident of one run; none where nothing was seen."""
    return asyncio.run(_live(plan))


async def _live(plan: Plan) -> list[Lived]:
    scenario = SCENARIOS[plan.scenario].scaled(plan.load)
    engine = SimulatedEngine(scenario, engine=plan.dialect, seed=plan.seed)
    name = f"{plan.scenario}-{plan.dialect.value}-{plan.seed}"
    source = SimulatedSource(engine, interval_s=INTERVAL_S)
    watch = EndpointWatch(f"http://{name}", name, INTERVAL_S, ProofLevel.SIMULATED, Limits())
    collector: Any = _Collector()
    now = 0.0
    scribe = Scribe(collector, clock=lambda: now)
    early: dict[str, Shape] = {}
    for _ in range(int(scenario.seconds / INTERVAL_S)):
        poll = await source.poll()
        now = poll.unix
        watch.observe(poll)
        scribe.judged(watch)
        incident = watch.log.open
        if incident is not None and now - incident.opened_unix >= EARLY_S:
            early.setdefault(incident.id, scribe.shape(watch))
    if not collector.kept:
        return []
    case = max(
        collector.kept.values(), key=lambda c: (c.incident.worst, c.seen_unix - c.incident.opened_unix)
    )
    declared = next((e.cause[0] for e in scenario.episodes if e.cause), plan.scenario)
    return [Lived(declared, case, early.get(case.id, case.shape))]


async def _measured(
    directory: Path, stored: Sequence[Lived], asked: Sequence[Lived], began: float
) -> list[str]:
    path = directory / "state.db"
    await _filled(path, [one.case for one in stored])
    memory = SqliteMemory(path, read_only=True)
    causes = {one.case.id: one.cause for one in stored}
    lines = [
        f"{len(stored)} incidents of {len(set(causes.values()))} causes stored, {len(asked)} others asked by shape"
    ]
    lines.append(f"  {'asked':<22} {'precision@3':>12} {'MRR':>6}   worst causes")
    for label, shapes in (
        ("when it was over", [a.case.shape for a in asked]),
        ("a minute in", [a.early for a in asked]),
    ):
        scores = [await _score(memory, one, shape, causes) for one, shape in zip(asked, shapes, strict=True)]
        precision, rank = (statistics.fmean(values) for values in zip(*scores, strict=True))
        lines.append(f"  {label:<22} {precision:>12.3f} {rank:>6.3f}   {_worst(asked, scores)}")
    crowd = directory / "crowd.db"
    await _filled(crowd, list(_crowd([one.case for one in stored])))
    lines += await _times(SqliteMemory(crowd, read_only=True), asked)
    return [*lines, f"recall in {time.monotonic() - began:.0f} s"]


async def _filled(path: Path, cases: Sequence[Case]) -> None:
    memory = SqliteMemory(path)
    await memory.start()
    for case in cases:
        memory.put(case)
    for _ in range(600):
        if await memory.read(_count, 0) >= len(cases):
            break
        await asyncio.sleep(0.2)
    await memory.close()


def _count(connection: sqlite3.Connection) -> int:
    (number,) = connection.execute("SELECT count(*) FROM cases").fetchone()
    return int(number)


async def _score(
    memory: SqliteMemory, one: Lived, shape: Shape, causes: dict[str, str]
) -> tuple[float, float]:
    """(share of the first three that are of its cause, 1 ÷ rank of the first that is)."""
    found = await memory.recall(Query(shape=shape, limit=DEPTH))
    right = [causes[similar.incident_id] == one.cause for similar in found]
    first = next((1.0 / rank for rank, is_right in enumerate(right, 1) if is_right), 0.0)
    return sum(right[:3]) / 3.0, first


def _worst(asked: Sequence[Lived], scores: Sequence[tuple[float, float]]) -> str:
    by_cause: dict[str, list[float]] = {}
    for one, (precision, _) in zip(asked, scores, strict=True):
        by_cause.setdefault(one.cause, []).append(precision)
    means = sorted((statistics.fmean(values), cause) for cause, values in by_cause.items())
    return ", ".join(f"{cause} {mean:.2f}" for mean, cause in means[:3])


def _crowd(cases: Sequence[Case]) -> Iterator[Case]:
    """Many incidents made of few: each a little different in every number."""
    rng = random.Random(7)
    for number in range(CROWD):
        case = cases[number % len(cases)]
        numbers = {name: value * rng.uniform(0.8, 1.25) for name, value in case.shape.numbers.items()}
        incident = replace(case.incident, id=f"{case.id}/{number}", endpoint=f"http://crowd-{number}")
        yield replace(case, incident=incident, shape=replace(case.shape, numbers=numbers))


async def _times(memory: SqliteMemory, asked: Sequence[Lived]) -> list[str]:
    lines = [f"  {CROWD} stored, ms from question to answers:  wall median     p95     CPU median"]
    shapes = [one.case.shape for one in asked[:40]]
    for label, queries in (
        ("shape", [Query(shape=shape) for shape in shapes]),
        ("words", [Query(text) for text in QUESTIONS for _ in range(10)]),
        ("both", [Query(text, shape) for text in QUESTIONS for shape in shapes[:10]]),
    ):
        wall, cpu = [], []
        for query in queries:
            began, worked = time.perf_counter(), time.process_time()
            await memory.recall(query)
            wall.append((time.perf_counter() - began) * 1e3)
            cpu.append((time.process_time() - worked) * 1e3)
        p95 = sorted(wall)[int(0.95 * (len(wall) - 1))]
        lines.append(
            f"  {label:<44} {statistics.median(wall):>10.1f} {p95:>7.1f} {statistics.median(cpu):>14.1f}"
        )
    return lines
