"""Where notices go: a task of its own that sends what is due, waits longer after each failure, and says how it is.

Taking a notice never waits, whatever the receiver does; what cannot be sent is kept within a bound and counted when
it is given up.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from inferguard_core.frame import PartHealth

if TYPE_CHECKING:
    from inferguard_core.alerts.notice import Notice
    from inferguard_core.alerts.post import Poster

RETRY_S = 1.0
RETRY_MAX_S = 60.0
LAST_TRY_S = 3.0
"""At the end what is due is tried once more, no longer than this."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One request's worth."""

    body: object
    """To be written as JSON."""
    token: Any
    """What the spool needs to know which of its entries were in it."""
    key: str = ""
    """The same for every attempt at this batch."""


class Spool(Protocol):
    """What is to be sent to one receiver."""

    def take(self, notice: Notice) -> None: ...

    def batch(self, unix: float) -> Batch | None:
        """What is due now; None when nothing is."""
        ...

    def sent(self, batch: Batch, unix: float) -> None:
        """The receiver has it, or refuses it for good."""
        ...

    def due_s(self, unix: float) -> float | None:
        """Seconds until something is due by time alone; None: only a notice makes work."""
        ...

    @property
    def waiting(self) -> int: ...

    @property
    def lost(self) -> int: ...


class Outlet:
    """One receiver, its spool and the task that empties it."""

    def __init__(self, part: str, spool: Spool, poster: Poster) -> None:
        """`part` is what the status line calls it."""
        self.part = part
        self.sent = 0
        """Requests that the receiver took."""
        self.failed = 0
        self._spool = spool
        self._poster = poster
        self._news = asyncio.Event()
        self._trouble = ""
        self._since: float | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        return self._spool.waiting

    @property
    def lost(self) -> int:
        """Notices that were given up for want of room."""
        return self._spool.lost

    @property
    def health(self) -> PartHealth:
        counts = [f"{self.waiting} waiting"] if self.waiting else []
        counts += [f"{self.lost} lost"] if self.lost else []
        if not self._trouble:
            return PartHealth(self.part, "ok", ", ".join(counts))
        return PartHealth(self.part, "no answer", "; ".join([self._trouble, *counts]), self._since)

    def take(self, notice: Notice) -> None:
        """Have `notice` sent; returns at once."""
        self._spool.take(notice)
        self._news.set()

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Try once more, then let go."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            try:
                async with asyncio.timeout(LAST_TRY_S):
                    while not self._trouble and await self._send():
                        pass
            except TimeoutError:
                pass
        await self._poster.close()

    async def _run(self) -> None:
        retry_s = RETRY_S
        while True:
            self._news.clear()
            while await self._send():
                retry_s = RETRY_S
            if self._trouble:
                await asyncio.sleep(retry_s)
                retry_s = min(RETRY_MAX_S, 2 * retry_s)
                continue
            try:
                async with asyncio.timeout(self._spool.due_s(time.time())):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def _send(self) -> bool:
        """Send the next batch; whether there was one and it went."""
        batch = self._spool.batch(time.time())
        if batch is None:
            return False
        answer = await self._poster.post(batch.body, batch.key)
        if answer.trouble:
            self.failed += 1
            self._since = self._since or time.time()
        else:
            self.sent += 1
            self._since = None
        self._trouble = "" if answer.final else answer.trouble
        if answer.final:
            self._spool.sent(batch, time.time())
        return answer.final
