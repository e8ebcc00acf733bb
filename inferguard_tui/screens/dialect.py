"""The dialect card of one endpoint, over its dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.panels.dialect import dialect_lines
from inferguard_tui.screens.dialog import Dialog

if TYPE_CHECKING:
    from inferguard_tui.line import Line


class DialectScreen(Dialog):
    """Follows the endpoint: what a restart with a flag brings shows here."""

    def __init__(self, endpoint_key: str, *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.endpoint_key = endpoint_key

    def content(self, cells: int) -> tuple[Line, ...]:
        endpoints = self.frame.endpoints if self.frame is not None else ()
        return dialect_lines(next((e for e in endpoints if e.endpoint == self.endpoint_key), None), cells)
