"""The KV pool: how full, against its limit, over the last minutes. The axis is always 0 to 100 %."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.frame import MeasureId
from inferguard_core.printable import printable
from inferguard_tui.chart import CONE_CELL, THRESHOLD_CELL
from inferguard_tui.formatting import amount, duration, percent
from inferguard_tui.glyphs import STROKE, UNKNOWN
from inferguard_tui.line import EMPTY, Ink, Line, Span, flowed, left, line, right, spread
from inferguard_tui.panels.cone import cone, future_columns
from inferguard_tui.panels.measures import acted, measure_rows, raw_rows, shown, span_words, spark, value
from inferguard_tui.panels.view import Content, Panel, View
from inferguard_tui.sparkline import cells_of, column_seconds, columns, tall_blocks

if TYPE_CHECKING:
    from inferguard_core.frame import EndpointFrame

_AXIS_CELLS = 5
_CELL_INKS = {THRESHOLD_CELL: Ink.LIMIT, CONE_CELL: Ink.NOTICE, STROKE: Ink.KEY}
_LABEL_CELLS = 9
_NOTE_CELLS = 29
"""Holds `full in ≈ 40 s, uncalibrated`."""


def _ink(endpoint: EndpointFrame) -> Ink:
    usage, limit = value(endpoint, MeasureId.KV_USAGE), endpoint.thresholds.get("kv_usage")
    return Ink.LIMIT if usage is not None and limit is not None and usage >= limit else Ink.STRONG


def _limit(endpoint: EndpointFrame) -> str:
    limit = endpoint.thresholds.get("kv_usage")
    return "" if limit is None else f"limit {percent(limit, 0)}"


def forecast_words(endpoint: EndpointFrame) -> tuple[str, ...]:
    """When the pool would be full if it went on like this, in ever shorter forms; none without a forecast."""
    forecast = endpoint.forecast
    if forecast is None:
        return ()
    word = printable(forecast.word)
    if forecast.seconds is None:
        rising = f"rising {percent(forecast.slope * 60)} a minute"
        return f"{rising}, full too far off to say", rising
    full = f"full in ≈ {duration(forecast.seconds)}"
    short = f"{full}, {word}"
    if forecast.low_s is None or forecast.high_s is None:
        return (short,)
    return f"{full} ({forecast.low_s:.0f}–{forecast.high_s:.0f} s), {word}", short


def _fitting(forms: tuple[str, ...], cells: int) -> str:
    return next((form for form in forms if len(form) <= cells), "")


def kv_compact(endpoint: EndpointFrame, view: View) -> Line:
    """The forecast takes the limit's place while there is one; the sparkline keeps its width."""
    usage = shown(endpoint, MeasureId.KV_USAGE)
    room = min(_NOTE_CELLS, view.width // 2)
    forecast = _fitting(forecast_words(endpoint), room)
    trend = endpoint.trends.get(MeasureId.KV_USAGE)
    about = flowed([part for part in (span_words(trend), _limit(endpoint)) if part], room)
    return line(
        Span(left("KV", _LABEL_CELLS), Ink.TITLE),
        Span(right(usage, 9), _ink(endpoint)),
        "  ",
        *spark(trend, view.width - 20 - room - 2, 1.0, marks=acted(endpoint)),
        Span(f"  {left(forecast or about, room)}", Ink.LIMIT if forecast else Ink.DIM),
    )


def kv_content(endpoint: EndpointFrame, view: View) -> Content:
    capacity = value(endpoint, MeasureId.KV_CAPACITY_TOKENS)
    usage = value(endpoint, MeasureId.KV_USAGE)
    of = f" of {amount(capacity)} tok" if capacity is not None else ""
    note = f"{percent(usage)}{of}" if usage is not None else UNKNOWN
    trend = endpoint.trends.get(MeasureId.KV_USAGE)
    # The last line explains the chart; a chart of fewer than two rows says nothing.
    height = view.height - 1 if view.height >= 4 else view.height
    past, future = _split(endpoint, view)
    drawn = _drawn(endpoint, view, (past, future), height)
    struck = cells_of(trend, past, acted(endpoint))
    rows = [_chart_row(_struck(text, index, struck), index, height) for index, text in enumerate(drawn)]
    if height < view.height:
        held = f"{amount(usage * capacity)} tok held" if usage is not None and capacity is not None else ""
        rows.append(_foot(endpoint, view.width, (span_words(trend), _limit(endpoint)), held))
    return Content(tuple(rows), note)


def _split(endpoint: EndpointFrame, view: View) -> tuple[int, int]:
    """Columns for what was measured, and for the cone of what is expected."""
    count = max(1, view.width - _AXIS_CELLS - 1)
    known = view.raster is not None and endpoint.trends.get(MeasureId.KV_USAGE) is not None
    future = future_columns(endpoint, count) if known else 0
    return count - future, future


def _drawn(endpoint: EndpointFrame, view: View, split: tuple[int, int], height: int) -> tuple[str, ...]:
    """The chart's rows: what was measured, and at the right what is expected."""
    trend, (past, future) = endpoint.trends.get(MeasureId.KV_USAGE), split
    values = columns(trend, past)
    if view.raster is None:
        return tuple(tall_blocks(values, 1.0, height))
    ahead = cone(endpoint, past, future, column_seconds(trend, past)) if trend is not None else ()
    limit = endpoint.thresholds.get("kv_usage")
    return view.raster.rows([*values, *[None] * future], height, limit, ahead, ascii_only=view.ascii_only)


def _foot(endpoint: EndpointFrame, cells: int, about: tuple[str, str], held: str) -> Line:
    """What the chart spans at the left; at the right the forecast, while there is one, else the tokens held."""
    forecast = _fitting(forecast_words(endpoint), cells - _AXIS_CELLS - 1)
    end = Span(forecast, Ink.LIMIT) if forecast else Span(held, Ink.DIM)
    words = flowed([part for part in about if part], cells - _AXIS_CELLS - len(end.text) - 2)
    return spread(line(Span(" " * _AXIS_CELLS + words, Ink.DIM)), line(end), cells)


def _chart_row(text: str, index: int, height: int) -> Line:
    label = (
        "100"
        if index == 0
        else "0"
        if index == height - 1
        else "50"
        if height >= 5 and index == height // 2
        else ""
    )
    axis = Span(f"{label:>3} ┤" if label else "    │", Ink.RULE)
    inked = any(cell in text for cell in _CELL_INKS)
    return (axis, *_inked(text)) if inked else line(axis, Span(text, Ink.SERIES))


def _struck(text: str, index: int, cells: frozenset[int]) -> str:
    """A row of the chart with what was done as a stroke behind the curve; the top row always shows it."""
    if not cells:
        return text
    return "".join(STROKE if at in cells and (c == " " or index == 0) else c for at, c in enumerate(text))


def _inked(text: str) -> Line:
    """The threshold's cells and those of what is expected in inks of their own, the curve's in the series'."""
    spans: list[Span] = []
    for character in text:
        ink = _CELL_INKS.get(character, Ink.SERIES)
        if spans and (spans[-1].ink is ink or character == " "):
            spans[-1] = Span(spans[-1].text + character, spans[-1].ink)
        else:
            spans.append(Span(character, ink))
    return tuple(spans) or EMPTY


def kv_detail(endpoint: EndpointFrame, view: View) -> tuple[Line, ...]:
    measures = (MeasureId.KV_USAGE, MeasureId.KV_CAPACITY_TOKENS, MeasureId.SWAPPED)
    return (
        *measure_rows(endpoint, measures, view),
        EMPTY,
        *raw_rows(endpoint, ("kv_", "cache", "swap", "evict"), view),
    )


KV = Panel("kv", "KV cache", kv_content, kv_compact, kv_detail)
