"""The help: keys by screen with what they do, and what the shapes mean. Made from the bindings themselves."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.cells import cell_len

from inferguard_core.frame import Severity
from inferguard_tui.glyphs import INK, NO_DATA_SHAPE, SHAPE
from inferguard_tui.keymap import in_words, key_names
from inferguard_tui.line import EMPTY, Ink, Line, Span, left, line, width, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from textual.binding import Binding

_COLUMNS = 3
_COLUMN_CELLS = 44
"""A narrower column would break most of the sentences."""
_GAP_CELLS = 2
_ID_CELLS = 28
_WIDE, _WIDEST = 84, 110
"""A column as wide as this has room for the ids too; one wider than that takes the eye too far to them."""

Block = tuple[Line, ...]


def help_lines(
    bindings: Sequence[Binding],
    cells: int,
    rows: int | None = None,
    elsewhere: Sequence[Binding] = (),
    *,
    ascii_only: bool = False,
) -> tuple[Line, ...]:
    """`bindings` as they are in effect, and where there is room the id by which each is moved to another key.

    In one column where that needs no more than `rows` lines (None: however many), else in as many as the width
    bears; longer than `rows` only where no number of columns is enough. Those that work `elsewhere` come below.
    """
    named, others = (tuple((_names(b, ascii_only), b) for b in keys) for keys in (bindings, elsewhere))
    here = _laid(lambda column: [*_blocks(named, column), _shapes(column)], cells, rows)
    if not elsewhere:
        return here
    more = _laid(lambda column: list(_blocks(others, column)), cells, 0)
    return (*here, EMPTY, line(Span("On other screens", Ink.TITLE)), EMPTY, *more)


def _laid(blocks: Callable[[int], Sequence[Block]], cells: int, rows: int | None) -> tuple[Line, ...]:
    """What `blocks` gives for a column's cells, in the first number of columns that needs no more than `rows`."""
    layouts = []
    for columns in range(1, _COLUMNS + 1):
        column = min(_WIDEST, (cells - _GAP_CELLS * (columns - 1)) // columns)
        if columns > 1 and column < _COLUMN_CELLS:
            break
        layouts.append(_side_by_side(blocks(column), columns, column))
        if rows is None or len(layouts[-1]) <= rows:
            return layouts[-1]
    return min(layouts, key=len)


def _names(binding: Binding, ascii_only: bool) -> str:
    return in_words(key_names(binding)) if ascii_only else key_names(binding)


def _blocks(bindings: Sequence[tuple[str, Binding]], cells: int) -> Iterator[Block]:
    """Each screen's keys, given with their names, under its name."""
    listed = [(n, b) for n, b in bindings if b.group is not None and (b.show or not b.key.isdigit())]
    key_cells = max((cell_len(name) for name, _ in listed), default=0)
    for group in dict.fromkeys(b.group.description for _, b in listed if b.group is not None):
        block: list[Line] = [line(Span(group, Ink.FOCUS))]
        for name, binding in listed:
            if binding.group is not None and binding.group.description == group:
                block += _rows(left(name, key_cells), binding, cells)
        yield tuple(block)


def _shapes(cells: int) -> Block:
    return (
        line(Span("Shapes", Ink.FOCUS)),
        line(*(span for s in reversed(Severity) for span in (Span(f"  {SHAPE[s]} ", INK[s]), Span(s.word)))),
        line(Span(f"  {NO_DATA_SHAPE} ", Ink.CRITICAL), Span("no data: what is shown is old")),
        *_told("  — ", "unknown; zoom the panel for the reason. 0 is zero.", cells),
    )


def _rows(name: str, binding: Binding, cells: int) -> tuple[Line, ...]:
    ids = _ID_CELLS if cells >= _WIDE else 0
    first, *more = _told(f"  {name}  ", binding.tooltip, cells - ids, Ink.KEY)
    if ids:
        first = line(*first, Span(" " * (cells - ids + 2 - width(first))), Span(binding.id or "", Ink.DIM))
    return (first, *more)


def _told(label: str, text: str, cells: int, ink: Ink = Ink.TEXT) -> tuple[Line, ...]:
    """`text` beside `label`, going on below itself."""
    room = cells - cell_len(label)
    first, *more = wrapped(text, room) or [""]
    return (line(Span(label, ink), Span(first)), *(line(Span(" " * cell_len(label)), Span(r)) for r in more))


def _side_by_side(blocks: Sequence[Block], columns: int, cells: int) -> tuple[Line, ...]:
    """The blocks in order, down one column and on in the next, all columns as short as they can be."""
    height = max(len(block) for block in blocks)
    while len(filled := _columns(blocks, height)) > columns:
        height += 1
    rows = []
    for parts in zip_longest(*filled, fillvalue=EMPTY):
        *before, last = parts
        spans: list[Span] = []
        for part in before:
            spans += [*part, Span(" " * (cells - width(part) + _GAP_CELLS))]
        rows.append(line(*spans, *last))
    return tuple(rows)


def _columns(blocks: Sequence[Block], height: int) -> list[list[Line]]:
    """As many columns of `height` lines as the blocks need; none is broken."""
    columns: list[list[Line]] = [[]]
    for block in blocks:
        column = columns[-1]
        if column and len(column) + 1 + len(block) > height:
            columns.append([*block])
        else:
            column += [EMPTY, *block] if column else block
    return columns
