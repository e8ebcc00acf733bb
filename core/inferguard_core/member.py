"""One endpoint under watch in a monitor: its watch, what polls it, and who waits for the next poll."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from inferguard_core.assemble import endpoint_frame
from inferguard_core.journal import LOGGER
from inferguard_core.poll import Failure, FailureKind, Poll
from inferguard_core.printable import printable

if TYPE_CHECKING:
    from inferguard_core.frame import EndpointFrame
    from inferguard_core.poll import Source
    from inferguard_core.watch import EndpointWatch

AGE_STEP_S = 1.0
"""Ages are shown in whole seconds; a frame that differs by less is the same frame."""


@dataclass(slots=True)
class Member:
    """Without a source its polls are delivered."""

    watch: EndpointWatch
    source: Source | None = None
    delay_s: float = 0.0
    """To the first poll."""
    task: asyncio.Task[None] | None = None
    dirty: bool = True
    """Something changed since the newest frame."""
    _frame: EndpointFrame | None = None
    _hurry: asyncio.Event = field(default_factory=asyncio.Event)
    _asked: list[tuple[float, asyncio.Event]] = field(default_factory=list)

    def frame(self, unix: float, now: float) -> EndpointFrame:
        """The endpoint as of now; the same object while nothing about it changes."""
        watch, known = self.watch, self._frame
        age_s = None if watch.seen is None else max(0.0, now - watch.seen.poll.t)
        if known is None or self.dirty or watch.failed_polls or (age_s or 0.0) > 2 * watch.interval_s:
            known = endpoint_frame(watch, unix, age_s)
        elif (age_s or 0.0) - (known.age_s or 0.0) >= AGE_STEP_S:
            known = replace(known, age_s=age_s)
        self._frame, self.dirty = known, False
        return known

    async def fresh(self) -> None:
        """Return when a poll that began after now was taken, or polling ended."""
        taken = asyncio.Event()
        self._asked.append((time.monotonic(), taken))
        self._hurry.set()
        await taken.wait()

    async def pause(self, seconds: float) -> bool:
        """Wait for the next poll to be due; True when somebody asked for it sooner."""
        try:
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        except TimeoutError:
            return False
        self._hurry.clear()
        return True

    def taken(self, poll: Poll) -> None:
        """A poll was judged: tell who waited for it."""
        self.dirty = True
        for asked in [a for a in self._asked if a[0] <= poll.t]:
            asked[1].set()
            self._asked.remove(asked)

    async def release(self) -> None:
        """End the polling, then close the source; nobody waits any longer."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        for _, taken in self._asked:
            taken.set()
        self._asked.clear()
        if self.source is not None:
            await self.source.close()


async def attempt(source: Source) -> Poll:
    """One poll; an exception in our own code is a failed one."""
    started, unix = time.monotonic(), time.time()
    try:
        return await source.poll()
    except Exception as error:  # noqa: BLE001 - one endpoint's trouble must not end the others
        ms = (time.monotonic() - started) * 1000
        return Poll(started, unix, ms, failure=own_failure(error))


def own_failure(error: Exception) -> Failure:
    LOGGER.error("failed on a page", exc_info=error)
    what = f"{type(error).__name__}: {printable(str(error))}"
    return Failure(FailureKind.INTERNAL, f"the monitor itself failed on this page: {what}")
