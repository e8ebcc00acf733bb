"""What crosses from the feed to the screen, and what a person asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from inferguard_core.frame import Frame


class FrameReady(Message, bubble=False):
    """A frame to show. The newest wins: one that was not yet handled is replaced."""

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self.frame = frame

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, FrameReady)


class FeedStopped(Message, bubble=False):
    """No more frames will come, and why."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class EndpointChosen(Message):
    """A person wants to see this endpoint."""

    def __init__(self, endpoint: str) -> None:
        super().__init__()
        self.endpoint = endpoint


class FleetOrdered(Message):
    """A person chose this order of the fleet, by its name."""

    def __init__(self, sort: str) -> None:
        super().__init__()
        self.sort = sort


class PanelOpened(Message):
    """A person wants more of this panel."""

    def __init__(self, panel_id: str) -> None:
        super().__init__()
        self.panel_id = panel_id


class FramesWanted(Message):
    """A screen has come to the front and shows nothing yet, or something old."""
