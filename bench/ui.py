"""The terminal UI on one endpoint at one frame a second, in a pty of 120 by 40: CPU, memory, bytes, first frame.

It starts a command as a person would and reads what it writes: on a simulated engine in a process that is not
counted, scraped for real; on a made-up moving series, so that the figures are those of the screen alone; on 200
engines at 5 s. The program runs from compiled bytecode, as any that was installed does.
"""

from __future__ import annotations

import asyncio
import fcntl
import math
import os
import pty
import random
import select
import signal
import struct
import sys
import tempfile
import termios
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from inferguard_core.frame import EndpointFrame, Frame, Measure, MeasureId, Severity, Status, Trend
from inferguard_core.poll import ProofLevel
from inferguard_core.reading import Engine
from inferguard_tui.simulator.launch import launched

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

COLUMNS, ROWS = 120, 40
WARM_UP_S = 8.0
STEADY_S, SERIES_STEADY_S = 16.0, 10.0
FIRST_FRAME_MARK = b"InferGuard"
"""Stands in the first picture, before anything is known."""
FIRST_DATA_MARK = b"tok held"
"""Stands under the KV chart as soon as a page has been read, and nowhere before."""
FLEET_MARK = b"endpoints"
"""Stands in the header of a fleet."""
MANY, MANY_STEADY_S = 200, 30.0
FRAMES_KEPT = 300
_SERIES = "--series"
QUIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run showed."""

    first_frame_s: float
    first_data_s: float
    start_cpu_s: float
    """CPU until the first data: what the wall time is on a machine with nothing else to do."""
    cpu_share: float
    """Of one core, over the steady stretch."""
    rss_mib: float
    bytes_per_s: float


class MovingSeries:
    """A feed in which every figure moves with every frame; seeded, so that two runs draw the same."""

    replay = None
    desk = None

    def __init__(self) -> None:
        self._random = random.Random(1)
        self._history: dict[str, list[float]] = {}

    async def frames(self) -> AsyncIterator[Frame]:
        begin = time.time() - FRAMES_KEPT
        for past in range(FRAMES_KEPT):
            self._figures(begin + past)
        seq = 0
        while True:
            seq += 1
            yield self._frame(seq, time.time())
            await asyncio.sleep(1.0)

    async def close(self) -> None:
        """Nothing is held."""

    def _figures(self, unix: float) -> dict[str, float]:
        noise = self._random.uniform
        kv = min(1.0, max(0.0, 0.55 + 0.3 * math.sin(unix / 60) + noise(-0.04, 0.04)))
        waiting = float(max(0, round(40 * (kv - 0.6) + noise(-3, 3))))
        figures = {
            MeasureId.KV_USAGE: kv,
            MeasureId.KV_CAPACITY_TOKENS: 3.1e6,
            MeasureId.WAITING: waiting,
            MeasureId.RUNNING: float(round(58 + noise(-4, 4))),
            MeasureId.WAIT_ESTIMATE: waiting / 6.2,
            MeasureId.FINISH_RATE: 6.2 + noise(-0.3, 0.3),
            MeasureId.ARRIVAL_RATE: 6.4 + noise(-0.3, 0.3),
            MeasureId.TTFT_P50: 0.3 + kv + noise(-0.05, 0.05),
            MeasureId.TTFT_P95: 0.5 + 4 * kv + noise(-0.1, 0.1),
            MeasureId.ITL_P50: 0.03 + noise(-0.002, 0.002),
            MeasureId.ITL_P95: 0.05 + 0.1 * kv,
            MeasureId.PROMPT_RATE: 18_000 + noise(-900, 900),
            MeasureId.GENERATION_RATE: 1_800 + noise(-90, 90),
            MeasureId.PREFIX_HIT_RATE: 0.6 + noise(-0.02, 0.02),
            MeasureId.PREEMPTION_RATE: 0.0,
        }
        for name, value in figures.items():
            self._history.setdefault(name, []).append(value)
            del self._history[name][:-FRAMES_KEPT]
        return {str(name): value for name, value in figures.items()}

    def _frame(self, seq: int, unix: float) -> Frame:
        figures = self._figures(unix)
        until = math.floor(unix) + 1.0
        endpoint = EndpointFrame(
            endpoint="http://bench:8000",
            name="bench:8000",
            status=Status.OK,
            severity=Severity.OK,
            proof=ProofLevel.SIMULATED,
            interval_s=1.0,
            engine=Engine.VLLM,
            engine_version="0.32.0",
            models=("openai/gpt-oss-120b",),
            polls=seq,
            last_page_unix=unix,
            age_s=0.1,
            poll_ms=20 + self._random.uniform(-5, 5),
            measures={name: Measure(value, _unit(name), 60.0, 300) for name, value in figures.items()},
            trends={name: Trend(1.0, until, tuple(values)) for name, values in self._history.items()},
            thresholds={"kv_usage": 0.85, "ttft": 1.0},
        )
        return Frame(seq, unix, (endpoint,))


def _unit(name: str) -> str:
    if name in (MeasureId.KV_USAGE, MeasureId.PREFIX_HIT_RATE):
        return "ratio"
    if name.startswith(("ttft", "itl", "wait_")):
        return "seconds"
    return "tokens/s" if name in (MeasureId.PROMPT_RATE, MeasureId.GENERATION_RATE) else "requests/s"


def _start(command: Sequence[str]) -> tuple[int, int]:
    """The process and the terminal's end of its pty."""
    pid, terminal = pty.fork()
    if pid == 0:
        # Before the program asks: there is no parent yet that could set it.
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        os.execv(command[0], list(command))
    return pid, terminal


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _read(terminal: int, until: float) -> bytes:
    """What is written by the monotonic time `until`, or whatever comes first."""
    ready, _, _ = select.select([terminal], [], [], max(0.0, until - time.monotonic()))
    return os.read(terminal, 65536) if ready else b""


def measure(command: Sequence[str], steady_s: float, data_mark: bytes = FIRST_DATA_MARK) -> Measured:
    """Run `command` until it is warm, measure it while steady, end it. CPU and memory are that process' own."""
    begin = time.monotonic()
    pid, terminal = _start(command)
    try:
        written = b""
        seen: dict[bytes, float] = {}
        start_cpu = 0.0
        while (now := time.monotonic()) < begin + WARM_UP_S:
            written += _read(terminal, begin + WARM_UP_S)
            for mark in (FIRST_FRAME_MARK, data_mark):
                if mark not in seen and mark in written:
                    seen[mark] = time.monotonic() - begin
                    start_cpu = _cpu_seconds(pid)
        if len(seen) < 2:
            raise RuntimeError(f"no dashboard with data within {WARM_UP_S:g} s of: {' '.join(command)}")
        cpu, steady, count = _cpu_seconds(pid), now, 0
        while time.monotonic() < steady + steady_s:
            count += len(_read(terminal, steady + steady_s))
        elapsed = time.monotonic() - steady
        share, rss = (_cpu_seconds(pid) - cpu) / elapsed, _rss_mib(pid)
        first = (seen[FIRST_FRAME_MARK], seen[data_mark], start_cpu)
        return Measured(*first, share, rss, count / elapsed)
    finally:
        _end(pid, terminal)


def _end(pid: int, terminal: int) -> None:
    """Quit as a person does, so that a demo takes its engine with it; by force when that does not help."""
    os.write(terminal, b"q")
    deadline = time.monotonic() + QUIT_S
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            break
        with suppress(OSError):  # the terminal is gone once its last process is
            _read(terminal, time.monotonic() + 0.05)
    os.close(terminal)


@contextmanager
def _bytecode_kept() -> Iterator[None]:
    """What a checkout may be told not to write, and pip always writes: without it each start compiles all of us."""
    before = os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as kept:
        os.environ["PYTHONPYCACHEPREFIX"] = kept
        try:
            yield
        finally:
            del os.environ["PYTHONPYCACHEPREFIX"]
            if before is not None:
                os.environ["PYTHONDONTWRITEBYTECODE"] = before


def run() -> list[str]:
    """The lines to print: one endpoint, the screen alone, many endpoints."""
    with _bytecode_kept():
        return _run()


def _run() -> list[str]:
    program = str(Path(sys.executable).with_name("inferguard"))
    with launched("healthy", "vllm", 1, 1) as urls:
        measure((program, *urls, "--interval", "1"), 0.1)  # The first start writes the bytecode.
        one = measure((program, *urls, "--interval", "1"), STEADY_S)
    alone = measure((sys.executable, __file__, _SERIES), SERIES_STEADY_S)
    with launched("quiet", "vllm", MANY, 1) as urls:
        many = measure((program, *urls, "--interval", "5"), MANY_STEADY_S, FLEET_MARK)
    return [
        f"ui {COLUMNS}x{ROWS}, run from compiled bytecode; load average {os.getloadavg()[0]:.1f}",
        *_told("inferguard URL --interval 1", one, STEADY_S),
        *_told("the screen alone, made-up series at 1 s", alone, SERIES_STEADY_S),
        *_told(f"inferguard with {MANY} URLs --interval 5", many, MANY_STEADY_S),
    ]


def _told(what: str, seen: Measured, steady_s: float) -> list[str]:
    cpu = f"{seen.cpu_share * 60:.2f} CPU s/min ({seen.cpu_share:.1%} of a core)"
    first = f"first frame after {seen.first_frame_s:.2f} s, first data after {seen.first_data_s:.2f} s"
    return [
        f"  {what}: {first} ({seen.start_cpu_s:.2f} CPU s)",
        f"    steady over {steady_s:g} s: {cpu}, {seen.rss_mib:.0f} MiB, {seen.bytes_per_s:,.0f} B/s to the terminal",
    ]


if __name__ == "__main__":
    if sys.argv[1:] == [_SERIES]:
        from inferguard_tui.app import InferGuardApp

        InferGuardApp(MovingSeries()).run()
    else:
        print("\n".join(run()))
