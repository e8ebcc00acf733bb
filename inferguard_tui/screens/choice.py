"""A question with a few answers, each on a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.keys import CLOSE_KEYS
from inferguard_tui.line import EMPTY, Ink, Line, Span, line
from inferguard_tui.screens.dialog import Dialog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events


class Choice(Dialog):
    """Asks once; `chosen` gets the key that was pressed, nothing when it was closed."""

    # The answers are in sight with their keys; nothing in here scrolls.
    BINDINGS = CLOSE_KEYS[:1]

    def __init__(
        self,
        title: str,
        options: Sequence[tuple[str, str]],
        chosen: Callable[[str], None],
        *,
        ascii_only: bool = False,
    ) -> None:
        """`options` are (key, words) pairs."""
        super().__init__(ascii_only=ascii_only)
        self.add_class("-small")
        self._title = title
        self._options = tuple(options)
        self._chosen = chosen

    def content(self, cells: int) -> tuple[Line, ...]:  # noqa: ARG002 - short by nature
        rows = [line(Span(f"  {key}  ", Ink.KEY), Span(words)) for key, words in self._options]
        return (line(Span(self._title, Ink.TITLE)), EMPTY, *rows)

    def on_key(self, event: events.Key) -> None:
        key = event.character or event.key
        if any(key == option for option, _ in self._options):
            event.stop()
            self.dismiss()
            self._chosen(key)
        elif event.key not in self.active_bindings:
            event.stop()
            *keys, last = (option for option, _ in self._options)
            self.answer(f"press {', '.join(keys)} or {last}")
