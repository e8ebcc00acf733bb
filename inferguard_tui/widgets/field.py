"""A line to type into, in our colours, whose cursor stands still."""

from __future__ import annotations

from textual.widgets import Input

LENGTH = 2000
"""Characters that can be typed."""


class Field(Input):
    """Textual's input, one row high. What is typed into it is no key of the screen."""

    DEFAULT_CSS = """
    Field, Field:focus, Field:ansi {
        height: 1; border: none; padding: 0 1; background: transparent; background-tint: transparent 0%;
        color: $ink-strong;
    }
    Field > .input--cursor, Field:ansi > .input--cursor { background: $cursor-background; color: $cursor-foreground; }
    Field > .input--placeholder, Field:ansi > .input--placeholder { color: $ink-dim; }
    Field > .input--selection { background: $cursor-background; color: $cursor-foreground; }
    """

    def __init__(self, placeholder: str = "", *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(
            placeholder=placeholder, max_length=LENGTH, compact=True, id=id, select_on_focus=False
        )
        self.cursor_blink = False
