"""The last line: the keys that work here. What does not fit is left out whole, least needed first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from inferguard_tui.keymap import key_name
from inferguard_tui.line import Ink, Line, Span, fitted, line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.binding import Binding

_LAST = ("app.help", "app.quit")
"""Always shown, at the end: the way to all other keys and the way out."""


def footer_line(bindings: Sequence[Binding], cells: int) -> Line:
    shown = [b for b in bindings if b.show]
    kept = [b for b in shown if b.id in _LAST]
    room = cells - 1 - sum(_size(b) for b in kept)
    first = []
    for binding in (b for b in shown if b.id not in _LAST):
        if _size(binding) > room:
            break
        first.append(binding)
        room -= _size(binding)
    spans: list[Span | str] = [" "]
    for binding in (*first, *kept):
        spans += [Span(_key(binding), Ink.KEY), Span(f" {binding.description}  ", Ink.DIM)]
    return fitted(line(*spans), cells)


def _key(binding: Binding) -> str:
    return binding.key_display or key_name(binding.key.partition(",")[0])


def _size(binding: Binding) -> int:
    return cell_len(_key(binding)) + cell_len(binding.description) + 3
