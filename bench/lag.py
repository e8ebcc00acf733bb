"""How long a poll waits for the frame that shows it; frames are joined over 0.25 s."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inferguard_core.poll import Poll


class FrameLag:
    """Between a monitor's `on_poll` and its frames."""

    def __init__(self) -> None:
        self._ended: dict[str, float] = {}
        self.polls = 0
        self.seconds: list[float] = []
        """From the end of each poll to its frame, of the frames that were counted."""

    def polled(self, endpoint: str, _poll: Poll) -> None:
        self.polls += 1
        self._ended.setdefault(endpoint, time.monotonic())

    def shown(self, now: float, *, counted: bool) -> None:
        """A frame came; `counted` is False while things warm up."""
        if counted:
            self.seconds.extend(now - ended for ended in self._ended.values())
        self._ended.clear()
