"""Several endpoints, one line each, worst first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from inferguard_tui.fleet.columns import heading
from inferguard_tui.keys import FLEET_KEYS, NUMBER_KEYS, PROGRAM_KEYS, REPLAY_KEYS, bindings_of
from inferguard_tui.messages import EndpointChosen
from inferguard_tui.screens.frame_screen import FrameScreen
from inferguard_tui.widgets.fleet_table import FleetTable
from inferguard_tui.widgets.line_view import LineView
from inferguard_tui.widgets.top_lines import HeaderLine, KeyLine, ReplayBar, VerdictLine

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Headings(LineView):
    """The names of the columns that fit."""

    def on_resize(self) -> None:
        self.draw((heading(self.size.width),))


class FleetScreen(FrameScreen):
    """Header, verdict, the table, keys."""

    CSS_PATH = Path(__file__).with_name("fleet.tcss")
    BINDINGS = FLEET_KEYS
    AUTO_FOCUS = ""

    def compose(self) -> ComposeResult:
        plain = self.ascii_only
        yield HeaderLine(id="header", ascii_only=plain).data_bind(FleetScreen.frame, FleetScreen.watching)
        yield VerdictLine(id="verdict", ascii_only=plain).data_bind(FleetScreen.frame, FleetScreen.watching)
        yield Headings(id="headings", ascii_only=plain)
        yield FleetTable(ascii_only=plain).data_bind(FleetScreen.frame)
        yield ReplayBar(id="replay", ascii_only=plain).data_bind(FleetScreen.frame)
        replay = REPLAY_KEYS if self.app.check_action("replay", ()) else []
        keys = bindings_of([*FLEET_KEYS, *NUMBER_KEYS, *replay, *PROGRAM_KEYS])
        yield KeyLine(keys, ascii_only=plain)

    @property
    def table(self) -> FleetTable:
        return self.query_one(FleetTable)

    def action_cursor(self, by: int) -> None:
        self.table.move(by)

    def action_page(self, direction: int) -> None:
        self.table.move(direction * max(1, self.table.size.height - 1))

    def action_edge(self, direction: int) -> None:
        self.table.move(direction * len(self.frame.endpoints if self.frame is not None else ()))

    def action_sort(self) -> None:
        self.table.sort()

    def action_open(self) -> None:
        if self.table.chosen:
            self.post_message(EndpointChosen(self.table.chosen))
