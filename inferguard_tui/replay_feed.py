"""A recording as a FrameFeed: the same watch and the same frames as live, on the recording's own clock.

Seeking back runs the recording again from its start, since what was concluded depends on all that came before.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from inferguard_core.assemble import endpoint_frame
from inferguard_core.frame import Frame, ReplayPosition
from inferguard_tui.replay_course import Course

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from inferguard_core.detect.limits import Limits
    from inferguard_core.sources.recording import Recording
    from inferguard_tui.replay_desk import RecordingDesk

TICK_S = 0.25
"""Real seconds between frames while it plays; a change by a person shows at once."""
SLICE = 50
"""Polls observed before the event loop gets a turn: about 50 ms."""
HERE_S, NEAR_S = 2.0, 0.01
"""An incident that opened less than the first before the position is the one looked at; the second, one ahead of it."""
NO_MORE = "no incident opens after this"
MIN_SPEED, MAX_SPEED = 0.25, 64.0


class ReplayFeed:
    """Plays one recording; also its own `ReplayControls`."""

    def __init__(
        self,
        recording: Recording,
        limits: Limits,
        speed: float = 1.0,
        look_every: int = 5,
        *,
        desk: RecordingDesk | None = None,
    ) -> None:
        """`recording` must hold at least one poll; every `look_every` of them the brain looks ahead, 0 is never."""
        self._course = Course(recording, limits, look_every)
        self._speed = speed
        self._paused = False
        self._hunting = False
        self._note = ""
        self._at_s = 0.0
        self._seq = 0
        self._closed = False
        self._changed = asyncio.Event()
        self.desk = desk

    @property
    def replay(self) -> ReplayFeed:
        return self

    def toggle_pause(self) -> None:
        self._note = ""
        if self._ended:
            self.seek(0.0)
            self._paused = False
        else:
            self._paused = not self._paused
        self._changed.set()

    def seek(self, at_s: float) -> None:
        self._hunting = False
        self._note = ""
        self._at_s = min(max(0.0, at_s), self._course.length_s)
        self._course.rewind(self._at_s)
        self._changed.set()

    def skip(self, by_s: float) -> None:
        self.seek(self._at_s + by_s)

    def step(self, polls: int) -> None:
        index = self._course.due(self._at_s) - 1 + polls
        self._paused = True
        self.seek(self._course.at(min(max(index, 0), len(self._course.polls) - 1)))

    def seek_incident(self, direction: int) -> None:
        marks = self._course.marks
        if direction < 0:
            before = [mark for mark in marks if mark < self._at_s - HERE_S]
            self.seek(before[-1] if before else 0.0)
            return
        after = [mark for mark in marks if mark > self._at_s + NEAR_S]
        if after:
            self.seek(after[0])
        else:
            self._hunting = True
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
            if self._hunting:
                await self._hunt()
                await self._catch_up()
                shown = time.monotonic()
            yield self._frame()
            resting = self._paused or self._ended
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if resting else TICK_S):
                    await self._changed.wait()
            now = time.monotonic()
            if not resting and not self._hunting:
                self._at_s = min(self._at_s + (now - shown) * self._speed, self._course.length_s)
            shown = now

    async def close(self) -> None:
        self._closed = True
        self._changed.set()

    @property
    def _ended(self) -> bool:
        return self._at_s >= self._course.length_s

    async def _catch_up(self) -> None:
        """Observe every poll up to the position, which may move while this yields."""
        while (due := self._course.due(self._at_s)) > self._course.taken:
            self._course.take(min(due, self._course.taken + SLICE))
            await asyncio.sleep(0)

    async def _hunt(self) -> None:
        """Run on until an incident opens; a person's seek stops it. Where none does, it stays where it stood."""
        while self._hunting and not self._course.whole and not self._closed:
            opened = self._course.take(self._course.taken + 1)
            if opened is not None:
                self._hunting = False
                self._at_s = opened
            elif self._course.taken % SLICE == 0:
                await asyncio.sleep(0)
        if self._hunting:
            self._hunting = False
            self._note = NO_MORE
            self._course.rewind(self._at_s)

    def _frame(self) -> Frame:
        self._seq += 1
        course = self._course
        unix = course.polls[0].unix + self._at_s
        seen = course.watch.seen
        age_s = None if seen is None else max(0.0, course.start_t + self._at_s - seen.poll.t)
        endpoint = endpoint_frame(course.watch, unix, age_s)
        position = ReplayPosition(
            self._at_s, course.length_s, self._speed, self._paused, self._ended, course.marks, self._note
        )
        return replace(Frame(self._seq, unix, (endpoint,)), replay=position)
