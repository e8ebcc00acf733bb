"""Lines of inked text: what the pure half of the screen hands to the half that draws.

A span names its ink by role, never by colour, and its text is literal: nothing here is ever parsed as markup.
Widths are terminal cells, so that a model name in CJK does not push its neighbours off the screen.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, set_cell_size

if TYPE_CHECKING:
    from collections.abc import Iterable


class Ink(StrEnum):
    """The roles that a theme gives a colour to."""

    TEXT = "text"
    STRONG = "strong"
    DIM = "dim"
    RULE = "rule"
    TITLE = "title"
    FOCUS = "focus"
    KEY = "key"
    OK = "ok"
    NOTICE = "notice"
    WARNING = "warning"
    CRITICAL = "critical"
    STALE = "stale"
    SERIES = "series"
    SERIES_2 = "series2"
    LIMIT = "limit"
    BADGE = "badge"
    CURSOR = "cursor"


class Span(NamedTuple):
    """Text in one ink."""

    text: str
    ink: Ink = Ink.TEXT


Line = tuple[Span, ...]
EMPTY: Line = ()
_CLAUSE_END = re.compile(r"[,;:.] | · | — ")


def line(*parts: Span | str) -> Line:
    """A line of spans; a bare string is ordinary text, an empty one is left out."""
    spans = (part if isinstance(part, Span) else Span(part) for part in parts)
    return tuple(span for span in spans if span.text)


def width(content: Line) -> int:
    """Cells that a line takes."""
    return sum(cell_len(span.text) for span in content)


def text_of(content: Line) -> str:
    """A line without its inks."""
    return "".join(span.text for span in content)


def cut(text: str, cells: int) -> str:
    """`text` in at most `cells` cells; what was cut shows as an ellipsis."""
    if cell_len(text) <= cells:
        return text
    return "" if cells <= 0 else set_cell_size(text, cells - 1).rstrip() + "…"


def left(text: str, cells: int) -> str:
    """`text` in exactly `cells` cells, at the left."""
    return set_cell_size(cut(text, cells), max(0, cells))


def right(text: str, cells: int) -> str:
    """`text` in exactly `cells` cells, at the right."""
    short = cut(text, cells)
    return " " * (cells - cell_len(short)) + short


def fitted(content: Line, cells: int) -> Line:
    """A line of at most `cells` cells, cut in the span where it overflows."""
    kept: list[Span] = []
    room = cells
    for span in content:
        size = cell_len(span.text)
        if size > room:
            if room > 0:
                kept.append(Span(cut(span.text, room), span.ink))
            elif kept:
                kept[-1] = Span(cut(kept[-1].text + "  ", cell_len(kept[-1].text)), kept[-1].ink)
            break
        kept.append(span)
        room -= size
    return tuple(kept)


def spread(start: Line, end: Line, cells: int) -> Line:
    """`start` at the left edge and `end` at the right; `start` gives way when both do not fit."""
    end = fitted(end, cells)
    room = cells - width(end)
    start = fitted(start, max(0, room - 1))
    return (*start, Span(" " * (room - width(start))), *end)


def in_ink(content: Line, ink: Ink) -> Line:
    """The same text in one ink, for what is no longer current."""
    return tuple(Span(span.text, ink) for span in content)


def wrapped(text: str, cells: int, indent: int = 0) -> list[str]:
    """`text` broken at spaces into lines of at most `cells`; from the second on they are set in by `indent`."""
    rows: list[str] = []
    row = " " * (len(text) - len(text.lstrip(" ")))
    for word in text.split():
        joined = f"{row} {word}" if row.strip() else row + word
        if cell_len(joined) > cells and row.strip():
            rows.append(row)
            joined = " " * indent + word
        row = joined
    if row.strip():
        rows.append(row)
    return [cut(row, cells) for row in rows]


def flowed(parts: Iterable[str], cells: int, gap: str = " · ") -> str:
    """The leading parts that fit into `cells`, joined; later ones are dropped whole."""
    joined = ""
    for part in parts:
        longer = f"{joined}{gap}{part}" if joined else part
        if cell_len(longer) > cells:
            break
        joined = longer
    return joined


def clauses(text: str, cells: int) -> str:
    """The leading clauses of `text` that fit, so that no word is cut; a first one that is too long is cut."""
    if cell_len(text) <= cells:
        return text
    ends = [match.start() for match in _CLAUSE_END.finditer(text) if cell_len(text[: match.start()]) <= cells]
    return text[: ends[-1]] if ends else cut(text, cells)
