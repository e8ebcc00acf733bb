"""The connection itself: is it read, how fast, how old, and what is to be doubted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.counted import counted
from inferguard_tui.formatting import clock, interval, whole_age
from inferguard_tui.glyphs import UNKNOWN
from inferguard_tui.line import EMPTY, Ink, Line, Span, flowed, left, line, wrapped
from inferguard_tui.panels.header import engine_words, model_words
from inferguard_tui.panels.measures import raw_rows
from inferguard_tui.panels.view import Content, Panel, View

if TYPE_CHECKING:
    from inferguard_core.frame import EndpointFrame

_LABEL_CELLS = 9


def _age(endpoint: EndpointFrame) -> str:
    if endpoint.age_s is None:
        return f"data {UNKNOWN}"
    return f"data {whole_age(endpoint.age_s)} old"


def _poll(endpoint: EndpointFrame) -> str:
    took = UNKNOWN if endpoint.poll_ms is None else _took(endpoint.poll_ms)
    return f"every {interval(endpoint.interval_s)}, took {took}"


def _took(milliseconds: float) -> str:
    return f"{milliseconds:.0f} ms" if milliseconds < 999.5 else f"{milliseconds / 1000:.1f} s"


def _counts(endpoint: EndpointFrame) -> str:
    failed = f", {endpoint.failed_polls} failed in a row" if endpoint.failed_polls else ""
    return f"{counted(endpoint.polls, 'poll')}{failed}"


def _unseen(endpoint: EndpointFrame) -> list[str]:
    counts = ((len(endpoint.blind), "blind rule"), (len(endpoint.doubts), "doubt"))
    return [counted(count, noun) for count, noun in counts if count]


def _least(learning: str) -> float:
    """How far a baseline has come, from `learning 40/60`."""
    counted, _, needed = learning.rpartition(" ")[2].partition("/")
    return int(counted) / int(needed) if counted.isdigit() and needed.isdigit() and int(needed) else 0.0


def _warm_up(endpoint: EndpointFrame) -> str:
    """How many baselines are not trusted yet, and the one that has the furthest to go."""
    learning = endpoint.learning
    if not learning:
        return ""
    name = min(learning, key=lambda n: (_least(learning[n]), n))
    count = counted(len(learning), "baseline")
    return f"{count}, {str(name).replace('_', ' ')} {learning[name].removeprefix('learning ')}"


def status_compact(endpoint: EndpointFrame, view: View) -> Line:
    learning = (f"{len(endpoint.learning)} learning",) if endpoint.learning else ()
    parts = (_age(endpoint), _poll(endpoint), _counts(endpoint), *_unseen(endpoint), *learning)
    ink = Ink.NOTICE if endpoint.failed_polls else Ink.DIM
    return line(
        Span(left("Status", _LABEL_CELLS), Ink.TITLE), Span(flowed(parts, view.width - _LABEL_CELLS), ink)
    )


def _row(label: str, words: str, view: View, ink: Ink = Ink.TEXT) -> list[Line]:
    """A labelled value over as many lines as it needs."""
    room = max(1, view.width - _LABEL_CELLS)
    pieces = wrapped(words, room) or [UNKNOWN]
    return [
        line(Span(left(label if index == 0 else "", _LABEL_CELLS), Ink.DIM), Span(piece, ink))
        for index, piece in enumerate(pieces)
    ]


def status_content(endpoint: EndpointFrame, view: View) -> Content:
    rows = _row("poll", f"{_poll(endpoint)} · {_counts(endpoint)}", view)
    rows += _row("data", _age(endpoint).removeprefix("data "), view)
    if endpoint.failure is not None:
        rows += _row("failure", endpoint.failure.message, view, Ink.CRITICAL)
    for doubt in endpoint.doubts:
        rows += _row("doubt", doubt, view, Ink.NOTICE)
    if unseen := _unseen(endpoint):
        rows += _row("unseen", " · ".join(unseen), view, Ink.NOTICE)
    if learning := _warm_up(endpoint):
        rows += _row("learning", learning, view)
    # Last, since the header has them.
    rows += _row("engine", engine_words(endpoint), view)
    rows += _row("model", model_words(endpoint, view.width - _LABEL_CELLS), view)
    return Content(tuple(rows[: view.height]), endpoint.proof.value)


def status_detail(endpoint: EndpointFrame, view: View) -> tuple[Line, ...]:
    """All that was read from the newest page."""
    last = UNKNOWN if endpoint.last_page_unix is None else clock(endpoint.last_page_unix)
    title = line(Span(f"Newest page, read at {last}", Ink.TITLE))
    head = [line(Span(endpoint.endpoint)), *(line(Span(name)) for name in endpoint.models), EMPTY]
    if endpoint.learning:
        head.append(line(Span("Baselines that are not trusted yet", Ink.TITLE)))
        head += [
            line(Span(left(str(name).replace("_", " "), 26), Ink.DIM), Span(text))
            for name, text in sorted(endpoint.learning.items())
        ]
        head.append(EMPTY)
    return (*head, title, *raw_rows(endpoint, (), view))


STATUS = Panel("status", "Status", status_content, status_compact, status_detail, measured=False)
