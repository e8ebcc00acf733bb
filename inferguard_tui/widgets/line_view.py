"""A widget that draws lines and repaints only the cells that changed.

A remote terminal pays for every byte: a cursor move and a colour cost more than a few unchanged cells, so runs
of changes that lie close together are repainted as one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBarRender
from textual.strip import Strip

from inferguard_tui.glyphs import to_ascii
from inferguard_tui.line import EMPTY, Ink, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.style import Style

_MERGE_CELLS = 24
"""Two changed runs closer than this are repainted together: about what a move and a colour cost in bytes."""

Cells = list[tuple[str, Ink]]


INK_CLASSES: frozenset[str] = frozenset(f"ink--{ink}" for ink in Ink)
"""What a screen with a `LineView` on it declares as its component classes. Textual makes a node for each, with its
queues and locks: on every view, rather than once a screen, they were 1 MiB and a tenth of the first frame."""


class PlainScrollBar(ScrollBarRender):
    """A scroll bar by colour alone, whose ends fall on whole cells."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * len(ScrollBarRender.VERTICAL_BARS)


class LineView(ScrollView, can_focus=False, inherit_bindings=False):
    """Shows `lines`, in the inks of its screen. Subclasses call `draw` with new lines as often as they like."""

    DEFAULT_CSS = "LineView { height: 1; overflow: hidden hidden; background: transparent; }"

    def __init__(self, *, id: str | None = None, ascii_only: bool = False) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.ascii_only = ascii_only
        self.lines: tuple[Line, ...] = ()

    def on_mount(self) -> None:
        if self.ascii_only:
            # Textual reads it from the instance, whatever it declares.
            self.vertical_scrollbar.renderer = PlainScrollBar  # type: ignore[misc]

    def draw(self, lines: tuple[Line, ...]) -> None:
        """Show `lines`, repainting what differs from those shown."""
        if self.ascii_only:
            lines = tuple(to_ascii(row) for row in lines)
        before, self.lines = self.lines, lines
        if len(before) != len(lines):
            self.virtual_size = Size(self.size.width, len(lines))
        top = self.scroll_offset.y
        regions = [
            Region(start, y - top, end - start, 1)
            for y in range(max(len(before), len(lines)))
            for start, end in changed_runs(_at(before, y), _at(lines, y))
        ]
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        row = _at(self.lines, y + self.scroll_offset.y)
        base = self.rich_style
        segments = [Segment(span.text, base + self.ink_style(span.ink)) for span in row]
        return Strip(segments).adjust_cell_length(self.size.width, base).simplify()

    def ink_style(self, ink: Ink) -> Style:
        """The style of an ink in the current theme."""
        return self.screen.get_component_rich_style(f"ink--{ink}", partial=True)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self.refresh()


def _at(lines: tuple[Line, ...], y: int) -> Line:
    return lines[y] if 0 <= y < len(lines) else EMPTY


def changed_runs(before: Line, after: Line) -> Iterator[tuple[int, int]]:
    """Cell ranges [start, end) in which two lines differ; near ones are joined."""
    if before == after:
        return
    old, new = _cells(before), _cells(after)
    blank = (" ", Ink.TEXT)
    length = max(len(old), len(new))
    old += [blank] * (length - len(old))
    new += [blank] * (length - len(new))
    start = end = -1
    for x in range(length):
        if old[x] == new[x]:
            continue
        if start < 0:
            start = x
        elif x - end > _MERGE_CELLS:
            yield start, end
            start = x
        end = x + 1
    if start >= 0:
        yield start, end


def _cells(row: Line) -> Cells:
    """One entry a cell; the second cell of a wide character is empty. The ink of a blank cell is no difference."""
    cells: Cells = []
    for span in row:
        if span.text.isascii():
            cells.extend(
                (c, Ink.TEXT if c == " " and span.ink not in _FILLED else span.ink) for c in span.text
            )
            continue
        for character in span.text:
            size = cell_len(character)
            blank = character == " " and span.ink not in _FILLED
            cells.append((character, Ink.TEXT if blank else span.ink))
            cells.extend([("", span.ink)] * (size - 1))
    return cells


_FILLED = frozenset({Ink.BADGE, Ink.CURSOR})
"""Inks with a background, whose blanks show."""
