"""200 simulated endpoints at 5 s from one process: CPU share of one core, resident memory, worst frame lag.

The engines run in a process of their own, so the figures are the monitor's alone. Lag is from the end of a poll
to the frame that shows it.
"""

from __future__ import annotations

import asyncio
import resource
import time

from bench.lag import FrameLag
from inferguard_core.monitor import Listener
from inferguard_core.settings import Settings
from inferguard_tui.session import LiveFeed, addresses
from inferguard_tui.simulator.launch import launched

ENDPOINTS = 200
INTERVAL_S = 5.0
WARM_UP_S = 12.0
MEASURED_S = 30.0


def run() -> list[str]:
    with launched("quiet", "vllm", ENDPOINTS, 1) as urls:
        return asyncio.run(_measure(urls))


async def _measure(urls: tuple[str, ...]) -> list[str]:
    lag = FrameLag()
    endpoints = addresses(urls)
    assert isinstance(endpoints, tuple)
    feed = LiveFeed(endpoints, Settings(), interval_s=INTERVAL_S, listener=Listener(on_poll=lag.polled))
    began = time.monotonic()
    cpu = counted = 0.0
    answering = 0
    async for frame in feed.frames():
        now = time.monotonic()
        warm = now - began > WARM_UP_S
        if warm and not cpu:
            cpu, counted, lag.polls = time.process_time(), now, 0
        lag.shown(now, counted=warm)
        answering = sum(1 for e in frame.endpoints if e.polls and not e.failed_polls)
        if now - began > WARM_UP_S + MEASURED_S:
            break
    share = (time.process_time() - cpu) / (time.monotonic() - counted)
    seconds = time.monotonic() - counted
    await feed.close()
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        f"{ENDPOINTS} endpoints every {INTERVAL_S:g} s, {answering} answering; measured for {seconds:.0f} s",
        f"  polls            {lag.polls / seconds:6.1f} /s",
        f"  CPU              {share:6.1%} of one core ({share * 60:.1f} s a minute)",
        f"  resident, peak   {resident:6.0f} MiB",
        f"  worst frame lag  {max(lag.seconds):6.3f} s (frames are joined over 0.25 s)",
    ]


if __name__ == "__main__":
    print("\n".join(run()))
