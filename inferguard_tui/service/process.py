"""What this process uses, by the names that Prometheus' own clients give it; absent where the system does not say."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_STARTED = time.time()


@dataclass(frozen=True, slots=True)
class Process:
    """At one instant."""

    started_unix: float
    cpu_seconds: float
    resident_bytes: float | None = None
    open_fds: float | None = None

    @classmethod
    def now(cls) -> Self:
        return cls(_STARTED, time.process_time(), _resident(), _descriptors())


def _resident() -> float | None:
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return float(pages * os.sysconf("SC_PAGE_SIZE"))


def _descriptors() -> float | None:
    try:
        return float(len(os.listdir("/proc/self/fd")))  # noqa: PTH208 - names are enough
    except OSError:
        return None
