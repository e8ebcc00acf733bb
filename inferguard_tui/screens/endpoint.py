"""The dashboard of one endpoint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.reactive import reactive

from inferguard_tui.keys import (
    ENDPOINT_KEYS,
    NUMBER_KEYS,
    PROGRAM_KEYS,
    REPLAY_KEYS,
    SUBJECT_KEYS,
    bindings_of,
)
from inferguard_tui.messages import PanelOpened
from inferguard_tui.panels.anomalies import ANOMALIES
from inferguard_tui.panels.catalogue import PANELS
from inferguard_tui.panels.incidents import INCIDENTS
from inferguard_tui.screens.handling import HandlingScreen
from inferguard_tui.screens.zoom import ZoomScreen
from inferguard_tui.widgets.board import Board
from inferguard_tui.widgets.panel_view import PanelView
from inferguard_tui.widgets.top_lines import HeaderLine, KeyLine, ReplayBar, VerdictLine

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import Binding

    from inferguard_tui.chart import Raster


class EndpointScreen(HandlingScreen):
    """Header, verdict, panels, keys; the panels show the endpoint whose key is `endpoint_key`."""

    CSS_PATH = Path(__file__).with_name("endpoint.tcss")
    BINDINGS = [*ENDPOINT_KEYS, *SUBJECT_KEYS]  # noqa: RUF012 - Textual's
    AUTO_FOCUS = ""

    raster: reactive[Raster | None] = reactive(None, repaint=False)

    def __init__(
        self, endpoint_key: str | None = None, *, ascii_only: bool = False, in_fleet: bool = False
    ) -> None:
        """`endpoint_key` None shows the first endpoint there is."""
        super().__init__(endpoint_key, ascii_only=ascii_only)
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
        asking = bindings_of([*replay, *SUBJECT_KEYS])
        return [*asking, *own, *bindings_of([*numbers, *PROGRAM_KEYS])]

    def show_chart(self, raster: Raster | None) -> None:
        self.raster = raster

    @on(PanelOpened)
    def open_panel(self, message: PanelOpened) -> None:
        """The log of incidents opens as its newest incident, any other panel by itself."""
        if message.panel_id == INCIDENTS.id and self.incident is not None:
            self.action_incident()
        else:
            self._zoom(message.panel_id)

    def action_zoom(self) -> None:
        chosen = self.focused.id if isinstance(self.focused, PanelView) else None
        self._zoom(chosen or ANOMALIES.id)

    def _zoom(self, panel_id: str) -> None:
        panel = next(panel for panel in PANELS if panel.id == panel_id)
        self.app.push_screen(ZoomScreen(panel, self.endpoint_key, ascii_only=self.ascii_only))

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
