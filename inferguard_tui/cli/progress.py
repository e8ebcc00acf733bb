"""How far a run is, on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING, Final

from inferguard_core.replay.outcome import Ending

if TYPE_CHECKING:
    from inferguard_core.replay.outcome import TurnOutcome

EVERY_S: Final = 10.0
"""Between lines where there is no terminal."""
_BAR: Final = 20


class Progress:
    """Told of each turn as it ends."""

    def __init__(self, turns: int) -> None:
        self._turns = turns
        self._ended = 0
        self._failed = 0
        self._terminal = sys.stderr.isatty()
        self._began = self._told = time.monotonic()

    def outcome(self, outcome: TurnOutcome) -> None:
        self._ended += 1
        self._failed += outcome.ending is Ending.FAILED
        now = time.monotonic()
        if self._terminal:
            columns = shutil.get_terminal_size().columns
            print(f"\r{self.line(now)[: columns - 1]}", end="", file=sys.stderr, flush=True)
        elif now - self._told >= EVERY_S:
            self._told = now
            print(f"inferguard: {self.line(now)}", file=sys.stderr, flush=True)

    def line(self, now: float) -> str:
        done = self._ended * _BAR // self._turns
        failed = f", {self._failed} failed" if self._failed else ""
        bar = "#" * done + "." * (_BAR - done)
        return f"[{bar}] {self._ended}/{self._turns} turns{failed}, {now - self._began:.0f} s"

    def close(self) -> None:
        """End the bar's line."""
        if self._terminal and self._ended:
            print(file=sys.stderr)
