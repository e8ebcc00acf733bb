"""The terminal UI on one endpoint at one frame a second, in a pty of 120 by 40: CPU, memory, bytes, first frame.

It starts a command as a person would and reads what it writes. Without one it starts the UI on a made-up moving
series of its own, so that the figures are those of the screen alone, without scrapes.
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
import termios
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from inferguard_core.frame import EndpointFrame, Frame, Measure, MeasureId, Severity, Status, Trend
from inferguard_core.poll import ProofLevel
from inferguard_core.reading import Engine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

COLUMNS, ROWS = 120, 40
WARM_UP_S = 8.0
STEADY_S = 30.0
FIRST_FRAME_MARK = b"KV cache"
"""Stands in the first picture of a dashboard and in nothing written before it."""
FRAMES_KEPT = 300
_SERIES = "--series"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run showed."""

    first_frame_s: float
    cpu_share: float
    """Of one core, over the steady stretch."""
    rss_mib: float
    bytes_per_s: float


class MovingSeries:
    """A feed in which every figure moves with every frame; seeded, so that two runs draw the same."""

    replay = None

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


def measure(command: Sequence[str]) -> Measured:
    """Run `command` until it is warm, measure it while steady, end it. CPU and memory are that process' own."""
    begin = time.monotonic()
    pid, terminal = _start(command)
    try:
        written, first = b"", None
        while (now := time.monotonic()) < begin + WARM_UP_S:
            written += _read(terminal, begin + WARM_UP_S)
            if first is None and FIRST_FRAME_MARK in written:
                first = time.monotonic() - begin
        if first is None:
            raise RuntimeError(f"no dashboard within {WARM_UP_S:g} s of: {' '.join(command)}")
        cpu, steady, count = _cpu_seconds(pid), now, 0
        while time.monotonic() < steady + STEADY_S:
            count += len(_read(terminal, steady + STEADY_S))
        elapsed = time.monotonic() - steady
        return Measured(first, (_cpu_seconds(pid) - cpu) / elapsed, _rss_mib(pid), count / elapsed)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def run(command: Sequence[str] = (sys.executable, __file__, _SERIES)) -> list[str]:
    """The lines to print. `command` opens the UI on one endpoint at 1 s; its first word is a path."""
    seen = measure(command)
    where = "made-up series" if _SERIES in command else " ".join(command[1:])
    cpu = f"{seen.cpu_share:.1%} of a core ({seen.cpu_share * 60:.2f} s/min)"
    return [
        f"ui {COLUMNS}x{ROWS}, 1 endpoint at 1 s ({where}): first frame after {seen.first_frame_s:.2f} s",
        f"ui steady over {STEADY_S:g} s: {cpu}, {seen.rss_mib:.0f} MiB, {seen.bytes_per_s:,.0f} B/s to the terminal",
    ]


if __name__ == "__main__":
    if sys.argv[1:] == [_SERIES]:
        from inferguard_tui.app import InferGuardApp

        InferGuardApp(MovingSeries()).run()
    else:
        print("\n".join(run()))
