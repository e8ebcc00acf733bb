"""A question that is answered in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on

from inferguard_tui.keys import PROMPT_KEYS
from inferguard_tui.line import Ink, Line, Span, line
from inferguard_tui.screens.dialog import Dialog
from inferguard_tui.widgets.field import Field

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult


class Prompt(Dialog):
    """One line of text; `entered` gets it, nothing when it was closed or left empty."""

    BINDINGS = PROMPT_KEYS
    AUTO_FOCUS = "Field"

    def __init__(self, title: str, entered: Callable[[str], None], *, ascii_only: bool = False) -> None:
        super().__init__(ascii_only=ascii_only)
        self.add_class("-small")
        self._title = title
        self._entered = entered

    def below_page(self) -> ComposeResult:
        yield Field()

    def content(self, cells: int) -> tuple[Line, ...]:  # noqa: ARG002 - a title
        return (line(Span(self._title, Ink.TITLE)),)

    @on(Field.Submitted)
    def take(self, message: Field.Submitted) -> None:
        message.stop()
        self.dismiss()
        if message.value.strip():
            self._entered(message.value)
