"""The container of the panels: places them by `panels.arrangement`, which knows the size and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Container
from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement

from inferguard_tui.panels.arrangement import arranged

if TYPE_CHECKING:
    from textual.widget import Widget


class BoardLayout(Layout):
    """Widgets by id into the cells of an arrangement; one without a cell is not shown."""

    name = "board"

    def arrange(
        self,
        parent: Widget,  # noqa: ARG002 - Textual's signature
        children: list[Widget],
        size: Size,
        greedy: bool = True,  # noqa: ARG002 - Textual's signature
    ) -> ArrangeResult:
        cells = arranged(size.width, size.height)
        return [
            WidgetPlacement(Region(*cells[child.id]), NULL_OFFSET, NULL_SPACING, child)
            for child in children
            if child.id in cells
        ]


_LAYOUT = BoardLayout()


class Board(Container):
    """Holds the panels."""

    DEFAULT_CSS = "Board { height: 1fr; overflow: hidden hidden; }"

    @property
    def layout(self) -> Layout:
        """Ours; the stylesheet can name only Textual's own layouts."""
        return _LAYOUT

    @property
    def shown(self) -> list[str]:
        """Ids of the panels that have a place at this size, in reading order."""
        return list(arranged(*self.size))
