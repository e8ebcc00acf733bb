"""A past incident in the panels of the dashboard, beside the live ones where there is room.

What is past stands still and is named as such; the header and the verdict above it stay live.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual.containers import Horizontal, Vertical
from textual.reactive import reactive

from inferguard_tui.formatting import clock, day, duration
from inferguard_tui.incident.page import Subject, columns_of, incident_head
from inferguard_tui.keys import PAST_KEYS, PROGRAM_KEYS, bindings_of
from inferguard_tui.panels.catalogue import PANELS
from inferguard_tui.panels.view import View, title_rule
from inferguard_tui.screens.dialog import Dialog
from inferguard_tui.screens.subject import SubjectScreen
from inferguard_tui.widgets.board import Board
from inferguard_tui.widgets.line_view import LineView
from inferguard_tui.widgets.panel_view import PanelView
from inferguard_tui.widgets.top_lines import HeaderLine, KeyLine, VerdictLine

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from inferguard_core.frame import EndpointFrame, Frame
    from inferguard_tui.chart import Raster
    from inferguard_tui.line import Line

_BESIDE_FROM = 160
"""Cells from which both boards have the width that one needs."""


class PastScreen(SubjectScreen):
    """Shows `closed` and, beside it, the live endpoint."""

    CSS_PATH = Path(__file__).with_name("past.tcss")
    BINDINGS = PAST_KEYS
    AUTO_FOCUS = ""

    raster: reactive[Raster | None] = reactive(None, repaint=False)
    past: reactive[EndpointFrame | None] = reactive(None, repaint=False)

    def __init__(self, endpoint_key: str, closed: Frame, *, ascii_only: bool = False) -> None:
        """`closed` holds the past endpoint as its first."""
        super().__init__(endpoint_key, ascii_only=ascii_only)
        self._kept = closed

    def compose(self) -> ComposeResult:
        plain = self.ascii_only
        yield HeaderLine(id="header", ascii_only=plain).data_bind(
            PastScreen.frame, PastScreen.watching, PastScreen.endpoint
        )
        yield VerdictLine(id="verdict", ascii_only=plain).data_bind(
            PastScreen.frame, PastScreen.watching, PastScreen.endpoint
        )
        with Horizontal():
            with Vertical(id="live"):
                yield LineView(id="live-title", ascii_only=plain)
                with Board():
                    for panel in PANELS:
                        yield PanelView(panel, ascii_only=plain).data_bind(
                            PastScreen.endpoint, PastScreen.raster
                        )
            with Vertical(id="past"):
                yield LineView(id="past-title", ascii_only=plain)
                with Board():
                    for panel in PANELS:
                        yield PanelView(panel, ascii_only=plain).data_bind(
                            PastScreen.raster, endpoint=PastScreen.past
                        )
        yield KeyLine(bindings_of([*PAST_KEYS, *PROGRAM_KEYS]), ascii_only=plain)

    def on_mount(self) -> None:
        self.past = self._kept.endpoints[0]

    def show_chart(self, raster: Raster | None) -> None:
        self.raster = raster

    def on_resize(self) -> None:
        self.query_one("#live").display = self.size.width >= _BESIDE_FROM
        self.call_after_refresh(self._titles)

    def _titles(self) -> None:
        for name, words, note in (("live", "Now", "live"), ("past", "Then", self._when())):
            title = self.query_one(f"#{name}-title", LineView)
            title.draw((title_rule(words, note, View(title.size.width, 1, focused=name == "past")),))

    def _when(self) -> str:
        """When the past incident was and how long it lasted."""
        past = self._kept.endpoints[0]
        incident = next(iter(past.incidents), None)
        if incident is None:
            return f"past, {day(self._kept.unix)} {clock(self._kept.unix)}"
        end = incident.ended_unix if incident.ended_unix is not None else self._kept.unix
        lasted = duration(end - incident.onset_unix)
        # One that another watcher holds open is past only as far as it was kept.
        how_long = f"lasted {lasted}" if incident.ended_unix is not None else f"open for {lasted} when kept"
        return f"past, {day(incident.onset_unix)} {clock(incident.onset_unix)}, {how_long}"

    def action_told(self) -> None:
        if self._kept.endpoints[0].incidents:
            self.app.push_screen(PastIncident(self._kept, ascii_only=self.ascii_only))
        else:
            self.answer("nothing more is kept of it")

    def action_close(self) -> None:
        self.app.pop_screen()


class PastIncident(Dialog):
    """The past incident in full."""

    def __init__(self, closed: Frame, *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self._kept = closed

    def content(self, cells: int) -> tuple[Line, ...]:
        past = self._kept.endpoints[0]
        subject = Subject(past.incidents[0], past, self._kept.unix)
        return (*incident_head(subject, "past", cells), *columns_of(subject, (cells,))[0])
