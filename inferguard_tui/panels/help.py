"""The help: keys by group with what they do, and what the shapes mean. Made from the bindings themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.frame import Severity
from inferguard_tui.glyphs import INK, NO_DATA_SHAPE, SHAPE
from inferguard_tui.keymap import key_names
from inferguard_tui.line import EMPTY, Ink, Line, Span, cut, left, line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import Binding

_KEY_CELLS = 16
_ID_CELLS = 26
_WIDE = 96


def help_lines(bindings: Sequence[Binding], cells: int) -> tuple[Line, ...]:
    """`bindings` as they are in effect, and where there is room the id by which each is moved to another key."""
    rows: list[Line] = [line(Span("Keys", Ink.TITLE))]
    groups = dict.fromkeys(b.group.description for b in bindings if b.group is not None)
    for group in groups:
        rows += [EMPTY, line(Span(group, Ink.FOCUS))]
        rows += [
            _row(b, cells)
            for b in bindings
            if b.group is not None and b.group.description == group and (b.show or not b.key.isdigit())
        ]
    rows += [EMPTY, line(Span("Shapes", Ink.FOCUS))]
    rows += [line(Span(f"  {SHAPE[s]} ", INK[s]), Span(s.word)) for s in reversed(Severity)]
    rows.append(line(Span(f"  {NO_DATA_SHAPE} ", Ink.CRITICAL), Span("no data: what is shown is old")))
    rows.append(line(Span("  — "), Span("unknown; zoom the panel for the reason. 0 is zero.")))
    return tuple(rows)


def _row(binding: Binding, cells: int) -> Line:
    room = cells - _KEY_CELLS - 2
    keys = Span(f"  {left(key_names(binding), _KEY_CELLS)}", Ink.KEY)
    if cells < _WIDE:
        return line(keys, Span(cut(binding.tooltip, room)))
    return line(keys, Span(left(binding.tooltip, room - _ID_CELLS)), Span(binding.id or "", Ink.DIM))
