"""A real Monitor over real sockets: fifty endpoints behind one server, most of them misbehaving by turns."""

from __future__ import annotations

import asyncio
import gc
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiohttp import web

from inferguard_core.detect.limits import Limits
from inferguard_core.events import Event, IncidentEvent
from inferguard_core.monitor import Listener, Monitor
from inferguard_core.sources.access import Access
from inferguard_core.sources.address import Address, parse_address
from inferguard_tui.connection import Connection, connect
from tests.soak.world import GARBAGE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ENDPOINTS: Final = 50
INTERVAL_S: Final = 0.4
DEADLINE_S: Final = 0.8
FAULT_S: Final = 6.0
KINDS: Final = ("none", "hang", "garbage", "slow", "refuse", "restart")


class Server:
    """Fifty mounts, each with one fault of its own at a random time."""

    def __init__(self) -> None:
        dice = random.Random(7)
        self.began = time.monotonic()
        self.faults = [(KINDS[n % len(KINDS)], dice.uniform(3.0, 6.0)) for n in range(ENDPOINTS)]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        number = int(request.match_info["number"])
        kind, at = self.faults[number]
        now = time.monotonic() - self.began
        if at <= now < at + FAULT_S:
            if kind == "hang":
                await asyncio.sleep(DEADLINE_S * 3)
            if kind == "garbage":
                return web.Response(text=GARBAGE[int(now * 3) % len(GARBAGE)])
            if kind == "slow":
                await asyncio.sleep(DEADLINE_S * 0.4)
            if kind == "refuse":
                request.transport.abort()
        return web.Response(text=self.page(number, restarted=kind == "restart" and now >= at))

    def page(self, number: int, *, restarted: bool) -> str:
        started, served = (self.began + 5.0, 10.0) if restarted else (self.began, 1000.0)
        return (
            f"# TYPE vllm:num_requests_running gauge\n"
            f'vllm:num_requests_running{{engine="0",model_name="m{number}"}} 1.0\n'
            f"# TYPE vllm:generation_tokens_total counter\n"
            f'vllm:generation_tokens_total{{engine="0",model_name="m{number}"}} '
            f"{served + 100 * (time.monotonic() - self.began):.0f}\n"
            f"# TYPE process_start_time_seconds gauge\n"
            f"process_start_time_seconds {1_795_000_000 + started:.2f}\n"
        )


async def serving(server: Server) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_get("/e{number}/metrics", server.answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_each_fault_is_one_incident_and_nothing_is_left_running() -> None:
    before_tasks, before_files = len(asyncio.all_tasks()), descriptors()
    opened: dict[str, list[str]] = {}

    def told(event: Event) -> None:
        if isinstance(event, IncidentEvent) and event.incident.id not in opened.get(event.endpoint, ()):
            opened.setdefault(event.endpoint, []).append(event.incident.id)

    server = Server()
    async for url in serving(server):
        parsed = [parse_address(f"{url}/e{n}") for n in range(ENDPOINTS)]
        addresses = [address for address in parsed if isinstance(address, Address)]
        connection = connect(addresses, Access(timeout_s=DEADLINE_S))
        assert isinstance(connection, Connection)
        monitor = Monitor(connection.sources, INTERVAL_S, Limits(), Listener(on_event=told))
        monitor.start()
        tasks: list[int] = []
        while time.monotonic() - server.began < 16.0:
            await asyncio.sleep(0.5)
            monitor.frame()
            tasks.append(len(asyncio.all_tasks()))
        kinds = {
            address.url: [k for i in watch.log.incidents for k in i.anomalies]
            for address, watch in zip(addresses, monitor.watches, strict=True)
        }
        await monitor.close()
        await connection.close()
    for address, (kind, _) in zip(addresses, server.faults, strict=True):
        expected = {"none": 0, "slow": 0}.get(kind, 1)
        assert len(opened.get(address.url, [])) == expected, (kind, kinds[address.url])
    await asyncio.sleep(0.2)
    gc.collect()
    assert len(asyncio.all_tasks()) == before_tasks
    assert descriptors() <= before_files + 2
    # The least of many: polls that overlap on a busy machine come and go, a task that is leaked stays.
    assert min(tasks[-8:]) < ENDPOINTS * 5
