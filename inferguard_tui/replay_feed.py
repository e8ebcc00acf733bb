"""A recording as a FrameFeed: the same watch and the same frames as live, on the recording's own clock.

Seeking back runs the recording again from its start, since what was concluded depends on all that came before.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from bisect import bisect_right
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING

from inferguard_core.assemble import endpoint_frame
from inferguard_core.frame import Frame, ReplayPosition
from inferguard_core.poll import Poll, ProofLevel
from inferguard_core.watch import EndpointWatch
from inferguard_tui.lookout import Lookout

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from inferguard_core.detect.limits import Limits
    from inferguard_core.sources.recording import Recording

TICK_S = 0.25
"""Real seconds between frames while it plays; a change by a person shows at once."""
SLICE = 50
"""Polls observed before the event loop gets a turn: about 50 ms."""
MIN_SPEED, MAX_SPEED = 0.25, 64.0


class ReplayFeed:
    """Plays one recording; also its own `ReplayControls`."""

    def __init__(self, recording: Recording, limits: Limits, speed: float = 1.0, look_every: int = 5) -> None:
        """`recording` must hold at least one poll; every `look_every` of them the brain looks ahead, 0 is never."""
        self._recording = recording
        self._limits = limits
        self._speed = speed
        self._paused = False
        self._polls = recording.polls
        self._start_t = self._polls[0].t
        self._length_s = self._polls[-1].t - self._start_t
        self._at_s = 0.0
        self._next = 0
        self._look_every = look_every
        self._watch, self._lookout = self._fresh()
        self._seq = 0
        self._closed = False
        self._changed = asyncio.Event()

    @property
    def desk(self) -> None:
        return None

    @property
    def replay(self) -> ReplayFeed:
        return self

    def toggle_pause(self) -> None:
        if self._ended:
            self.seek(0.0)
            self._paused = False
        else:
            self._paused = not self._paused
        self._changed.set()

    def seek(self, at_s: float) -> None:
        self._at_s = min(max(0.0, at_s), self._length_s)
        if self._next and self._polls[self._next - 1].t > self._start_t + self._at_s:
            (self._watch, self._lookout), self._next = self._fresh(), 0
        self._changed.set()

    def set_speed(self, speed: float) -> None:
        self._speed = min(max(MIN_SPEED, speed), MAX_SPEED)
        self._changed.set()

    async def frames(self) -> AsyncIterator[Frame]:
        """Frames until closed; after the end it waits for a seek."""
        shown = time.monotonic()
        while not self._closed:
            self._changed.clear()
            await self._catch_up()
            yield self._frame()
            resting = self._paused or self._ended
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), None if resting else TICK_S)
            now = time.monotonic()
            if not resting:
                self._at_s = min(self._at_s + (now - shown) * self._speed, self._length_s)
            shown = now

    async def close(self) -> None:
        self._closed = True
        self._changed.set()

    @property
    def _ended(self) -> bool:
        return self._at_s >= self._length_s

    def _fresh(self) -> tuple[EndpointWatch, Lookout]:
        header = self._recording.header
        watch = EndpointWatch(
            header.endpoint, header.name, header.interval_s, ProofLevel.RECORDED, self._limits
        )
        return watch, Lookout(self._look_every)

    async def _catch_up(self) -> None:
        """Observe every poll up to the position, which may move while this yields."""
        while self._next < len(self._polls):
            until = bisect_right(self._polls, self._start_t + self._at_s, key=attrgetter("t"))
            if self._next >= until:
                return
            for poll in self._polls[self._next : min(until, self._next + SLICE)]:
                self._watch.observe(poll)
                self._lookout.after(self._watch)
                self._next += 1
            await asyncio.sleep(0)

    def _frame(self) -> Frame:
        self._seq += 1
        now = self._start_t + self._at_s
        first: Poll = self._polls[0]
        unix = first.unix + self._at_s
        seen = self._watch.seen
        age_s = None if seen is None else max(0.0, now - seen.poll.t)
        endpoint = endpoint_frame(self._watch, unix, age_s)
        position = ReplayPosition(self._at_s, self._length_s, self._speed, self._paused, self._ended)
        return replace(Frame(self._seq, unix, (endpoint,)), replay=position)
