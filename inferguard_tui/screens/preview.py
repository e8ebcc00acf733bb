"""The preview of an action: rehearsed when it opens, sent only in live mode, after its name was typed.

Asking and sending run beside the screen; closing it cancels a rehearsal, never what is already under way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.followup import Execution
from inferguard_tui.incident.preview import payload_lines, preview_lines, why_not_sent
from inferguard_tui.keys import CLOSE_KEYS, PREVIEW_KEYS, bindings_of
from inferguard_tui.line import Ink, Line, Span, line
from inferguard_tui.panels.advisories import standing
from inferguard_tui.person import person
from inferguard_tui.screens.dialog import Dialog
from inferguard_tui.screens.prompt import Prompt
from inferguard_tui.widgets.top_lines import KeyLine

if TYPE_CHECKING:
    from textual.binding import Binding

    from inferguard_core.frame import EndpointFrame
    from inferguard_core.verdict import Advisory
    from inferguard_tui.feed import Desk


class PreviewScreen(Dialog):
    """The standing advisories of one endpoint, the first one first."""

    BINDINGS = [*PREVIEW_KEYS, *CLOSE_KEYS]  # noqa: RUF012 - Textual's

    def __init__(self, endpoint_key: str, desk: Desk, *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.endpoint_key = endpoint_key
        self.desk = desk
        self._chosen: Advisory | None = None
        self._answer: Execution | str | None = None
        self._payload = False
        self._keys = bindings_of([*type(self).BINDINGS])

    @property
    def subject(self) -> EndpointFrame | None:
        endpoints = self.frame.endpoints if self.frame is not None else ()
        return next((e for e in endpoints if e.endpoint == self.endpoint_key), None)

    def watch_frame(self) -> None:
        if self._chosen is None and self.subject is not None:
            self._choose(1)
        super().watch_frame()

    def content(self, cells: int) -> tuple[Line, ...]:
        endpoint, chosen = self.subject, self._chosen
        if endpoint is None or chosen is None:
            return (line(Span("nothing is advised here", Ink.DIM)),)
        if self._payload and isinstance(self._answer, Execution):
            return payload_lines(self._answer, cells)
        known = [a.id for a in standing(endpoint)]
        at = known.index(chosen.id) + 1 if chosen.id in known else 0
        return preview_lines(chosen, (at, len(known)), endpoint, self._answer, cells)

    def redraw(self) -> None:
        super().redraw()
        if self.is_mounted:
            self.query_one(KeyLine).offer([key for key in self._keys if self._does_something(key)])

    def _does_something(self, key: Binding) -> bool:
        """Whether a key has an effect as things stand: the key line offers no other."""
        if key.id == "preview.send":
            return not why_not_sent(self._answer)
        if key.id == "preview.payload":
            return isinstance(self._answer, Execution)
        if key.id == "preview.choose_1":
            return self.subject is not None and len(standing(self.subject)) > 1
        return True

    def action_choose(self, number: int) -> None:
        self._choose(number)

    def action_payload(self) -> None:
        if isinstance(self._answer, Execution):
            self._payload = not self._payload
            self.redraw()
        else:
            self.answer("there is no payload: the desk gave none")

    def action_send(self) -> None:
        if self._chosen is None:
            return
        if why_not := why_not_sent(self._answer):
            self.answer(why_not)
            return
        name = self._chosen.action_type.value
        self.app.push_screen(Prompt(f"Type {name} to send it", self._confirmed, ascii_only=self.ascii_only))

    def _choose(self, number: int) -> None:
        advised = standing(self.subject) if self.subject is not None else ()
        if not 1 <= number <= len(advised):
            return
        self._chosen, self._answer, self._payload = advised[number - 1], None, False
        self.run_worker(self._rehearse(self._chosen), group="rehearsal", exclusive=True, exit_on_error=False)
        self.redraw()

    async def _rehearse(self, advisory: Advisory) -> None:
        assert self.desk is not None
        self._answer = await self.desk.dry_run(advisory.id, person())
        self.redraw()

    def _confirmed(self, typed: str) -> None:
        if self._chosen is None:
            return
        if typed.strip() != self._chosen.action_type.value:
            self.answer(f"not sent: that is not {self._chosen.action_type.value}")
            return
        # Of the application: closing this dialog must not cancel what is under way.
        self.app.run_worker(self._send(self._chosen, typed.strip()), group="sending", exit_on_error=False)

    async def _send(self, advisory: Advisory, typed: str) -> None:
        assert self.desk is not None
        self._answer = None
        # In place of whatever was refused just before.
        self.answer("sending …")
        self.redraw()
        self._answer = await self.desk.dispatch(advisory.id, person(), typed)
        if self.is_attached:
            self.answer("")
            self.redraw()
