"""Scenario time from the machine's clock. Virtual time needs no clock: it is the number given to `advance`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RealClock:
    """`speed` scenario seconds per second; 0 is when the clock was made."""

    speed: float = 1.0
    started: float = field(default_factory=time.monotonic)

    def now(self) -> float:
        return (time.monotonic() - self.started) * self.speed
