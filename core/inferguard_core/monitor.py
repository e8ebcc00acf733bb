"""Endpoints polled side by side, joined into Frames.

One task an endpoint and no barrier between them: a hung one costs the others nothing. Polls keep a fixed rhythm
(a late one is skipped, never caught up) and start spread over the interval. Whatever a source does is a value;
an exception in our own code on one endpoint becomes that endpoint's failure and the others go on.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from inferguard_core.assemble import endpoint_frame
from inferguard_core.engines import EngineReader
from inferguard_core.frame import EndpointFrame, Frame, PartHealth, Status
from inferguard_core.journal import LOGGER
from inferguard_core.poll import Failure, FailureKind, Poll, Source
from inferguard_core.printable import printable
from inferguard_core.watch import EndpointWatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from inferguard_core.detect.limits import Limits
    from inferguard_core.events import Event

COALESCE_S = 0.25
"""Polls that end within this span share a frame."""
TICK_S = 1.0
"""A frame is due this long after the last one even when nothing came in: ages grow."""
AGE_STEP_S = 1.0
"""Ages are shown in whole seconds; a frame that differs by less is the same frame."""
BACK_OFF_MAX_S = 15.0
"""A dead endpoint is asked ever more seldom, but its return is seen within this time or one interval."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told, synchronously and in order. Must not block."""

    on_poll: Callable[[str, Poll], None] = field(default=lambda _endpoint, _poll: None)
    on_event: Callable[[Event], None] = field(default=lambda _event: None)
    on_judged: Callable[[EndpointWatch], None] = field(default=lambda _watch: None)
    """After a poll was taken, a failed one too."""


class Monitor:
    """Watches `sources`, each with its watch, every `interval_s` seconds."""

    def __init__(
        self,
        sources: Sequence[tuple[str, Source]],
        interval_s: float,
        limits: Limits,
        listener: Listener | None = None,
        parts: Sequence[PartHealth] = (),
    ) -> None:
        """`sources` are (name for people, source) pairs, in the order to show them; `parts` go into every frame."""
        self._interval_s = interval_s
        self._parts = tuple(parts)
        self._listener = listener or Listener()
        reader = EngineReader()
        self._pairs = [
            (source, EndpointWatch(source.endpoint, name, interval_s, source.proof, limits, reader))
            for name, source in sources
        ]
        self._frames: dict[str, EndpointFrame] = {}
        self._dirty: set[str] = set()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._hurry = {source.endpoint: asyncio.Event() for source, _ in self._pairs}
        self._asked: list[tuple[str, float, asyncio.Event]] = []
        self._seq = 0

    @property
    def watches(self) -> tuple[EndpointWatch, ...]:
        return tuple(watch for _, watch in self._pairs)

    def touch(self, endpoint: str) -> None:
        """Something about `endpoint` changed besides its polls: a frame is due."""
        self._dirty.add(endpoint)
        self._wake.set()

    async def fresh(self, endpoint: str) -> None:
        """Return when `endpoint` was polled again, a failed poll included; the poll begins at once.

        Its own deadline bounds it; nothing is awaited for an endpoint that is not polled.
        """
        if endpoint not in self._hurry or not self._tasks:
            return
        taken = asyncio.Event()
        self._asked.append((endpoint, time.monotonic(), taken))
        self._hurry[endpoint].set()
        await taken.wait()

    def start(self) -> None:
        """Begin polling; a second call does nothing."""
        if self._tasks:
            return
        spread = self._interval_s / max(1, len(self._pairs))
        for index, (source, watch) in enumerate(self._pairs):
            self._tasks.append(asyncio.create_task(self._sample(source, watch, index * spread)))

    async def frames(self) -> AsyncIterator[Frame]:
        """Frames until closed: at once, then as polls come in, at least one a second."""
        self.start()
        yield self.frame()
        while self._tasks:
            try:
                await asyncio.wait_for(self._wake.wait(), TICK_S)
                await asyncio.sleep(COALESCE_S)
            except TimeoutError:
                pass
            yield self.frame()

    def frame(self) -> Frame:
        """The state now."""
        self._wake.clear()
        unix, now = time.time(), time.monotonic()
        self._seq += 1
        endpoints = tuple(self._endpoint(watch, unix, now) for _, watch in self._pairs)
        self._dirty.clear()
        down = sum(1 for e in endpoints if e.status is Status.NO_DATA)
        state = f"{len(endpoints) - down}/{len(endpoints)} answer"
        return Frame(self._seq, unix, endpoints, (PartHealth("poll", state), *self._parts))

    async def close(self) -> None:
        """Stop polling and release the sources."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        for _, _, taken in self._asked:
            taken.set()
        self._asked.clear()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(source.close() for source, _ in self._pairs), return_exceptions=True)
        self._wake.set()

    def _endpoint(self, watch: EndpointWatch, unix: float, now: float) -> EndpointFrame:
        age_s = None if watch.seen is None else max(0.0, now - watch.seen.poll.t)
        known = self._frames.get(watch.endpoint)
        settled = known is not None and watch.endpoint not in self._dirty and not watch.failed_polls
        if known is None or not settled or (age_s or 0.0) > 2 * self._interval_s:
            frame = endpoint_frame(watch, unix, age_s)
        elif (age_s or 0.0) - (known.age_s or 0.0) >= AGE_STEP_S:
            frame = replace(known, age_s=age_s)
        else:
            frame = known
        self._frames[watch.endpoint] = frame
        return frame

    async def _sample(self, source: Source, watch: EndpointWatch, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        due = time.monotonic()
        while True:
            poll = await self._poll(source)
            self._take(source, watch, poll)
            pause = back_off(watch.failed_polls, self._interval_s)
            now = time.monotonic()
            due += pause
            if due <= now:
                due = now + pause - (now - due) % pause
            if await self._hurried(watch.endpoint, due - now):
                due = time.monotonic()

    async def _hurried(self, endpoint: str, pause_s: float) -> bool:
        """Wait for the next poll to be due; True when somebody asked for it sooner."""
        hurry = self._hurry[endpoint]
        try:
            await asyncio.wait_for(hurry.wait(), pause_s)
        except TimeoutError:
            return False
        hurry.clear()
        return True

    def _take(self, source: Source, watch: EndpointWatch, poll: Poll) -> None:
        self._listener.on_poll(watch.endpoint, poll)
        failed_before = watch.failed_polls
        try:
            events = watch.observe(poll)
        except Exception as error:  # noqa: BLE001 - a page that breaks our rules must not end the watch
            watch.refuse(_own_failure(error))
            events = ()
        for event in events:
            self._listener.on_event(event)
        if failed_before and not watch.failed_polls:
            source.refresh_facts()
        self._tell_judged(watch)
        for asked in [a for a in self._asked if a[0] == watch.endpoint and a[1] <= poll.t]:
            asked[2].set()
            self._asked.remove(asked)
        self.touch(watch.endpoint)

    def _tell_judged(self, watch: EndpointWatch) -> None:
        try:
            self._listener.on_judged(watch)
        except Exception as error:  # noqa: BLE001 - what is done after a poll must not end the polling
            LOGGER.error("failed after a poll", exc_info=error)

    async def _poll(self, source: Source) -> Poll:
        started, unix = time.monotonic(), time.time()
        try:
            return await source.poll()
        except Exception as error:  # noqa: BLE001 - one endpoint's trouble must not end the others
            ms = (time.monotonic() - started) * 1000
            return Poll(started, unix, ms, failure=_own_failure(error))


def _own_failure(error: Exception) -> Failure:
    LOGGER.error("failed on a page", exc_info=error)
    what = f"{type(error).__name__}: {printable(str(error))}"
    return Failure(FailureKind.INTERNAL, f"the monitor itself failed on this page: {what}")


def back_off(failed_polls: int, interval_s: float) -> float:
    """Seconds to the next attempt: the interval, doubling from the fourth failure in a row up to a bound."""
    if failed_polls <= 3:
        return interval_s
    return max(interval_s, min(BACK_OFF_MAX_S, interval_s * 2.0 ** min(failed_polls - 3, 10)))
