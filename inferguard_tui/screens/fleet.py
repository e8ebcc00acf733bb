"""Several endpoints, one line each, worst first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on

from inferguard_tui.fleet.columns import heading
from inferguard_tui.fleet.lines import look_line, look_words
from inferguard_tui.fleet.order import Look, Sort, next_of
from inferguard_tui.keys import (
    FLEET_KEYS,
    NUMBER_KEYS,
    PROGRAM_KEYS,
    REPLAY_KEYS,
    SUBJECT_KEYS,
    bindings_of,
)
from inferguard_tui.messages import EndpointChosen, FleetOrdered
from inferguard_tui.screens.handling import HandlingScreen
from inferguard_tui.widgets.field import Field
from inferguard_tui.widgets.fleet_table import FleetTable
from inferguard_tui.widgets.line_view import LineView
from inferguard_tui.widgets.top_lines import HeaderLine, KeyLine, ReplayBar, VerdictLine

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from inferguard_core.frame import EndpointFrame, Frame

_ASKING: list[BindingType] = [key for key in bindings_of(SUBJECT_KEYS) if key.id != "subject.snooze"]
"""`s` puts the rows in order here."""


class Headings(LineView):
    """The names of the columns that fit."""

    def on_resize(self) -> None:
        self.draw((heading(self.size.width),))


class FleetScreen(HandlingScreen):
    """Header, verdict, the table, keys. What is asked is asked about the endpoint under the cursor."""

    CSS_PATH = Path(__file__).with_name("fleet.tcss")
    BINDINGS = [*FLEET_KEYS, *_ASKING]  # noqa: RUF012 - Textual's
    AUTO_FOCUS = ""

    def __init__(self, *, sort: str = "", at: str = "", ascii_only: bool = False) -> None:
        """`sort` is the name of an order, `at` the endpoint to start on; those that are no more are as none."""
        super().__init__(ascii_only=ascii_only)
        self._at = at
        self._look = Look(Sort(sort)) if sort in list(Sort) else Look()

    def compose(self) -> ComposeResult:
        plain = self.ascii_only
        yield HeaderLine(id="header", ascii_only=plain).data_bind(FleetScreen.frame, FleetScreen.watching)
        yield VerdictLine(id="verdict", ascii_only=plain).data_bind(FleetScreen.frame, FleetScreen.watching)
        yield Field("words that a row must hold; enter keeps them, esc shows all")
        yield LineView(id="look", ascii_only=plain)
        yield Headings(id="headings", ascii_only=plain)
        yield FleetTable(self._look, at=self._at, ascii_only=plain).data_bind(FleetScreen.frame)
        yield ReplayBar(id="replay", ascii_only=plain).data_bind(FleetScreen.frame)
        replay = REPLAY_KEYS if self.app.check_action("replay", ()) else []
        keys = bindings_of([*FLEET_KEYS, *_ASKING, *NUMBER_KEYS, *replay, *PROGRAM_KEYS])
        yield KeyLine(keys, ascii_only=plain)

    @property
    def table(self) -> FleetTable:
        return self.query_one(FleetTable)

    @property
    def subject(self) -> EndpointFrame | None:
        endpoints = self.frame.endpoints if self.frame is not None else ()
        return next((e for e in endpoints if e.endpoint == self.table.chosen), None)

    def watch_frame(self, frame: Frame | None) -> None:
        if frame is not None and self.is_mounted:
            self.call_after_refresh(self._tell)

    def action_cursor(self, by: int) -> None:
        self.table.move(by)

    def action_page(self, direction: int) -> None:
        self.table.move(direction * max(1, self.table.size.height - 1))

    def action_edge(self, direction: int) -> None:
        self.table.move(direction * len(self.frame.endpoints if self.frame is not None else ()))

    def action_open(self) -> None:
        if self.table.chosen:
            self.post_message(EndpointChosen(self.table.chosen))

    def action_look(self, what: str) -> None:
        """`sort` now, the next `order`, the next `group`, or `plain`: no filter."""
        look = self.table.look
        if what == "order":
            look = replace(look, sort=next_of(look.sort))
            self.post_message(FleetOrdered(look.sort))
        elif what == "group":
            look = replace(look, group=next_of(look.group))
        elif what == "plain":
            self.keep()
            look = replace(look, wanted="")
        self._show(look)

    def action_filter(self) -> None:
        field = self.query_one(Field)
        field.add_class("-open")
        field.value = self.table.look.wanted
        field.focus()

    @on(Field.Changed)
    def narrow(self, message: Field.Changed) -> None:
        """The rows follow each letter."""
        if isinstance(self.focused, Field):
            self._show(replace(self.table.look, wanted=message.value))

    @on(Field.Submitted)
    def keep(self) -> None:
        self.set_focus(None)
        self.query_one(Field).remove_class("-open")

    def _show(self, look: Look) -> None:
        self.table.show(look)
        self._tell()

    def _tell(self) -> None:
        """How it is looked at, where that is not the plain way."""
        total = len(self.frame.endpoints) if self.frame is not None else 0
        told, look = self.query_one("#look", LineView), self.table.look
        told.set_class(bool(look_words(look, 0, 0)), "-told")
        told.draw((look_line(look, self.table.count, total, self.size.width),))
