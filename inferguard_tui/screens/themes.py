"""The themes, each shown as soon as the cursor is on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.frame import Severity
from inferguard_tui.glyphs import INK, NO_DATA_SHAPE, SHAPE, WORD, bar
from inferguard_tui.line import EMPTY, Ink, Line, Span, fitted, line
from inferguard_tui.screens.picker import Choice, Picker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from inferguard_tui.theming import Found


class ThemePicker(Picker):
    """Escape goes back to the theme there was."""

    def __init__(
        self, found: Sequence[Found], current: str, taken: Callable[[str], None], *, ascii_only: bool = False
    ) -> None:
        choices = [Choice(each.theme.name, each.theme.name, each.kind) for each in found]
        super().__init__("Theme", choices, taken, ascii_only=ascii_only)
        self._before = current
        self.at = next((i for i, choice in enumerate(choices) if choice.id == current), 0)

    def sample(self, cells: int) -> tuple[Line, ...]:
        """Every role of the theme, as the screens use it."""
        states = [Span(f"{SHAPE[s]} {WORD[s]}  ", INK[s]) for s in reversed(Severity)]
        rows = (
            line(*states, Span(f"{NO_DATA_SHAPE} NO DATA  ", Ink.CRITICAL), Span("old", Ink.STALE)),
            line(
                Span("KV  "),
                Span("▂▃▅▆█ ", Ink.SERIES),
                Span("97.9 % ", Ink.LIMIT),
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
        self.app.theme = self.picked

    def action_close(self) -> None:
        self.app.theme = self._before
        self.dismiss()
