"""Past incidents: like the one at hand when it opens, or for words. The live verdict stays in sight."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Container

from inferguard_tui.incident.recalled import Answer, asked_line, chosen_rows, list_heading, list_rows
from inferguard_tui.keys import PROGRAM_KEYS, RECALL_KEYS, bindings_of
from inferguard_tui.screens.subject import SubjectScreen
from inferguard_tui.widgets.field import Field
from inferguard_tui.widgets.line_view import LineView
from inferguard_tui.widgets.page import Page
from inferguard_tui.widgets.top_lines import HeaderLine, KeyLine, VerdictLine

if TYPE_CHECKING:
    from textual.app import ComposeResult

_BESIDE_FROM = 150


class RecallScreen(SubjectScreen):
    """Asks the desk once when it opens and at each question; the newest question's answer is shown."""

    CSS_PATH = Path(__file__).with_name("recall.tcss")
    BINDINGS = RECALL_KEYS
    AUTO_FOCUS = ""

    def __init__(self, endpoint_key: str, incident_id: str | None, *, ascii_only: bool = False) -> None:
        super().__init__(endpoint_key, ascii_only=ascii_only)
        self._incident_id = incident_id
        self._query = ""
        self._found: Answer = None
        self._chosen = 0
        self._asked = False

    def compose(self) -> ComposeResult:
        plain = self.ascii_only
        yield HeaderLine(id="header", ascii_only=plain).data_bind(
            RecallScreen.frame, RecallScreen.watching, RecallScreen.endpoint
        )
        yield VerdictLine(id="verdict", ascii_only=plain).data_bind(
            RecallScreen.frame, RecallScreen.watching, RecallScreen.endpoint
        )
        yield LineView(id="asked", ascii_only=plain)
        yield Field("/ to look for words; empty looks for incidents like this one")
        with Container(id="found"):
            yield Page(id="list", ascii_only=plain)
            yield Page(id="chosen", ascii_only=plain)
        yield KeyLine(bindings_of([*RECALL_KEYS, *PROGRAM_KEYS]), ascii_only=plain)

    def watch_frame(self, frame: object) -> None:
        super().watch_frame(self.frame)
        if frame is not None and not self._asked and self.desk is not None:
            self._asked = True
            self._ask("")
        self.redraw()

    def on_resize(self) -> None:
        self.set_class(self.size.width >= _BESIDE_FROM, "-beside")
        self.call_after_refresh(self.redraw)

    def redraw(self) -> None:
        if not self.is_mounted or self.frame is None:
            return
        asked, found, chosen = self.query_one("#asked", LineView), *self.query(Page)
        asked.draw((asked_line(self._found, self._query, asked.size.width),))
        heading = (list_heading(found.room),) if isinstance(self._found, tuple) and self._found else ()
        found.draw((*heading, *list_rows(self._found, self._chosen, found.room)))
        chosen.draw(chosen_rows(self._found, self._chosen, self.frame.unix, chosen.room))

    @on(Field.Submitted)
    def search(self, message: Field.Submitted) -> None:
        message.stop()
        self.set_focus(None)
        self._ask(message.value)

    def _ask(self, query: str) -> None:
        self._query, self._found, self._chosen = query, None, 0
        self.run_worker(self._recall(query), group="recall", exclusive=True, exit_on_error=False)
        self.redraw()

    async def _recall(self, query: str) -> None:
        assert self.desk is not None
        self._found = await self.desk.recall(query, self._incident_id)
        self.redraw()

    def action_search(self) -> None:
        self.query_one(Field).focus()

    def action_cursor(self, by: int) -> None:
        if not isinstance(self._found, tuple) or not self._found:
            return
        self._chosen = min(max(self._chosen + by, 0), len(self._found) - 1)
        page = self.query_one("#list", Page)
        top, row = page.scroll_offset.y, self._chosen + 1
        page.scroll_to(y=min(max(top, row - page.size.height + 1), row - 1), animate=False)
        self.redraw()

    def action_open(self) -> None:
        if not isinstance(self._found, tuple) or not self._found:
            self.answer("nothing is chosen")
            return
        self.answer("opening …")
        self.run_worker(
            self._open(self._found[self._chosen].incident_id),
            group="closed",
            exclusive=True,
            exit_on_error=False,
        )

    async def _open(self, incident_id: str) -> None:
        from inferguard_tui.screens.past import PastScreen

        assert self.desk is not None
        closed = await self.desk.closed_frame(incident_id)
        if isinstance(closed, str):
            self.answer(closed)
        elif self.endpoint is not None and closed.endpoints:
            self.app.push_screen(PastScreen(self.endpoint.endpoint, closed, ascii_only=self.ascii_only))

    def action_close(self) -> None:
        if self.focused is not None:
            self.set_focus(None)
        else:
            self.app.pop_screen()
