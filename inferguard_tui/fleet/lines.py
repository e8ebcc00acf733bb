"""The lines of a fleet that are no endpoint: above a group, and how a person looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.printable import printable
from inferguard_tui.fleet.order import Group, Sort
from inferguard_tui.line import Ink, Line, Span, cut, fitted, line, width
from inferguard_tui.panels.verdict import mark

if TYPE_CHECKING:
    from inferguard_tui.fleet.order import Heading, Look


def heading_line(heading: Heading, cells: int) -> Line:
    """`─ vLLM 0.32.0 ─── 5 endpoints · 1 CRITICAL · 4 OK ─`."""
    noun = "endpoint" if heading.count == 1 else "endpoints"
    end: Line = line(Span(f" {heading.count} {noun}", Ink.DIM))
    for status, count in heading.states:
        end = (*end, Span(f"  {count} {status.value}", mark(status)[1]))
    end = (*fitted(end, max(0, cells - 24)), Span(" ─", Ink.RULE))
    name = cut(printable(heading.name), max(8, cells - width(end) - 5))
    start = line(Span("─ ", Ink.RULE), Span(f"{name} ", Ink.TITLE))
    return (*start, Span("─" * max(0, cells - width(start) - width(end)), Ink.RULE), *end)


def look_words(look: Look, shown: int, total: int) -> str:
    """What differs from the plain view; empty where nothing does."""
    parts = []
    if look.wanted:
        parts.append(f"filter {printable(look.wanted, 40)}: {shown} of {total}")
    if look.sort is not Sort.WORST:
        parts.append(f"sorted by {look.sort.value}")
    if look.group is not Group.NONE:
        parts.append(f"grouped by {look.group.value}")
    return " · ".join(parts)


def look_line(look: Look, shown: int, total: int, cells: int) -> Line:
    """The same as a line, with the way back."""
    words = look_words(look, shown, total)
    back = "   esc shows all" if look.wanted else ""
    return fitted(line(Span(f" {words}", Ink.KEY), Span(back, Ink.DIM)), cells)
