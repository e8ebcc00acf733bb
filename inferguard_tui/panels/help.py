"""The help: keys by group with what they do, and what the shapes mean. Made from the bindings themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.frame import Severity
from inferguard_tui.glyphs import INK, NO_DATA_SHAPE, SHAPE
from inferguard_tui.line import EMPTY, Ink, Line, Span, cut, left, line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import Binding

_KEY_CELLS = 16
_NAMES = {
    "question_mark": "?",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "escape": "esc",
    "space": "space",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
    "pagedown": "pgdn",
    "pageup": "pgup",
}


def key_names(binding: Binding) -> str:
    """All keys of a binding: `j or ↓`. The digits are bound one by one and read as a range."""
    if binding.key.isdigit() and binding.key_display:
        return binding.key_display
    return " or ".join("-".join(_NAMES.get(p, p) for p in key.split("+")) for key in binding.key.split(","))


def help_lines(bindings: Sequence[Binding], cells: int) -> tuple[Line, ...]:
    rows: list[Line] = [line(Span("Keys", Ink.TITLE))]
    groups = dict.fromkeys(b.group.description for b in bindings if b.group is not None)
    for group in groups:
        rows += [EMPTY, line(Span(group, Ink.FOCUS))]
        rows += [
            line(
                Span(f"  {left(key_names(b), _KEY_CELLS)}", Ink.KEY),
                Span(cut(b.tooltip, cells - _KEY_CELLS - 2)),
            )
            for b in bindings
            if b.group is not None and b.group.description == group and (b.show or not b.key.isdigit())
        ]
    rows += [EMPTY, line(Span("Shapes", Ink.FOCUS))]
    rows += [line(Span(f"  {SHAPE[s]} ", INK[s]), Span(s.word)) for s in reversed(Severity)]
    rows.append(line(Span(f"  {NO_DATA_SHAPE} ", Ink.CRITICAL), Span("no data: what is shown is old")))
    rows.append(line(Span("  — "), Span("unknown; zoom the panel for the reason. 0 is zero.")))
    return tuple(rows)
