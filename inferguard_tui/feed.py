"""What the screen stands on: something that yields Frames. Live monitoring, replay and tests all satisfy it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from inferguard_core.followup import Execution, Similar
    from inferguard_core.frame import Frame


class ReplayControls(Protocol):
    """Steering of a replay; a live feed has none."""

    def toggle_pause(self) -> None: ...

    def seek(self, at_s: float) -> None:
        """Go to `at_s` seconds after the recording's start, clamped to its length."""
        ...

    def skip(self, by_s: float) -> None:
        """So many seconds on from where it stands, or back; several in a row add up."""
        ...

    def step(self, polls: int) -> None:
        """So many polls on, or back for a negative number; it stands still afterwards."""
        ...

    def seek_incident(self, direction: int) -> None:
        """To where the next incident opens, or the one before; to an end of the recording where there is none."""
        ...

    def set_speed(self, speed: float) -> None:
        """Recorded seconds per second, 0.25 to 64."""
        ...


class Desk(Protocol):
    """What a person may ask of a running session. What comes of it shows in a later frame.

    No method blocks or raises for what a person asks; an async one may take seconds and can be cancelled. A text
    that is returned is a line for the person: why it was not done, empty when it was.
    """

    def acknowledge(self, incident_id: str, who: str) -> str:
        """Say that `who` is on it; again by the same person takes it back."""
        ...

    def snooze(self, incident_id: str, who: str, seconds: float) -> str:
        """As `who` asks, do not call for attention for so long; 0 ends it."""
        ...

    def note(self, incident_id: str, who: str, text: str) -> str: ...

    def investigate(self, endpoint: str) -> str:
        """Think about this endpoint now, with whatever brain there is."""
        ...

    async def recall(self, query: str, incident_id: str | None = None) -> tuple[Similar, ...] | str:
        """Past incidents like `query`, or with an empty one like the incident; best first."""
        ...

    async def dry_run(self, action_id: str, who: str) -> Execution | str:
        """What would be sent for this advisory, guards and target included; nothing is sent."""
        ...

    async def dispatch(self, action_id: str, who: str, confirmed: str) -> Execution | str:
        """Send it, in live mode, when `confirmed` is the action's own name and every guard agrees."""
        ...

    async def export(self, endpoint: str, incident_id: str, markdown: str) -> str:
        """Write this page about an incident, and a recording of the minutes around it; a line that says where."""
        ...

    async def closed_frame(self, incident_id: str) -> Frame | str:
        """A past incident as a frame, for the panels that show a live one."""
        ...


class FrameFeed(Protocol):
    """A source of Frames. `frames` is iterated once; `close` ends it and releases sockets and files."""

    @property
    def replay(self) -> ReplayControls | None: ...

    @property
    def desk(self) -> Desk | None:
        """None where nothing can be asked: a plain recording."""
        ...

    def frames(self) -> AsyncIterator[Frame]: ...

    async def close(self) -> None: ...
