"""One panel of the dashboard: focusable, zoomable, and otherwise a window on a pure function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.reactive import reactive

from inferguard_tui.keys import PANEL_KEYS
from inferguard_tui.messages import PanelOpened
from inferguard_tui.panels.view import Panel, View, panel_lines
from inferguard_tui.widgets.line_view import LineView

if TYPE_CHECKING:
    from inferguard_core.frame import EndpointFrame
    from inferguard_tui.chart import Raster


class PanelView(LineView, can_focus=True):
    """Draws `panel` for the endpoint of the newest frame."""

    BINDINGS = PANEL_KEYS

    endpoint: reactive[EndpointFrame | None] = reactive(None, repaint=False)
    raster: reactive[Raster | None] = reactive(None, repaint=False)

    def __init__(self, panel: Panel, *, ascii_only: bool = False) -> None:
        super().__init__(id=panel.id, ascii_only=ascii_only)
        self.panel = panel

    def redraw(self) -> None:
        width, height = self.size
        view = View(width, height, self.has_focus, self.ascii_only, self.raster)
        self.draw(panel_lines(self.panel, self.endpoint, view))

    def watch_endpoint(self) -> None:
        self.redraw()

    def watch_raster(self) -> None:
        self.redraw()

    def on_resize(self) -> None:
        self.redraw()

    def on_focus(self) -> None:
        self.redraw()

    def on_blur(self) -> None:
        self.redraw()

    def action_open(self) -> None:
        self.post_message(PanelOpened(self.panel.id))
