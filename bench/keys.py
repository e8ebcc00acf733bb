"""From a key to the paint it causes, in a pty of 120 by 40, while ten endpoints hang and one answers.

The time is that of the wall: what a person feels, on whatever else the machine does meanwhile. Each key moves the
cursor of the fleet, so that each must be painted.
"""

from __future__ import annotations

import os
import select
import socket
import statistics
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from bench.ui import COLUMNS, FIRST_FRAME_MARK, ROWS, _end, _read, _start
from inferguard_tui.simulator.launch import launched

if TYPE_CHECKING:
    from collections.abc import Iterator

HUNG = 10
KEYS = 60
SETTLED_S = 0.12
"""No byte for so long: what is written next was caused by the key."""
GIVEN_UP_S = 2.0


class HungServer:
    """Accepts and never answers."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._held: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                self._held.append(self._socket.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        self._socket.close()
        for connection in self._held:
            connection.close()


def latencies(terminal: int) -> Iterator[float]:
    """Seconds from each key to the first byte after it."""
    for number in range(KEYS):
        while select.select([terminal], [], [], SETTLED_S)[0]:
            os.read(terminal, 65536)
        begin = time.monotonic()
        os.write(terminal, b"k" if number % 2 else b"j")
        if select.select([terminal], [], [], GIVEN_UP_S)[0]:
            os.read(terminal, 65536)
        yield time.monotonic() - begin


def run() -> list[str]:
    with ExitStack() as stack:
        urls = stack.enter_context(launched("healthy", "vllm", 1, 1))
        hung = [HungServer() for _ in range(HUNG)]
        for server in hung:
            stack.callback(server.close)
        command = (
            str(Path(sys.executable).with_name("inferguard")),
            *urls,
            *(server.url for server in hung),
            "--interval",
            "1",
        )
        pid, terminal = _start(command)
        stack.callback(_end, pid, terminal)
        written, until = b"", time.monotonic() + 20
        while FIRST_FRAME_MARK not in written or b"j/k" not in written:
            if time.monotonic() > until:
                raise RuntimeError("no fleet within 20 s")
            written += _read(terminal, until)
        quiet = time.monotonic() + 8
        while time.monotonic() < quiet:
            _read(terminal, quiet)
        taken = sorted(latencies(terminal))
    p95 = statistics.quantiles(taken, n=20)[-1]
    figures = (("median", statistics.median(taken)), ("p95", p95), ("worst", taken[-1]))
    told = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in figures)
    return [
        f"keys {COLUMNS}x{ROWS}, {HUNG} endpoints hang, 1 answers at 1 s",
        f"  key to paint over {len(taken)} keys: {told}; load average {os.getloadavg()[0]:.1f}",
    ]
