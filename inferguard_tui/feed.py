"""What the screen stands on: something that yields Frames. Live monitoring, replay and tests all satisfy it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from inferguard_core.frame import Frame


class ReplayControls(Protocol):
    """Steering of a replay; a live feed has none."""

    def toggle_pause(self) -> None: ...

    def seek(self, at_s: float) -> None:
        """Go to `at_s` seconds after the recording's start, clamped to its length."""
        ...

    def set_speed(self, speed: float) -> None:
        """Recorded seconds per second, 0.25 to 64."""
        ...


class FrameFeed(Protocol):
    """A source of Frames. `frames` is iterated once; `close` ends it and releases sockets and files."""

    @property
    def replay(self) -> ReplayControls | None: ...

    def frames(self) -> AsyncIterator[Frame]: ...

    async def close(self) -> None: ...
