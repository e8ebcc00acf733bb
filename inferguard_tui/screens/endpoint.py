"""The dashboard of one endpoint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.reactive import reactive

from inferguard_tui.keys import ENDPOINT_KEYS, NUMBER_KEYS, PROGRAM_KEYS, REPLAY_KEYS, bindings_of
from inferguard_tui.messages import ZoomRequested
from inferguard_tui.panels.catalogue import PANELS
from inferguard_tui.screens.frame_screen import FrameScreen
from inferguard_tui.screens.zoom import ZoomScreen
from inferguard_tui.widgets.board import Board
from inferguard_tui.widgets.panel_view import PanelView
from inferguard_tui.widgets.top_lines import HeaderLine, KeyLine, ReplayBar, VerdictLine

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import Binding

    from inferguard_core.frame import EndpointFrame, Frame
    from inferguard_tui.chart import Raster


class EndpointScreen(FrameScreen):
    """Header, verdict, panels, keys; the panels show the endpoint whose key is `endpoint_key`."""

    CSS_PATH = Path(__file__).with_name("endpoint.tcss")
    BINDINGS = ENDPOINT_KEYS
    AUTO_FOCUS = ""

    endpoint: reactive[EndpointFrame | None] = reactive(None, repaint=False)
    raster: reactive[Raster | None] = reactive(None, repaint=False)

    def __init__(
        self, endpoint_key: str | None = None, *, ascii_only: bool = False, in_fleet: bool = False
    ) -> None:
        """`endpoint_key` None shows the first endpoint there is."""
        super().__init__(ascii_only=ascii_only)
        self.endpoint_key = endpoint_key
        self.in_fleet = in_fleet

    def compose(self) -> ComposeResult:
        plain = self.ascii_only
        yield HeaderLine(id="header", ascii_only=plain).data_bind(
            EndpointScreen.frame, EndpointScreen.watching, EndpointScreen.endpoint
        )
        yield VerdictLine(id="verdict", ascii_only=plain).data_bind(
            EndpointScreen.frame, EndpointScreen.watching, EndpointScreen.endpoint
        )
        with Board():
            for panel in PANELS:
                yield PanelView(panel, ascii_only=plain).data_bind(
                    EndpointScreen.endpoint, EndpointScreen.raster
                )
        yield ReplayBar(id="replay", ascii_only=plain).data_bind(EndpointScreen.frame)
        yield KeyLine(self._keys(), ascii_only=plain)

    def _keys(self) -> list[Binding]:
        own = [key for key in bindings_of(ENDPOINT_KEYS) if self.in_fleet or key.id != "endpoint.back"]
        numbers = NUMBER_KEYS if self.in_fleet else []
        replay = REPLAY_KEYS if self.app.check_action("replay", ()) else []
        return [*own, *bindings_of([*replay, *numbers, *PROGRAM_KEYS])]

    def watch_frame(self, frame: Frame | None) -> None:
        if frame is None:
            return
        chosen = next((e for e in frame.endpoints if e.endpoint == self.endpoint_key), None)
        if chosen is None and self.endpoint_key is None and frame.endpoints:
            chosen = frame.endpoints[0]
        self.endpoint = chosen

    def show_chart(self, raster: Raster | None) -> None:
        self.raster = raster

    @on(ZoomRequested)
    def zoom_panel(self, message: ZoomRequested) -> None:
        panel = next(panel for panel in PANELS if panel.id == message.panel_id)
        self.app.push_screen(ZoomScreen(panel, self.endpoint_key, ascii_only=self.ascii_only))

    def action_zoom(self) -> None:
        panel = (
            self.focused if isinstance(self.focused, PanelView) else self.query_one("#anomalies", PanelView)
        )
        panel.action_zoom()

    def action_next_panel(self) -> None:
        self._step(1)

    def action_previous_panel(self) -> None:
        self._step(-1)

    def action_first_panel(self) -> None:
        self._choose(0)

    def action_last_panel(self) -> None:
        self._choose(-1)

    def action_back(self) -> None:
        if self.in_fleet:
            self.app.pop_screen()
        else:
            self.set_focus(None)

    def _step(self, by: int) -> None:
        shown = self.query_one(Board).shown
        current = self.focused.id if self.focused is not None else None
        at = shown.index(current) + by if current in shown else (0 if by > 0 else -1)
        self._choose(at % len(shown))

    def _choose(self, index: int) -> None:
        shown = self.query_one(Board).shown
        self.query_one(f"#{shown[index]}", PanelView).focus()
