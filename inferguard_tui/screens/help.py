"""The keys of the screen beneath and, below them, those of all others, written from their bindings."""

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
    """Shows `bindings` by the screen that they belong to, then those of `every` that are none of them."""

    HEADING = "Keys"

    def __init__(
        self, bindings: Sequence[Binding], every: Sequence[Binding] = (), *, ascii_only: bool = False
    ) -> None:
        super().__init__(ascii_only=ascii_only)
        self.add_class("-wide")
        self._shown = tuple(bindings)
        known = {binding.id for binding in bindings}
        self._elsewhere = tuple(binding for binding in every if binding.id not in known)

    def content(self, cells: int) -> tuple[Line, ...]:
        rows = self.query_one(Page).size.height
        return help_lines(self._shown, cells, rows, self._elsewhere, ascii_only=self.ascii_only)
