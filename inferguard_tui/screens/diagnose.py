"""Thinking about an endpoint at a person's wish: asked when it opens, shown when it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.incident.thinking import thinking_lines
from inferguard_tui.keys import CLOSE_KEYS, DIAGNOSE_KEYS
from inferguard_tui.screens.dialog import Dialog

if TYPE_CHECKING:
    from inferguard_core.frame import EndpointFrame
    from inferguard_tui.feed import Desk
    from inferguard_tui.line import Line


class DiagnoseScreen(Dialog):
    """Follows the endpoint: the result arrives with a frame."""

    BINDINGS = [*DIAGNOSE_KEYS, *CLOSE_KEYS]  # noqa: RUF012 - Textual's

    def __init__(self, endpoint_key: str, desk: Desk, *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.endpoint_key = endpoint_key
        self.desk = desk
        self._refused: str | None = None
        """None: not asked yet; empty: asked, and it is being thought about."""
        self._before: float | None = None

    @property
    def subject(self) -> EndpointFrame | None:
        endpoints = self.frame.endpoints if self.frame is not None else ()
        return next((e for e in endpoints if e.endpoint == self.endpoint_key), None)

    def watch_frame(self) -> None:
        if self._refused is None and self.frame is not None:
            self.action_ask()
        super().watch_frame()

    def action_ask(self) -> None:
        assert self.desk is not None
        endpoint = self.subject
        self._before = endpoint.brain.unix if endpoint is not None and endpoint.brain is not None else None
        self._refused = self.desk.investigate(self.endpoint_key)
        self.redraw()

    def content(self, cells: int) -> tuple[Line, ...]:
        endpoint = self.subject
        now = endpoint.brain.unix if endpoint is not None and endpoint.brain is not None else None
        waiting = "asked; the answer shows here when it comes, and closing this stops nothing"
        asked = self._refused or ("" if now is not None and now != self._before else waiting)
        return thinking_lines(endpoint, asked, self.frame.unix if self.frame is not None else 0.0, cells)
