"""What memory and brain add to a monitor of one idle endpoint at 2 s: CPU seconds a minute, resident memory.

Three monitors of the same engine side by side, each in a process of its own, so that they share the noise of the
machine; the differences are the finding.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from inferguard_core.settings import Settings
from inferguard_core.settings.loading import load
from inferguard_tui.session import LiveFeed, addresses
from inferguard_tui.simulator.launch import launched

WARM_UP_S, MEASURED_S = 20.0, 60.0
INTERVAL_S = 2.0
KINDS = {
    "neither": {"INFERGUARD_MEMORY_MODE": "off", "INFERGUARD_PROACTIVE_CYCLE_EVERY": "0"},
    "memory": {"INFERGUARD_PROACTIVE_CYCLE_EVERY": "0"},
    "memory and brain": {},
}


def run() -> list[str]:
    with launched("quiet", "vllm", 1, 1) as urls, tempfile.TemporaryDirectory() as state:
        children = {
            name: _started(urls[0], variables, Path(state, name)) for name, variables in KINDS.items()
        }
        told = {name: json.loads(child.communicate()[0]) for name, child in children.items()}
    plain = told["neither"]
    lines = [f"one idle endpoint at {INTERVAL_S:g} s for {MEASURED_S:g} s    CPU s/min    resident MiB"]
    for name, one in told.items():
        more = (
            ""
            if name == "neither"
            else f"   ({one['cpu'] - plain['cpu']:+.2f}, {one['mib'] - plain['mib']:+.1f})"
        )
        lines.append(f"  {name:<38} {one['cpu']:>10.2f} {one['mib']:>13.1f}{more}")
    return lines


def _started(url: str, variables: dict[str, str], state: Path) -> subprocess.Popen[str]:
    environment = os.environ | variables | {"XDG_STATE_HOME": str(state)}
    return subprocess.Popen(
        [sys.executable, "-m", "bench.memory", url], stdout=subprocess.PIPE, text=True, env=environment
    )


async def _watched(url: str) -> dict[str, float]:
    endpoints, settings = addresses([url]), load({}, None)
    assert isinstance(endpoints, tuple)
    assert isinstance(settings, Settings)
    feed = LiveFeed(endpoints, settings, interval_s=INTERVAL_S)
    began, cpu = time.monotonic(), 0.0
    async for _ in feed.frames():
        if not cpu and time.monotonic() - began > WARM_UP_S:
            cpu = time.process_time()
        if time.monotonic() - began > WARM_UP_S + MEASURED_S:
            break
    used = (time.process_time() - cpu) * 60.0 / MEASURED_S
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    await feed.close()
    return {"cpu": used, "mib": mib}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_watched(sys.argv[1]))))
