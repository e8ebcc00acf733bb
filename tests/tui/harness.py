"""Feeds and small applications for the tests of the screen."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App

from inferguard_tui import app as app_module
from inferguard_tui.app import InferGuardApp
from inferguard_tui.screens.frame_screen import FrameScreen
from inferguard_tui.terminal import Terminal
from inferguard_tui.theming import find_themes, token_defaults

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from textual.app import ComposeResult
    from textual.pilot import Pilot
    from textual.screen import Screen
    from textual.widget import Widget

    from inferguard_core.frame import Frame
    from inferguard_tui.feed import Desk, ReplayControls

UNICODE = Terminal()


class PushedFeed:
    """Yields what is pushed, in order, until closed; records what was asked of its replay controls."""

    def __init__(
        self, *frames: Frame, replay: ReplayControls | None = None, desk: Desk | None = None
    ) -> None:
        self._frames: asyncio.Queue[Frame | Exception | None] = asyncio.Queue()
        for frame in frames:
            self._frames.put_nowait(frame)
        self.replay = replay
        self.desk = desk
        self.closed = False

    def push(self, item: Frame | Exception | None) -> None:
        """A frame, an exception to raise, or None to end."""
        self._frames.put_nowait(item)

    async def frames(self) -> AsyncIterator[Frame]:
        while (item := await self._frames.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item

    async def close(self) -> None:
        self.closed = True


class Controls:
    """Notes what a person asked of a replay."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, float]] = []

    def toggle_pause(self) -> None:
        self.asked.append(("toggle", 0.0))

    def seek(self, at_s: float) -> None:
        self.asked.append(("seek", at_s))

    def skip(self, by_s: float) -> None:
        self.asked.append(("skip", by_s))

    def step(self, polls: int) -> None:
        self.asked.append(("step", polls))

    def seek_incident(self, direction: int) -> None:
        self.asked.append(("incident", direction))

    def set_speed(self, speed: float) -> None:
        self.asked.append(("speed", speed))


def monitor(*frames: Frame, theme: str | None = None, terminal: Terminal = UNICODE) -> InferGuardApp:
    """The application on a feed of `frames`."""
    return InferGuardApp(PushedFeed(*frames), theme=theme, terminal=terminal)


class Harness(App[None]):
    """One widget by itself, with our colours."""

    CSS_PATH = Path(app_module.__file__).with_name("app.tcss")

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget
        for found in find_themes()[0]:
            self.register_theme(found.theme)
        self.theme = "night"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return token_defaults(self.current_theme)

    def get_default_screen(self) -> Screen[None]:
        return FrameScreen()

    def compose(self) -> ComposeResult:
        yield self.widget


async def settled(pilot: Pilot[None]) -> None:
    """Wait until the charts are loaded and everything posted has been drawn."""
    await pilot.pause()
    for worker in [w for w in pilot.app.workers if w.name == "chart"]:
        await worker.wait()
    await pilot.pause()


def pressed(*keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Press these, one after the other, and wait until all is drawn."""

    async def press(pilot: Pilot[None]) -> None:
        await settled(pilot)
        for key in keys:
            await pilot.press(key)
            await settled(pilot)

    return press


def screen_text(app: App[None]) -> str:
    """What is on screen, line by line, without colours."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


def rows(pilot: Pilot[None]) -> list[str]:
    return screen_text(pilot.app).splitlines()
