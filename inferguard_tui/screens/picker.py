"""A list to pick from: the cursor moves, enter takes, escape leaves everything as it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from inferguard_tui.keys import PICKER_KEYS, SEARCH_KEYS
from inferguard_tui.line import EMPTY, Ink, Line, Span, fitted, in_ink, line, spread
from inferguard_tui.screens.dialog import Dialog
from inferguard_tui.widgets.page import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events
    from textual.binding import BindingType


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a picker."""

    id: str
    words: str
    note: str = ""
    """At the right: a key, a kind."""
    also: str = ""
    """Not shown: other words that it is found by."""


def matching(choices: Sequence[Choice], query: str) -> tuple[Choice, ...]:
    """Those that hold every word of `query`, the closest first; else those whose letters hold it in order."""
    wanted = query.casefold().split()
    if not wanted:
        return tuple(choices)
    ranked = [(rank, at, c) for at, c in enumerate(choices) if (rank := _rank(c, wanted)) is not None]
    best = min((rank for rank, _, _ in ranked), default=0)
    # Letters in order are in half of all sentences: they help who mistyped, and nobody else.
    return tuple(c for rank, _, c in sorted(ranked, key=lambda r: r[:2]) if rank < 2 or best == 2)


def _rank(choice: Choice, wanted: Sequence[str]) -> int | None:
    """0 where a word begins so, 1 where it stands within, 2 where its letters do in order; None where not."""
    shown = f"{choice.words} {choice.note}".casefold()
    text = f"{shown} {choice.also}".casefold()
    if all(word in text for word in wanted):
        words = text.split()
        return 0 if all(any(w.startswith(word) for w in words) for word in wanted) else 1
    letters = iter(shown)
    return 2 if all(letter in letters for word in wanted for letter in word) else None


class Picker(Dialog):
    """Shows `choices`; `taken` gets the id of the one that was picked, `moved` that under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = PICKER_KEYS
    SEARCHES = False

    def __init__(
        self, title: str, choices: Sequence[Choice], taken: Callable[[str], None], *, ascii_only: bool = False
    ) -> None:
        super().__init__(ascii_only=ascii_only)
        self._title = title
        self._choices = tuple(choices)
        self._taken = taken
        self.query_text = ""
        self.at = 0

    @property
    def found(self) -> tuple[Choice, ...]:
        return matching(self._choices, self.query_text)

    @property
    def picked(self) -> str:
        """The id under the cursor; empty when nothing is found."""
        found = self.found
        return found[min(self.at, len(found) - 1)].id if found else ""

    def content(self, cells: int) -> tuple[Line, ...]:
        """The title, what is typed, and as many entries around the cursor as there is room for."""
        head = [line(Span(self._title, Ink.TITLE))]
        if self.SEARCHES:
            head = [line(Span(": ", Ink.KEY), Span(self.query_text, Ink.STRONG), Span("▌", Ink.FOCUS))]
        found, below = self.found, self.sample(cells)
        room = max(3, self.query_one(Page).size.height - len(head) - 1 - len(below))
        top = max(0, min(self.at - room // 2, len(found) - room))
        rows = [self._entry(found[i], i == self.at, cells) for i in range(top, min(top + room, len(found)))]
        return (*head, EMPTY, *(rows or [line(Span("  nothing of that name", Ink.DIM))]), *below)

    def sample(self, cells: int) -> tuple[Line, ...]:  # noqa: ARG002 - for subclasses
        """Lines below the list."""
        return ()

    def moved(self) -> None:
        """The cursor is on another entry."""

    def _entry(self, choice: Choice, under_cursor: bool, cells: int) -> Line:
        mark = "▸ " if under_cursor else "  "
        row = fitted(
            spread(line(f"{mark}{choice.words}"), line(Span(f"{choice.note} ", Ink.KEY)), cells), cells
        )
        return in_ink(row, Ink.CURSOR) if under_cursor else row

    def action_move(self, by: int) -> None:
        self.at = min(max(self.at + by, 0), max(0, len(self.found) - 1))
        self.moved()
        self.redraw()

    def action_next(self) -> None:
        """On to the next one, from the last to the first."""
        self.at = -1 if self.at + 1 >= len(self.found) else self.at
        self.action_move(1)

    def action_take(self) -> None:
        picked = self.picked
        self.dismiss()
        if picked:
            self._taken(picked)


class Search(Picker):
    """A picker whose entries are found by typing."""

    BINDINGS: ClassVar[list[BindingType]] = SEARCH_KEYS
    SEARCHES = True

    def on_key(self, event: events.Key) -> None:
        if event.key == "backspace":
            self.query_text = self.query_text[:-1]
        elif event.is_printable and event.character:
            self.query_text += event.character
        else:
            return
        event.stop()
        self.at = 0
        self.redraw()
