"""The themes: the one under the cursor is worn by everything on screen, and only enter keeps it.

What is tried on is never written down, so that a program which ends meanwhile starts with the theme it had.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.frame import Severity
from inferguard_tui.glyphs import INK, NO_DATA_SHAPE, SHAPE, WORD, bar
from inferguard_tui.line import EMPTY, Ink, Line, Span, fitted, line
from inferguard_tui.screens.picker import Choice, Picker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.timer import Timer

    from inferguard_tui.theming import Found

REST_S = 0.06
"""How long the cursor rests on a theme before it is tried on. A theme costs a restyling of everything, some 25 ms of
a core; a held key, which repeats 30 times a second, passes over."""


class ThemePicker(Picker):
    """Stands at the side of what it colours. Whoever leaves without taking one has the theme there was."""

    def __init__(
        self, found: Sequence[Found], current: str, taken: Callable[[str], None], *, ascii_only: bool = False
    ) -> None:
        choices = [Choice(each.theme.name, each.theme.name, each.kind) for each in found]
        super().__init__("Theme", choices, taken, ascii_only=ascii_only)
        self.add_class("-side")
        self._before = current
        self._rest: Timer | None = None
        self.at = next((i for i, choice in enumerate(choices) if choice.id == current), 0)

    def sample(self, cells: int) -> tuple[Line, ...]:
        """Every role of the theme, as the screens use it."""
        states = [Span(f"{SHAPE[s]} {WORD[s]}  ", INK[s]) for s in reversed(Severity)]
        rows = (
            line(*states),
            line(Span(f"{NO_DATA_SHAPE} NO DATA  ", Ink.CRITICAL), Span("old", Ink.STALE)),
            line(
                Span("KV  "),
                Span("▂▃▅▆█ ", Ink.SERIES),
                Span("97.9%  ", Ink.LIMIT),
                Span("▂▃▂▅▃ ", Ink.SERIES_2),
            ),
            line(
                Span("text  "),
                Span("strong  ", Ink.STRONG),
                Span("aside  ", Ink.DIM),
                Span("title  ", Ink.TITLE),
            ),
            line(
                Span(f"{bar(0.7, 8)} ", Ink.SERIES),
                Span("0.70 "),
                Span(" ADVISORY ", Ink.BADGE),
                Span("  x key", Ink.KEY),
            ),
        )
        return (EMPTY, *(fitted(row, cells) for row in rows))

    def moved(self) -> None:
        """Try on what is under the cursor, once it stays there."""
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(REST_S, self._try_on)

    def _try_on(self) -> None:
        self.app.theme = self.picked or self._before

    def action_take(self) -> None:
        self._before = self.picked or self._before
        super().action_take()

    def on_unmount(self) -> None:
        # However it was left: escape, a jump to another endpoint, the end of the program.
        self.app.theme = self._before
