"""The application: takes frames from a feed, hands them to the screen in front, and steers pause and replay.

It reads and shows; it never asks an endpoint anything, and a feed that fails becomes a line on the screen.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on

from inferguard_core.printable import printable
from inferguard_tui import chart
from inferguard_tui.keymap import effective
from inferguard_tui.keys import NUMBER_KEYS, PANEL_KEYS, PROGRAM_KEYS, REPLAY_KEYS, bindings_of, every_binding
from inferguard_tui.messages import EndpointChosen, FeedStopped, FrameReady, FramesWanted
from inferguard_tui.panels.span import over
from inferguard_tui.program import OPENS_A_DIALOG, Program
from inferguard_tui.screens.dialog import Dialog, in_sight
from inferguard_tui.screens.endpoint import EndpointScreen
from inferguard_tui.screens.fleet import FleetScreen
from inferguard_tui.screens.help import HelpScreen

if TYPE_CHECKING:
    from textual.binding import BindingType

    from inferguard_core.frame import Frame
    from inferguard_tui.feed import FrameFeed
    from inferguard_tui.program import Setup
    from inferguard_tui.screens.frame_screen import FrameScreen
    from inferguard_tui.terminal import Terminal


class InferGuardApp(Program):
    """Shows what `feed` yields until a person quits."""

    CSS_PATH = Path(__file__).with_name("app.tcss")
    TITLE = "InferGuard"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [*PROGRAM_KEYS, *REPLAY_KEYS, *NUMBER_KEYS]

    def __init__(
        self,
        feed: FrameFeed,
        *,
        theme: str | None = None,
        terminal: Terminal | None = None,
        setup: Setup | None = None,
    ) -> None:
        """ValueError, in one line, for a `theme` that does not exist."""
        super().__init__(theme=theme, terminal=terminal, setup=setup)
        self._feed = feed
        self._newest: Frame | None = None
        self._shown: Frame | None = None
        self._fleet_shown = False
        self._chart_wanted = False
        self._raster: chart.Raster | None = None

    def on_mount(self) -> None:
        self.push_screen(EndpointScreen(ascii_only=self.terminal.ascii_only))
        self.call_after_refresh(self.tell_bad_themes)
        # After the first paint: a feed loads its HTTP stack when frames are first asked for.
        self.call_after_refresh(self.run_worker, self._consume, name="feed", exit_on_error=False)

    async def _consume(self) -> None:
        """Post every frame; whatever ends the feed is posted too."""
        reason = "the feed ended"
        try:
            async for frame in self._feed.frames():
                self.post_message(FrameReady(frame))
        except Exception as error:  # noqa: BLE001 - the screen must say what happened, whatever it was
            reason = printable(str(error)) or type(error).__name__
        self.post_message(FeedStopped(reason))

    async def on_unmount(self) -> None:
        with suppress(Exception):
            await self._feed.close()

    @on(FrameReady)
    def take_frame(self, message: FrameReady) -> None:
        self._newest = message.frame
        if self.watching.paused_unix is None:
            self._shown = message.frame
        if len(message.frame.endpoints) > 1 and not self._fleet_shown and len(self.screen_stack) <= 2:
            # Behind a metrics server there may be many, known only once it has answered.
            self._fleet_shown = True
            last, plain = self.remembered, self.terminal.ascii_only
            self.switch_screen(FleetScreen(sort=last.sort, at=last.endpoint, ascii_only=plain))
        if not self._chart_wanted and any(each.polls for each in message.frame.endpoints):
            # After the first data, which it would delay by its import.
            self._chart_wanted = True
            self.call_after_refresh(self.run_worker, self._load_chart, name="chart", exit_on_error=False)
        self.deliver()

    @on(FeedStopped)
    def stop(self, message: FeedStopped) -> None:
        self.watching = replace(self.watching, trouble=message.reason.rstrip("."))
        self.deliver()

    async def _load_chart(self) -> None:
        # Only the import leaves this thread; drawing must not.
        self._raster = await asyncio.to_thread(chart.load)
        self.deliver()

    @on(FramesWanted)
    def deliver(self) -> None:
        """Give what is shown to the screens in sight: the topmost, and what a dialog leaves visible beneath it."""
        frame = over(self._shown, self.watching.span_s)
        beneath: FrameScreen | None = None
        for screen in in_sight(self.screen_stack):
            screen.show_chart(self._raster)
            screen.desk = self._feed.desk
            screen.watching = self.watching
            if beneath is not None:
                screen.endpoint = beneath.endpoint
            screen.frame = frame
            beneath = screen

    @on(EndpointChosen)
    def open_endpoint(self, message: EndpointChosen) -> None:
        self.remember(endpoint=message.endpoint)
        while not isinstance(self.screen, FleetScreen) and len(self.screen_stack) > 2:
            self.pop_screen()
        self.push_screen(EndpointScreen(message.endpoint, ascii_only=self.terminal.ascii_only, in_fleet=True))

    def action_open_number(self, number: int) -> None:
        endpoints = self._shown.endpoints if self._shown is not None else ()
        if len(endpoints) > 1 and number <= len(endpoints):
            self.post_message(EndpointChosen(endpoints[number - 1].endpoint))

    def action_pause(self) -> None:
        if self.watching.paused_unix is not None:
            self.watching = replace(self.watching, paused_unix=None)
            self._shown = self._newest
        elif self._shown is not None:
            self.watching = replace(self.watching, paused_unix=self._shown.unix)
        self.deliver()

    def action_help(self) -> None:
        panel = PANEL_KEYS if isinstance(self.screen, EndpointScreen) else []
        replay = REPLAY_KEYS if self._feed.replay is not None else []
        here = bindings_of([*type(self.screen).BINDINGS, *panel, *NUMBER_KEYS, *replay, *PROGRAM_KEYS])
        shown, every = (effective(keys, self.setup.keymap) for keys in (here, every_binding()))
        self.push_screen(HelpScreen(shown, every, ascii_only=self.terminal.ascii_only))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys exist where they do something; nothing that opens a dialog works over one."""
        if action == "replay":
            return self._feed.replay is not None
        if action == "open_number":
            count = len(self._shown.endpoints) if self._shown is not None else 0
            return count > 1 and parameters[0] in range(1, count + 1)
        return not (action in OPENS_A_DIALOG and isinstance(self.screen, Dialog))

    def action_replay(self, what: str, by: float = 0.0) -> None:
        """What a key of the replay does; `by` is in seconds, polls, incidents or a factor of the speed."""
        controls, newest = self._feed.replay, self._newest
        stands = newest.replay if newest is not None else None
        if controls is None or stands is None:
            return
        if what == "toggle":
            controls.toggle_pause()
        elif what == "seek":
            controls.skip(by)
        elif what == "step":
            controls.step(int(by))
        elif what == "incident":
            controls.seek_incident(int(by))
        elif what == "speed":
            controls.set_speed(stands.speed * by)
