"""How a person looks: the room a panel has and what is pressed. The frame says what is; this says how it shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rich.cells import cell_len

from inferguard_core.frame import SPANS_S, Status
from inferguard_core.printable import printable
from inferguard_tui import formatting
from inferguard_tui.line import Ink, Line, Span, cut, fitted, in_ink, line, spread, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from inferguard_core.frame import EndpointFrame
    from inferguard_tui.chart import Raster

_LONG = 600
"""Characters of one text that are shown: a paragraph, and no more of a model's answer."""


@dataclass(frozen=True, slots=True)
class View:
    """The cells a panel may use and the state of the screen around it."""

    width: int
    height: int
    focused: bool = False
    ascii_only: bool = False
    raster: Raster | None = None
    """None until the chart library is loaded, and where it cannot be."""


@dataclass(frozen=True, slots=True)
class Watching:
    """What the whole screen is doing besides showing the newest frame."""

    paused_unix: float | None = None
    """The instant of the frame at which the view was stopped."""
    trouble: str = ""
    """Why no more frames come, in one line."""
    span_s: float = SPANS_S[0]
    """What charts and sparklines show, one of the core's `SPANS_S`."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a panel says: its lines, and a note at the right of its title."""

    lines: tuple[Line, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: a title and what it says."""

    id: str
    title: str
    content: Callable[[EndpointFrame, View], Content]
    """At most `view.height` lines, without the title."""
    compact: Callable[[EndpointFrame, View], Line] | None = None
    """The panel in a single line, where there is no room for a title."""
    detail: Callable[[EndpointFrame, View], tuple[Line, ...]] | None = None
    """What the zoomed panel adds."""
    repeated: bool = False
    """What the zoomed panel adds says all of the content again, with more to it."""
    measured: bool = True
    """Shows the engine's numbers, which grow old when no page comes in; False for our own conclusions."""


def is_old(endpoint: EndpointFrame) -> bool:
    """Nothing shown of the engine is current."""
    return endpoint.status in (Status.NO_DATA, Status.STALE)


def last_data(endpoint: EndpointFrame) -> str:
    """`last 03:12:41`, or that there never was any."""
    if endpoint.last_page_unix is None:
        return "never any data"
    return f"last {formatting.clock(endpoint.last_page_unix)}"


def panel_lines(panel: Panel, endpoint: EndpointFrame | None, view: View) -> tuple[Line, ...]:
    """A whole panel in `view.height` lines: its title rule and its content, old values marked as old."""
    if view.height <= 0 or view.width <= 0:
        return ()
    if endpoint is None:
        return (title_rule(panel.title, "no frame yet", view),)
    old = panel.measured and is_old(endpoint)
    if view.height == 1 and panel.compact is not None:
        return (_compact(panel.compact, endpoint, view, old),)
    content = panel.content(endpoint, replace(view, height=view.height - 1))
    note = _age_note(panel, endpoint, view) if old else content.note
    body = tuple(fitted(row, view.width) for row in content.lines[: view.height - 1])
    if old:
        body = tuple(in_ink(row, Ink.STALE) for row in body)
    return (title_rule(panel.title, note, view, Ink.WARNING if old else Ink.STRONG), *body)


def _compact(
    compact: Callable[[EndpointFrame, View], Line], endpoint: EndpointFrame, view: View, old: bool
) -> Line:
    age = last_data(endpoint) if old else ""
    room = view.width - len(age) - 1 if old else view.width
    row = fitted(compact(endpoint, replace(view, width=room)), room)
    if view.focused and row:
        row = (Span(row[0].text, Ink.FOCUS), *row[1:])
    return spread(in_ink(row, Ink.STALE), line(Span(age, Ink.WARNING)), view.width) if old else row


def _age_note(panel: Panel, endpoint: EndpointFrame, view: View) -> str:
    """That the values are old, in the longest form that the title has room for."""
    words = last_data(endpoint)
    room = note_room(panel.title, view.width)
    return next((form for form in (words, words.removeprefix("last "), "old") if len(form) <= room), "")


def note_room(title: str, cells: int) -> int:
    """Cells that a title of this name leaves for its note."""
    return cells - len(title) - 6


def title_rule(title: str, note: str, view: View, ink: Ink = Ink.STRONG) -> Line:
    """`─ KV cache ───────── 97.9% ─`: a rule that carries the title and one fact."""
    lead = Span("▸ " if view.focused else "─ ", Ink.FOCUS if view.focused else Ink.RULE)
    name = Span(f"{title} ", Ink.FOCUS if view.focused else Ink.TITLE)
    room = note_room(title, view.width)
    end = line(Span(f" {cut(note, room)} ", ink), Span("─", Ink.RULE)) if note and room > 2 else ()
    used = len(title) + 3 + sum(len(span.text) for span in end)
    return (lead, name, Span("─" * max(0, view.width - used), Ink.RULE), *end)


def listing(rows: list[Line], height: int, noun: str) -> tuple[Line, ...]:
    """`rows` in `height` lines; the last line says how many did not fit."""
    if len(rows) <= height:
        return tuple(rows)
    kept = rows[: max(0, height - 1)]
    hidden = len(rows) - len(kept)
    return (*kept, line(Span(f"  … {hidden} more {noun}", Ink.DIM))) if height else ()


def filled(blocks: Iterable[Sequence[Line]], height: int) -> tuple[tuple[Line, ...], int]:
    """Blocks of lines, most important first, as far as they fit whole into `height`; and how many did not.

    A block that is too tall is passed over, so that a shorter one after it may still stand.
    """
    rows: list[Line] = []
    hidden = 0
    for block in blocks:
        if len(rows) + len(block) <= height:
            rows += block
        else:
            hidden += 1
    return tuple(rows), hidden


def wrapped_block(text: str, cells: int, ink: Ink = Ink.TEXT, indent: int = 2) -> tuple[Line, ...]:
    """Text from a rule, an engine or a model over as many lines as it needs."""
    return tuple(line(Span(row, ink)) for row in wrapped(printable(text, _LONG), cells, indent))


def labelled(
    label: str, text: str, cells: int, ink: Ink = Ink.TEXT, label_ink: Ink = Ink.DIM
) -> tuple[Line, ...]:
    """`label` and its text, which goes on below itself over as many lines as it needs."""
    room = max(12, cells - cell_len(label))
    rows = wrapped(printable(text, _LONG), room) or [""]
    lead = Span(" " * cell_len(label))
    return tuple(
        line(Span(label, label_ink) if n == 0 else lead, Span(row, ink)) for n, row in enumerate(rows)
    )
