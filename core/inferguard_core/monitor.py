"""Endpoints polled side by side, joined into Frames.

One task an endpoint and no barrier between them: a hung one costs the others nothing. Polls keep a fixed rhythm
(a late one is skipped, never caught up) and start spread over the interval. Endpoints may come and go while it
runs, and a fleet may deliver their polls. Whatever a source does is a value; an exception in our own code on one
endpoint becomes that endpoint's failure and the others go on.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inferguard_core.engines import EngineReader
from inferguard_core.frame import Frame, PartHealth
from inferguard_core.journal import LOGGER
from inferguard_core.member import Member, attempt, own_failure
from inferguard_core.watch import EndpointWatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from inferguard_core.detect.limits import Limits
    from inferguard_core.events import Event
    from inferguard_core.fleet import Fleet, Membership, Past
    from inferguard_core.poll import Poll, ProofLevel, Source

COALESCE_S = 0.25
"""Polls that end within this span share a frame."""
TICK_S = 1.0
"""A frame is due this long after the last one even when nothing came in: ages grow."""
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
    """Watches `sources`, each with its watch, every `interval_s` seconds, and whatever `fleets` bring."""

    def __init__(
        self,
        sources: Sequence[tuple[str, Source]],
        interval_s: float,
        limits: Limits,
        listener: Listener | None = None,
        parts: Sequence[PartHealth] = (),
        fleets: Sequence[Fleet] = (),
    ) -> None:
        """`sources` are (name for people, source) pairs, in the order to show them; `parts` go into every frame."""
        self._interval_s = interval_s
        self._limits = limits
        self._parts = tuple(parts)
        self._fleets = tuple(fleets)
        self.health: list[Callable[[], tuple[PartHealth, ...]]] = []
        """Parts that say with each frame how they are."""
        self._listener = listener or Listener()
        self._reader = EngineReader()
        self._members: dict[str, Member] = {}
        self._wake = asyncio.Event()
        self._running = False
        self._followers: list[asyncio.Task[None]] = []
        self._leaving: set[asyncio.Task[None]] = set()
        """Members on their way out."""
        self._seq = 0
        for index, (name, source) in enumerate(sources):
            self.add(name, source, index * interval_s / max(1, len(sources)))

    @property
    def watches(self) -> tuple[EndpointWatch, ...]:
        return tuple(member.watch for member in self._members.values())

    def touch(self, endpoint: str) -> None:
        """Something about `endpoint` changed besides its polls: a frame is due."""
        if member := self._members.get(endpoint):
            member.dirty = True
        self._wake.set()

    async def fresh(self, endpoint: str) -> None:
        """Return when `endpoint` was polled again, a failed poll included; the poll begins at once.

        Its own deadline bounds it; nothing is awaited for an endpoint that is not polled.
        """
        member = self._members.get(endpoint)
        if self._running and member is not None and member.source is not None:
            await member.fresh()

    def start(self) -> None:
        """Begin polling; a second call does nothing."""
        if self._running:
            return
        self._running = True
        for member in self._members.values():
            member.task = asyncio.create_task(self._sample(member))
        self._followers = [asyncio.create_task(_follow(fleet, self)) for fleet in self._fleets]

    def add(self, name: str, source: Source, delay_s: float = 0.0) -> None:
        """Poll `source`, the first time after `delay_s`. One that is watched already stays as it is."""
        if source.endpoint not in self._members:
            self.admit(name, source.endpoint, source.proof, self._interval_s)
            member = self._members[source.endpoint]
            member.source, member.delay_s = source, delay_s
            if self._running:
                member.task = asyncio.create_task(self._sample(member))

    def admit(self, name: str, endpoint: str, proof: ProofLevel, interval_s: float) -> None:
        """Watch an endpoint whose polls are delivered, about every `interval_s`."""
        if endpoint not in self._members:
            watch = EndpointWatch(endpoint, name, interval_s, proof, self._limits, self._reader)
            self._members[endpoint] = Member(watch)
            self._wake.set()

    def deliver(self, endpoint: str, poll: Poll) -> None:
        """Take the next poll of an endpoint; one that is not watched is ignored."""
        member = self._members.get(endpoint)
        if member is not None:
            self._take(member, poll)

    def recall(self, endpoint: str, past: Past) -> None:
        """Show what an endpoint's measures were before it was watched."""
        if member := self._members.get(endpoint):
            for measure, samples in past.items():
                if ring := member.watch.trends.get(measure):
                    ring.fill(samples)
            self.touch(endpoint)

    def remove(self, endpoint: str) -> None:
        """Stop watching `endpoint`; its source is closed in the background, at the latest by `close`."""
        member = self._members.pop(endpoint, None)
        if member is not None:
            leaving = asyncio.create_task(member.release())
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
            self._wake.set()

    async def frames(self) -> AsyncIterator[Frame]:
        """Frames until closed: at once, with the first answer, then as polls come in, at least one a second."""
        self.start()
        yield self.frame()
        answered = False
        while self._running:
            try:
                async with asyncio.timeout(TICK_S):
                    await self._wake.wait()
                # Somebody waits for the first answer; later ones may wait for each other.
                await asyncio.sleep(COALESCE_S if answered else 0.0)
            except TimeoutError:
                pass
            answered = answered or any(watch.polls for watch in self.watches)
            yield self.frame()

    def frame(self) -> Frame:
        """The state now."""
        self._wake.clear()
        unix, now = time.time(), time.monotonic()
        self._seq += 1
        endpoints = tuple(member.frame(unix, now) for member in self._members.values())
        # One that hangs has not failed yet at first, and has not answered either.
        answering = sum(1 for e in endpoints if e.polls and e.failure is None)
        state = f"{answering}/{len(endpoints)} answer"
        told = (part for health in self.health for part in health())
        fleets = (fleet.health for fleet in self._fleets)
        return Frame(self._seq, unix, endpoints, (PartHealth("poll", state), *fleets, *self._parts, *told))

    async def close(self) -> None:
        """Stop polling and release the sources."""
        self._running = False
        for task in self._followers:
            task.cancel()
        await asyncio.gather(*self._followers, return_exceptions=True)
        members = (member.release() for member in self._members.values())
        await asyncio.gather(*members, *self._leaving, return_exceptions=True)
        await asyncio.gather(*(fleet.close() for fleet in self._fleets), return_exceptions=True)
        self._wake.set()

    async def _sample(self, member: Member) -> None:
        await asyncio.sleep(member.delay_s)
        due = time.monotonic()
        while member.source is not None:
            poll = await attempt(member.source)
            self._take(member, poll)
            pause = back_off(member.watch.failed_polls, self._interval_s)
            now = time.monotonic()
            due += pause
            if due <= now:
                due = now + pause - (now - due) % pause
            if await member.pause(due - now):
                due = time.monotonic()

    def _take(self, member: Member, poll: Poll) -> None:
        watch = member.watch
        self._listener.on_poll(watch.endpoint, poll)
        failed_before = watch.failed_polls
        try:
            events = watch.observe(poll)
        except Exception as error:  # noqa: BLE001 - a page that breaks our rules must not end the watch
            watch.refuse(own_failure(error))
            events = ()
        for event in events:
            self._listener.on_event(event)
        if failed_before and not watch.failed_polls and member.source is not None:
            member.source.refresh_facts()
        _tell(self._listener.on_judged, watch)
        member.taken(poll)
        self._wake.set()


def _tell(on_judged: Callable[[EndpointWatch], None], watch: EndpointWatch) -> None:
    try:
        on_judged(watch)
    except Exception as error:  # noqa: BLE001 - what is done after a poll must not end the polling
        LOGGER.error("failed after a poll", exc_info=error)


async def _follow(fleet: Fleet, members: Membership) -> None:
    """Follow a fleet; a fault of our own in it is logged and it is followed anew."""
    while True:
        try:
            await fleet.follow(members)
        except Exception as error:  # noqa: BLE001 - one fleet's trouble must not end the others
            LOGGER.error("failed on a list of endpoints", exc_info=error)
        await asyncio.sleep(BACK_OFF_MAX_S)


def back_off(failed_polls: int, interval_s: float) -> float:
    """Seconds to the next attempt: the interval, doubling from the fourth failure in a row up to a bound."""
    if failed_polls <= 3:
        return interval_s
    return max(interval_s, min(BACK_OFF_MAX_S, interval_s * 2.0 ** min(failed_polls - 3, 10)))
