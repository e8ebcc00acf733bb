"""Writers on one store, killed without warning, again and again: `python -m tests.core.kill_loop 50`.

A writer says on stdout what it has put and when. Whatever was put a second before the kill must be in the store,
once, and the store must open.
"""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from inferguard_core.memory.records import Audited, ReadingRow, Told
from inferguard_core.memory.sqlite import SqliteMemory
from tests.core.memory_cases import T0, case, incident

ROOT = Path(__file__).parents[2]
LOST_AT_MOST_S = 1.0
EVERY_S = 0.01
AGAIN = 7
"""Every so many puts an incident is put once more, as a monitor does when it goes on."""


async def write(path: Path, name: str) -> None:
    """Put incidents, readings, events and audit until killed."""
    memory = SqliteMemory(path)
    await memory.start()
    n = 0
    while True:
        n += 1
        at = T0 + n * 10_000.0
        url = f"http://{name}"
        over = replace(case(), incident=replace(incident(f"{name}-{n}", at), endpoint=url), seen_unix=at)
        memory.put(over)
        if n % AGAIN == 0:
            memory.put(replace(over, seen_unix=at + 1.0))
        memory.put(ReadingRow(url, at, {"kv_usage": 0.5}))
        memory.put(Told(url, at, {"n": n}))
        memory.put(Audited(at, {"who": name, "n": n}))
        print(n, time.time(), flush=True)
        await asyncio.sleep(EVERY_S)


def loop(path: Path, kills: int, writers: int = 2, seed: int = 1) -> int:
    """Kill `kills` times; how many incidents were put in all. Raises AssertionError at the first that is lost."""
    rng = random.Random(seed)
    expected: set[str] = set()
    for round_number in range(kills):
        names = [f"w{round_number}-{w}" for w in range(writers)]
        said = [path.with_name(f"{name}.said") for name in names]
        processes = [_writer(path, name, to) for name, to in zip(names, said, strict=True)]
        while not all(to.stat().st_size for to in said):
            assert all(process.poll() is None for process in processes), "a writer ended by itself"
            time.sleep(0.05)
        time.sleep(LOST_AT_MOST_S + rng.uniform(0.5, 3.0))
        killed = time.time()
        for process in processes:
            process.send_signal(signal.SIGKILL)
        for name, process, to in zip(names, processes, said, strict=True):
            process.wait(timeout=30)
            put = [line.split() for line in to.read_text().splitlines() if len(line.split()) == 2]
            expected |= {f"gpu-07:8000/{name}-{n}" for n, at in put if float(at) < killed - LOST_AT_MOST_S}
        judge(path, expected)
    return len(expected)


def _writer(path: Path, name: str, to: Path) -> subprocess.Popen[bytes]:
    with to.open("wb") as stdout:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.core.kill_loop", "write", str(path), name], stdout=stdout, cwd=ROOT
        )


def judge(path: Path, expected: set[str]) -> None:
    asyncio.run(_opened(path))
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    kept = [row[0] for row in connection.execute("SELECT id FROM cases")]
    lines = [row[0] for row in connection.execute("SELECT endpoint || line FROM events")]
    connection.close()
    assert not expected - set(kept), f"lost: {sorted(expected - set(kept))[:5]}"
    assert len(kept) == len(set(kept))
    assert len(lines) == len(set(lines)), "an event came twice"
    assert not list(path.parent.glob(f"{path.name}.damaged*")), "the store was set aside"


async def _opened(path: Path) -> None:
    memory = SqliteMemory(path)
    await memory.start()
    state = memory.health[0].state
    await memory.close()
    assert state == "ok", memory.health


if __name__ == "__main__":
    if sys.argv[1] == "write":
        asyncio.run(write(Path(sys.argv[2]), sys.argv[3]))
    with tempfile.TemporaryDirectory() as directory:
        total = loop(Path(directory) / "state.db", int(sys.argv[1]))
    print(f"{sys.argv[1]} kills of two writers on one file: {total} incidents, none lost, none twice")
