"""Whether polls keep their rhythm when every cloud is out of reach: one monitor, with its clouds and without.

Each run is a process of its own that watches ten simulated engines, one of them in an overload that lasts, with
Redis, Vector and an LLM set up. In a healthy run they answer; in a cut one their port takes connections and never
says a word, which is what a pulled cable looks like. Healthy and cut runs take turns, so that what else the machine
does falls on both. Three figures of each run:

- frame lag: from the end of a poll to the frame that shows it; the worst of a run holds the machine's own pauses;
- loop CPU: the longest the event loop's thread computed without letting go, which is the monitor's own doing;
- which parts said that they are down.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack, suppress
from statistics import median
from typing import Any

from bench.lag import FrameLag
from inferguard_tui.simulator.launch import launched

PAIRS = 5
WARM_UP_S = 15.0
"""Clients are loaded and the overload is told."""
MEASURED_S = 30.0
INTERVAL_S = 1.0
TICK_S = 0.002
SECRET = "secret"


def run() -> list[str]:
    clouds = subprocess.Popen(
        [sys.executable, "-m", "bench.cable", "clouds"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert clouds.stdout is not None
        where: dict[str, dict[str, str]] = json.loads(clouds.stdout.readline())
        with launched("self_repair,healthy", "vllm", 10, 1) as urls:
            runs = [(_one(urls, where["healthy"]), _one(urls, where["cut"])) for _ in range(PAIRS)]
    finally:
        clouds.terminate()
        clouds.wait(10)
    lines = [f"ten endpoints every {INTERVAL_S:g} s, {PAIRS} pairs of runs of {MEASURED_S:g} s"]
    for name, what in (("frame_lag_s", "frame lag, worst"), ("loop_cpu_s", "loop CPU, longest")):
        healthy, cut = ([run[name] for run in side] for side in zip(*runs, strict=True))
        each = "  ".join(f"{c / h:.2f}" for h, c in zip(healthy, cut, strict=True))
        ratio = median(c / h for h, c in zip(healthy, cut, strict=True))
        lines.append(
            f"  {what:18} {median(healthy):.3f} s, cut {median(cut):.3f} s   ratio {ratio:.2f} ({each})"
        )
    for name, side in zip(("healthy", "cut"), zip(*runs, strict=True), strict=True):
        said = sorted({part for run in side for part in run["parts"]})
        polls = median(run["polls"] for run in side)
        lines.append(f"  {name:8} {polls:.0f} polls a run; {'; '.join(said)}")
    return lines


def _one(urls: tuple[str, ...], clouds: dict[str, str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as state:
        variables = {**os.environ, **clouds, "INFERGUARD_STATE_DIR": state}
        done = subprocess.run(
            [sys.executable, "-m", "bench.cable", "one", *urls],
            env=variables, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def _measure(urls: list[str]) -> dict[str, Any]:
    from inferguard_core.monitor import Listener
    from inferguard_core.settings.loading import load
    from inferguard_core.settings.model import Settings
    from inferguard_tui.session import LiveFeed, addresses

    lag = FrameLag()
    endpoints, settings = addresses(urls), load()
    assert isinstance(endpoints, tuple)
    assert isinstance(settings, Settings), settings
    feed = LiveFeed(endpoints, settings, interval_s=INTERVAL_S, listener=Listener(on_poll=lag.polled))
    stretches: list[float] = []
    began = time.monotonic()
    ticking: asyncio.Task[None] | None = None
    parts: set[str] = set()
    async for frame in feed.frames():
        now = time.monotonic()
        if now - began > WARM_UP_S:
            if ticking is None:
                lag.polls, ticking = 0, asyncio.create_task(_stretches(stretches))
            parts |= {f"{part.part} {part.state}" for part in frame.parts}
        lag.shown(now, counted=ticking is not None)
        if now - began > WARM_UP_S + MEASURED_S:
            break
    assert ticking is not None
    ticking.cancel()
    await feed.close()
    return {
        "frame_lag_s": max(lag.seconds),
        "loop_cpu_s": max(stretches),
        "polls": lag.polls,
        "parts": sorted(parts),
    }


async def _stretches(found: list[float]) -> None:
    """CPU seconds of this thread between two turns of the loop; a descheduled thread uses none."""
    before = time.thread_time()
    while True:
        await asyncio.sleep(TICK_S)
        now = time.thread_time()
        found.append(now - before)
        before = now


async def _clouds() -> None:
    """Serve until killed; the first line of stdout says by which variables the two sides are reached."""
    from tests.brain.openai_server import answering, serving
    from tests.brain.test_llm import GOOD
    from tests.core.upstash_stand_in import RedisStandIn, VectorStandIn
    from tests.e2e.test_commands import free_port

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while await reader.read(65536):
                pass
        writer.close()

    async with AsyncExitStack() as stack:
        at = stack.enter_context(tempfile.TemporaryDirectory())
        port = free_port()
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", at]
        server = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL)
        stack.callback(server.terminate)
        redis, vector = RedisStandIn(port), VectorStandIn()
        for cloud in (redis, vector):
            await cloud.start()
            stack.push_async_callback(cloud.stop)
        llm = await stack.enter_async_context(serving(answering(GOOD)))
        hole = await stack.enter_async_context(await asyncio.start_server(silent, "127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{hole.sockets[0].getsockname()[1]}"
        sides = {
            "healthy": _variables(redis.url, vector.url, llm.url),
            "cut": _variables(nowhere, nowhere, f"{nowhere}/v1"),
        }
        print(json.dumps(sides), flush=True)
        await asyncio.Event().wait()


def _variables(redis: str, vector: str, llm: str) -> dict[str, str]:
    return {
        "UPSTASH_REDIS_URL": redis,
        "UPSTASH_REDIS_TOKEN": SECRET,
        "UPSTASH_VECTOR_URL": vector,
        "UPSTASH_VECTOR_TOKEN": SECRET,
        "GMI_BASE_URL": llm,
        "GMI_API_KEY": SECRET,
    }


def _main(what: str, urls: list[str]) -> None:
    if what == "clouds":
        asyncio.run(_clouds())
    print(json.dumps(asyncio.run(_measure(urls))))


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2:])
