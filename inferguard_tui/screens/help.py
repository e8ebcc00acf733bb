"""The keys of the screen beneath, written from their bindings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.panels.help import help_lines
from inferguard_tui.screens.dialog import Dialog
from inferguard_tui.widgets.page import Page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import Binding

    from inferguard_tui.line import Line


class HelpScreen(Dialog):
    """Shows `bindings` by the screen that they belong to."""

    HEADING = "Keys"

    def __init__(self, bindings: Sequence[Binding], *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.add_class("-wide")
        self._shown = tuple(bindings)

    def content(self, cells: int) -> tuple[Line, ...]:
        return help_lines(self._shown, cells, self.query_one(Page).size.height)
