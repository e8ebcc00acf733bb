"""Whether something that keeps failing is to be asked at all: after three failures in a row it rests.

The rest doubles up to ten minutes; the first answer afterwards ends it. It has no clock of its own.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

AFTER: Final = 3
FIRST_REST_S: Final = 30.0
LONGEST_REST_S: Final = 600.0


class Breaker:
    """State of one thing that is asked."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._until = 0.0
        self.reason = ""
        """Of the newest failure; empty after an answer."""
        self._away = False

    @property
    def failing(self) -> bool:
        return self._failures >= AFTER

    @property
    def trouble(self) -> str:
        """Why it is not to be counted on now: it rests, or was out of reach when last asked. Else empty."""
        return self.reason if self.failing or self._away else ""

    @property
    def rests_s(self) -> float:
        """Seconds until it may be asked again; 0: now."""
        return max(0.0, self._until - self._clock()) if self.failing else 0.0

    def answered(self) -> None:
        self._failures, self._until, self.reason, self._away = 0, 0.0, "", False

    def failed(self, reason: str, *, away: bool = False) -> None:
        """`away`: there was no answer at all, which is not one that cannot be used."""
        self._failures += 1
        self.reason, self._away = reason, away
        if self.failing:
            rest = FIRST_REST_S * 2.0 ** (self._failures - AFTER)
            self._until = self._clock() + min(LONGEST_REST_S, rest)
