"""Who waits, why, and how long a request that arrives now would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.frame import MeasureId
from inferguard_tui.formatting import amount, rate, seconds
from inferguard_tui.glyphs import UNKNOWN
from inferguard_tui.line import EMPTY, Ink, Line, Span, clauses, flowed, left, line, right
from inferguard_tui.panels.measures import acted, measure_rows, raw_rows, spark, value
from inferguard_tui.panels.view import Content, Panel, View

if TYPE_CHECKING:
    from inferguard_core.frame import EndpointFrame

_MEASURES = (
    MeasureId.WAITING,
    MeasureId.RUNNING,
    MeasureId.WAITING_CAPACITY,
    MeasureId.WAITING_DEFERRED,
    MeasureId.REJECT_RATE,
    MeasureId.SWAPPED,
    MeasureId.WAIT_ESTIMATE,
    MeasureId.QUEUE_SLOPE,
    MeasureId.ARRIVAL_RATE,
    MeasureId.FINISH_RATE,
)


def _wait(endpoint: EndpointFrame) -> str:
    wait = value(endpoint, MeasureId.WAIT_ESTIMATE)
    return f"wait ≈ {seconds(wait)}" if wait is not None else f"wait {UNKNOWN}"


def _slope(endpoint: EndpointFrame) -> str:
    slope = value(endpoint, MeasureId.QUEUE_SLOPE)
    if slope is None:
        return f"slope {UNKNOWN}"
    return "steady" if abs(slope) < 0.005 else f"{slope:+.2f} /s"


def _why(endpoint: EndpointFrame) -> str:
    """The split of the queue, as far as the engine tells it."""
    capacity, deferred = (
        value(endpoint, MeasureId.WAITING_CAPACITY),
        value(endpoint, MeasureId.WAITING_DEFERRED),
    )
    reasons = (("capacity", capacity), ("deferred", deferred))
    split = " · ".join(f"{word} {amount(known)}" for word, known in reasons if known is not None)
    rejected = value(endpoint, MeasureId.REJECT_RATE)
    refused = "" if rejected is None else f" · rejected {rate(rejected)}"
    return (f"why: {split}" if split else f"why {UNKNOWN}") + refused


def _short_why(endpoint: EndpointFrame) -> str:
    """The same in a few cells, while anybody waits; empty where the engine does not split its queue."""
    reasons = (("cap", MeasureId.WAITING_CAPACITY), ("def", MeasureId.WAITING_DEFERRED))
    known = [(word, number) for word, name in reasons if (number := value(endpoint, name)) is not None]
    return " ".join(f"{word} {amount(number)}" for word, number in known) if any(n for _, n in known) else ""


def queue_compact(endpoint: EndpointFrame, view: View) -> Line:
    waiting, running = value(endpoint, MeasureId.WAITING), value(endpoint, MeasureId.RUNNING)
    room = view.width - 20 - 2
    note_cells = min(38, room // 2 + 9)
    parts = (f"run {amount(running):>4}", _wait(endpoint), _short_why(endpoint) or _slope(endpoint))
    note = left(flowed(parts, note_cells, "  "), note_cells)
    return line(
        Span(left("Queue", 9), Ink.TITLE),
        Span(right(amount(waiting), 9), Ink.STRONG),
        "  ",
        *spark(endpoint.trends.get(MeasureId.WAITING), room - len(note), marks=acted(endpoint)),
        Span(f"  {note}", Ink.DIM),
    )


def queue_content(endpoint: EndpointFrame, view: View) -> Content:
    waiting, running = value(endpoint, MeasureId.WAITING), value(endpoint, MeasureId.RUNNING)
    label, room = 9, view.width
    arrivals, done = value(endpoint, MeasureId.ARRIVAL_RATE), value(endpoint, MeasureId.FINISH_RATE)
    rows = [
        line(
            Span(left("waiting", label), Ink.DIM),
            *spark(endpoint.trends.get(MeasureId.WAITING), room - label, marks=acted(endpoint)),
        ),
        line(
            Span(left("running", label), Ink.DIM),
            *spark(
                endpoint.trends.get(MeasureId.RUNNING), room - label, ink=Ink.SERIES_2, marks=acted(endpoint)
            ),
        ),
        line(Span(flowed((_wait(endpoint), _slope(endpoint)), room), Ink.STRONG)),
        line(Span(flowed((f"arrivals {rate(arrivals)}", f"done {rate(done)}"), room))),
        line(Span(clauses(_why(endpoint), room), Ink.DIM)),
        EMPTY,
    ]
    if (swapped := value(endpoint, MeasureId.SWAPPED)) is not None:
        rows[-1] = line(Span(f"swapped {amount(swapped)}", Ink.DIM))
    # With few rows the words come before the second picture.
    order = range(6) if view.height >= 5 else (0, 2, 3, 4)
    lines = tuple(rows[index] for index in order)[: view.height]
    return Content(lines, f"{amount(waiting)} waiting · {amount(running)} running")


def queue_detail(endpoint: EndpointFrame, view: View) -> tuple[Line, ...]:
    words = ("waiting", "running", "finished", "rejected")
    return (*measure_rows(endpoint, _MEASURES, view), EMPTY, *raw_rows(endpoint, words, view))


QUEUE = Panel("queue", "Queue", queue_content, queue_compact, queue_detail)
