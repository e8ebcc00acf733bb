"""Endpoints that join and leave a running monitor, and fleets that bring them."""

from __future__ import annotations

import asyncio
import time

from inferguard_core.detect.limits import Limits
from inferguard_core.frame import PartHealth, Status
from inferguard_core.monitor import Monitor
from inferguard_core.poll import Poll, ProofLevel
from tests.core.test_monitor import Hung, Raising, Scripted, until
from tests.core.test_watch import page


def names(monitor: Monitor) -> list[str]:
    return [e.name for e in monitor.frame().endpoints]


def ours() -> set[asyncio.Task]:
    return {t for t in asyncio.all_tasks() if t is not asyncio.current_task()}


async def test_an_endpoint_that_joins_is_polled_and_one_that_left_is_not():
    stays, leaves, joins = Scripted("stays"), Scripted("leaves"), Scripted("joins")
    monitor = Monitor([("stays", stays), ("leaves", leaves)], 0.02, Limits())
    monitor.start()
    await until(lambda: leaves.asked)
    monitor.remove(leaves.endpoint)
    monitor.add("joins", joins)
    assert names(monitor) == ["stays", "joins"]
    await until(lambda: leaves.closed)
    asked, before = leaves.asked, joins.asked
    await until(lambda: joins.asked > before + 2)
    assert leaves.asked == asked
    await monitor.close()
    assert stays.closed
    assert joins.closed


async def test_who_is_watched_already_keeps_its_state():
    monitor = Monitor([("a", Scripted("a"))], 0.02, Limits())
    monitor.start()
    await until(lambda: monitor.watches[0].polls)
    before = monitor.watches[0]
    again = Scripted("a")
    monitor.add("a", again)
    await asyncio.sleep(0.1)
    assert monitor.watches == (before,)
    assert again.asked == 0
    await monitor.close()


async def test_a_thousand_comings_and_goings_leak_no_task():
    before = ours()
    monitor = Monitor([], 0.01, Limits())
    monitor.start()
    sources = [Hung(f"h{n}") if n % 3 else Scripted(f"s{n}") for n in range(1000)]
    for source in sources:
        monitor.add(source.endpoint, source)
        await asyncio.sleep(0)
        monitor.remove(source.endpoint)
    await until(lambda: ours() == before)
    assert all(s.closed for s in sources)
    assert names(monitor) == []
    await monitor.close()
    assert ours() == before


async def test_one_that_is_leaving_while_the_monitor_closes_is_still_closed():
    before = ours()
    source = Hung("slow")
    monitor = Monitor([("slow", source)], 0.01, Limits())
    monitor.start()
    await until(lambda: source.asked)
    monitor.remove(source.endpoint)
    await monitor.close()
    assert source.closed
    assert ours() == before


class Bringing:
    """A fleet that admits one endpoint and delivers it a page every so often."""

    def __init__(self, fails: int = 0) -> None:
        self.fails = fails
        self.followed = 0
        self.closed = False
        self.health = PartHealth("list", "ok")

    async def follow(self, members) -> None:
        self.followed += 1
        if self.followed <= self.fails:
            raise RuntimeError("a fault of ours")
        members.admit("brought", "http://brought", ProofLevel.LIVE, 0.02)
        count = 0
        while True:
            count += 1
            members.deliver("http://brought", Poll(time.monotonic(), time.time(), 1.0, body=page(count)))
            members.deliver("http://unknown", Poll(time.monotonic(), time.time(), 1.0, body=page(count)))
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        self.closed = True


async def test_a_fleet_delivers_polls_and_shows_its_health():
    before = ours()
    fleet = Bringing()
    monitor = Monitor([("a", Scripted("a"))], 0.02, Limits(), fleets=[fleet])
    monitor.start()
    await until(lambda: len(monitor.watches) == 2 and monitor.watches[1].polls > 3)
    frame = monitor.frame()
    assert [e.name for e in frame.endpoints] == ["a", "brought"]
    assert frame.endpoints[1].status is Status.OK
    assert [p.part for p in frame.parts] == ["poll", "list"]
    await monitor.close()
    assert fleet.closed
    assert ours() == before


async def test_a_fault_in_a_fleet_is_its_own_and_passes(monkeypatch):
    monkeypatch.setattr("inferguard_core.monitor.BACK_OFF_MAX_S", 0.05)
    fleet, fine = Bringing(fails=2), Scripted("fine")
    monitor = Monitor([("fine", fine), ("broken", Raising("broken"))], 0.02, Limits(), fleets=[fleet])
    monitor.start()
    await until(lambda: "brought" in names(monitor) and monitor.watches[2].polls > 3)
    assert fleet.followed == 3
    assert {e.name for e in monitor.frame().endpoints} == {"fine", "broken", "brought"}
    await monitor.close()
