"""A call to a cloud that may be slow, limited or gone: a deadline, a circuit breaker and a visible state.

The clients have no total deadline and map no status, so both are done here; retries are the outbox's.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, TypeVar

from inferguard_core.frame import PartHealth
from inferguard_core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")
PAUSE_S, PAUSE_MAX_S = 1.0, 60.0
"""After a failure; doubling with each in a row."""


class AwayError(Exception):
    """There is no answer to be had now; the message says why."""


class Link:
    """One cloud, as it has answered lately."""

    def __init__(self, part: str, deadline_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._part = part
        self._deadline_s = deadline_s
        self._clock = clock
        self._failures = 0
        self._until = 0.0
        self._down_since: float | None = None
        self._why = ""
        self.refused = False
        """The last failure was the server's own word about what was asked, not a lack of one."""
        self.waiting = 0
        """Entries that it has not been told yet."""

    @property
    def pause_s(self) -> float:
        """Seconds until it may be asked again."""
        return max(0.0, self._until - self._clock())

    @property
    def health(self) -> PartHealth:
        if self._down_since is not None:
            return PartHealth(self._part, "down", f"{self._why}; {self.waiting} wait here", self._down_since)
        return PartHealth(self._part, f"lagging {self.waiting}" if self.waiting else "ok", self._why)

    async def call(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer within the deadline. Raises AwayError, at once while the last failure is fresh."""
        if self.pause_s > 0.0:
            raise AwayError(self._why)
        try:
            async with asyncio.timeout(self._deadline_s):
                answer = await ask()
        except TimeoutError:
            self.refused = False
            raise self._failed(f"no answer within {self._deadline_s:g} s") from None
        except Exception as error:
            self.refused = type(error).__name__ == "UpstashError"
            # The clients raise what their HTTP library, their JSON parser or the server's words make of it.
            raise self._failed(_words(error)) from error
        self._failures, self._until, self._down_since, self._why = 0, 0.0, None, ""
        return answer

    def retry(self) -> None:
        """Ask again at once: the last failure was about one entry among others."""
        self._until = 0.0

    def _failed(self, why: str) -> AwayError:
        self._failures += 1
        pause = min(PAUSE_MAX_S, PAUSE_S * 2.0 ** min(self._failures - 1, 10))
        # Hosts that lost it together should not all come back at the same instant.
        self._until = self._clock() + pause * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        self._down_since = self._down_since or time.time()
        self._why = why
        return AwayError(why)


def _words(error: Exception) -> str:
    said = printable(str(error), 160)
    name = type(error).__name__
    if name == "JSONDecodeError":
        return "an answer that is no JSON: a proxy's or an outage's page"
    if "WRONGPASS" in said or "nauthorized" in said or "invalid token" in said.lower():
        return f"the token is refused ({said})"
    return f"{name}: {said}" if said else name
