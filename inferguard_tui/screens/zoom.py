"""One panel by itself: all of its lines, then the measures behind it with source, window and exposed names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.line import EMPTY
from inferguard_tui.panels.view import Panel, View, panel_lines
from inferguard_tui.screens.dialog import Dialog

if TYPE_CHECKING:
    from inferguard_tui.chart import Raster
    from inferguard_tui.line import Line

_PICTURE_ROWS = 12
"""Room for the panel itself; a page scrolls, so this bounds charts and not lists."""


class ZoomScreen(Dialog):
    """Shows `panel` of the endpoint `endpoint_key`, or of the first endpoint."""

    def __init__(self, panel: Panel, endpoint_key: str | None, *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.panel = panel
        self.endpoint_key = endpoint_key
        self._raster: Raster | None = None

    def show_chart(self, raster: Raster | None) -> None:
        self._raster = raster

    def content(self, cells: int) -> tuple[Line, ...]:
        endpoints = self.frame.endpoints if self.frame is not None else ()
        endpoint = next((e for e in endpoints if self.endpoint_key in (None, e.endpoint)), None)
        view = View(cells, _PICTURE_ROWS, ascii_only=self.ascii_only, raster=self._raster)
        lines = panel_lines(self.panel, endpoint, view)
        if endpoint is None or self.panel.detail is None:
            return lines
        more = self.panel.detail(endpoint, view)
        return (lines[0], *more) if self.panel.repeated and more else (*lines, EMPTY, *more)
