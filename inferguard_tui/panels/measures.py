"""Measures in panels: labelled figures, sparkline rows, and the raw table behind a zoomed panel."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from inferguard_core.followup import Outcome
from inferguard_tui.formatting import amount, clock, duration, measured, window
from inferguard_tui.glyphs import STROKE
from inferguard_tui.line import Ink, Line, Span, cut, left, line, right, spread, wrapped
from inferguard_tui.sparkline import blocks, cells_of, columns, nice_ceiling

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from inferguard_core.frame import EndpointFrame, Measure, MeasureId, Trend
    from inferguard_tui.panels.view import View

VALUE_CELLS = 9
_LABEL_CELLS = 8
_FIGURE_CELLS = 14
_AXIS_CELLS = 9


def value(endpoint: EndpointFrame, measure: MeasureId) -> float | None:
    found = endpoint.measures.get(measure)
    return None if found is None else found.value


def shown(endpoint: EndpointFrame, measure: MeasureId) -> str:
    return measured(endpoint.measures.get(measure))


def since(endpoint: EndpointFrame, unix: float) -> str:
    """How long ago by the frame's instant; a page that came sets the clock, of which there may be none."""
    if endpoint.last_page_unix is None or endpoint.age_s is None:
        return clock(unix) if endpoint.at_unix is None else duration(endpoint.at_unix - unix)
    return duration(endpoint.last_page_unix + endpoint.age_s - unix)


def common_window(endpoint: EndpointFrame, *measures: MeasureId) -> str:
    """The window that the first known of `measures` rests on; given once per panel."""
    for measure in measures:
        found = endpoint.measures.get(measure)
        if found is not None and found.window_s is not None:
            return f"{found.window_s:.0f} s"
    return ""


def figure(label: str, text: str, cells: int, ink: Ink = Ink.STRONG) -> Line:
    """`decode    1.8 k tok/s`: a label and a right-aligned value, in at most `cells`.

    Where both do not fit the unit of a token rate gives way: `1.8 k /s`.
    """
    room = max(0, min(_FIGURE_CELLS, cells - _LABEL_CELLS))
    short = text if len(text) < room else text.replace(" tok/s", "/s")
    return line(Span(left(label, _LABEL_CELLS), Ink.DIM), Span(right(short, room), ink))


def spark(
    trend: Trend | None,
    cells: int,
    top: float | None = None,
    ink: Ink = Ink.SERIES,
    form: Callable[[float | None], str] = amount,
    marks: Sequence[float] = (),
) -> Line:
    """A sparkline that ends with its axis: `▁▂▃ 0-40`, or without it where `top` is given.

    `marks` are unix times at which something was done; their columns are drawn as a stroke.
    """
    if cells <= 0:
        return ()
    if top is not None:
        return stroked(blocks(columns(trend, cells), top), cells_of(trend, cells, marks), ink)
    values = columns(trend, cells - _AXIS_CELLS) if cells > _AXIS_CELLS + 8 else columns(trend, cells)
    known = [v for v in values if v is not None]
    ceiling = nice_ceiling(max(known, default=0.0))
    note = f" 0-{form(ceiling)}" if known and len(values) < cells else ""
    drawn = stroked(blocks(values, ceiling), cells_of(trend, len(values), marks), ink)
    return (*drawn, *line(Span(left(note, cells - len(values)), Ink.DIM)))


def acted(endpoint: EndpointFrame) -> tuple[float, ...]:
    """When something was sent that was, or may have been, carried out here."""
    real = (Outcome.APPLIED, Outcome.UNKNOWN)
    return tuple(e.requested_unix for e in endpoint.executions if e.outcome in real)


def stroked(text: str, cells: frozenset[int], ink: Ink) -> Line:
    """`text` with a stroke in these cells."""
    spans: list[Span] = []
    start = 0
    for cell in sorted(cells):
        spans += [Span(text[start:cell], ink), Span(STROKE, Ink.KEY)]
        start = cell + 1
    return line(*spans, Span(text[start:], ink))


def span_words(trend: Trend | None) -> str:
    """What a chart covers: `30 min`, or `40 s of 30 min` while the monitor is young."""
    if trend is None:
        return ""
    whole, covered = span_name(trend.span_s), trend.step_s * len(trend.values)
    # A ring loses its oldest bin when a new one begins.
    return whole if covered >= trend.span_s - trend.step_s else f"{span_name(covered)} of {whole}"


def span_name(span_s: float) -> str:
    """`40 s`, `5 min`, `6 h`."""
    if span_s < 60:
        return f"{span_s:.0f} s"
    return f"{span_s / 60:.0f} min" if span_s < 3600 else f"{span_s / 3600:.3g} h"


def measure_rows(endpoint: EndpointFrame, measures: tuple[MeasureId, ...], view: View) -> tuple[Line, ...]:
    """Each measure with its window and sample count, its exposed source, and why it is unknown."""
    rows: list[Line] = []
    for measure in measures:
        found = endpoint.measures.get(measure)
        rows.append(
            line(
                Span(left(measure.value.replace("_", " "), 22), Ink.DIM),
                Span(right(measured(found), VALUE_CELLS + 5), Ink.STRONG),
                Span(f"  {window(found)}", Ink.DIM),
            )
        )
        nothing = "not known of this engine" if endpoint.measures else "no page has been read yet"
        rows.extend(_origin(found, view.width, nothing))
    return tuple(rows)


def _origin(measure: Measure | None, cells: int, nothing: str) -> list[Line]:
    if measure is None:
        return [line(Span(f"    {nothing}", Ink.NOTICE))]
    rows = (
        [line(Span(row, Ink.DIM)) for row in wrapped(f"    from {measure.source}", cells, 9)]
        if measure.source
        else []
    )
    if measure.why_unknown:
        rows.append(line(Span(cut(f"    {measure.why_unknown}", cells), Ink.NOTICE)))
    return rows


def raw_rows(endpoint: EndpointFrame, words: tuple[str, ...], view: View) -> tuple[Line, ...]:
    """The exposed series, by exposed name, whose signal contains one of `words`; all of them for no words.

    Where one name holds several, told apart by a label, each has our name of it behind.
    """
    chosen = [r for r in endpoint.raw if not words or any(word in r.signal for word in words)]
    if not chosen:
        return (line(Span("no exposed series for this panel", Ink.DIM)),)
    name_cells = max(20, view.width - 18)
    shared = Counter(raw.name for raw in chosen)
    rows: list[Line] = []
    for raw in sorted(chosen, key=lambda raw: (raw.name, raw.signal)):
        name = raw.name or raw.signal
        of = f"  {raw.signal}" if shared[raw.name] > 1 and raw.name else ""
        rows.append(
            spread(
                line(Span(cut(name, name_cells), Ink.TEXT), Span(of, Ink.DIM)),
                line(Span(f"{raw.value:,.6g}", Ink.STRONG)),
                name_cells + 16,
            )
        )
    return tuple(rows)
