"""One endpoint as one line. As the width shrinks columns leave in a fixed order, the least telling first.

Half-way the sparklines grow shorter and the name gives two cells, so that both still stand in a hundred. A quantile and
the count of what it rests on are one column: neither leaves without the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from inferguard_core.frame import MeasureId, Severity, Status
from inferguard_core.printable import printable
from inferguard_tui.formatting import amount, duration, percent, rate, seconds, short_count
from inferguard_tui.glyphs import INK, UNKNOWN
from inferguard_tui.line import Ink, Line, Span, clauses, fitted, left, line, right, width
from inferguard_tui.panels.header import engine_words
from inferguard_tui.panels.measures import value
from inferguard_tui.panels.reach import reason
from inferguard_tui.panels.verdict import cause, mark, sentence
from inferguard_tui.panels.view import is_old, last_data
from inferguard_tui.sparkline import blocks, columns, nice_ceiling

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from inferguard_core.frame import EndpointFrame

SPARK_CELLS, SHORT_SPARK_CELLS = 10, 4
NAME_CELLS, SHORT_NAME_CELLS = 20, 18
_QUANTILE_CELLS, _COUNT_CELLS = 8, 4


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, its cells, and what stands in it."""

    id: str
    heading: str
    cells: int
    cell: Callable[[EndpointFrame, float], tuple[str, Ink]]
    """Text and ink from an endpoint and the frame's instant."""
    numeric: bool = True
    short_heading: str = ""
    """Where the cells are too few for `heading`."""


def _state(endpoint: EndpointFrame, _unix: float) -> tuple[str, Ink]:
    shape, ink = mark(endpoint.status)
    return f"{shape} {endpoint.status.value}", ink


def _spark(measure: MeasureId, ink: Ink, cells: int) -> Callable[[EndpointFrame, float], tuple[str, Ink]]:
    """KV on an axis to the full pool; a queue on one of at least ten: one waiting request is no tower."""

    def drawn(endpoint: EndpointFrame, _unix: float) -> tuple[str, Ink]:
        values = columns(endpoint.trends.get(measure), cells)
        if measure is MeasureId.KV_USAGE:
            return blocks(values, 1.0), ink
        most = max((v for v in values if v is not None), default=0.0)
        return blocks(values, max(10.0, nice_ceiling(most))), ink

    return drawn


def _kv(endpoint: EndpointFrame, _unix: float) -> tuple[str, Ink]:
    usage, limit = value(endpoint, MeasureId.KV_USAGE), endpoint.thresholds.get("kv_usage")
    over = usage is not None and limit is not None and usage >= limit
    return percent(usage, 0), Ink.LIMIT if over else Ink.STRONG


def _number(
    measure: MeasureId, form: Callable[[float | None], str]
) -> Callable[[EndpointFrame, float], tuple[str, Ink]]:
    return lambda endpoint, _unix: (form(value(endpoint, measure)), Ink.TEXT)


def _quantile(measure: MeasureId) -> Callable[[EndpointFrame, float], tuple[str, Ink]]:
    def shown(endpoint: EndpointFrame, _unix: float) -> tuple[str, Ink]:
        found = endpoint.measures.get(measure)
        n = short_count(found.n if found is not None else None)
        return (
            f"{right(seconds(value(endpoint, measure)), _QUANTILE_CELLS)} {right(n, _COUNT_CELLS)}",
            Ink.TEXT,
        )

    return shown


def _since(endpoint: EndpointFrame, unix: float) -> tuple[str, Ink]:
    return (duration(unix - endpoint.incident.onset_unix) if endpoint.incident is not None else "", Ink.DIM)


def _engine(endpoint: EndpointFrame, _unix: float) -> tuple[str, Ink]:
    return engine_words(endpoint) or UNKNOWN, Ink.DIM


def _cause(endpoint: EndpointFrame, _unix: float) -> tuple[str, Ink]:
    """The cause by its name in the table, which is what other tools call it; else what is known instead."""
    diagnosis = endpoint.diagnosis
    if diagnosis is not None and endpoint.incident is not None and not is_old(endpoint):
        return printable(diagnosis.cause), Ink.TEXT
    if is_old(endpoint):
        why = reason(endpoint.failure)
        if endpoint.age_s is None:
            return why or "never any data", Ink.TEXT
        return f"{why or 'no data'}, {duration(endpoint.age_s)}", Ink.TEXT
    return endpoint.anomalies[0].kind if endpoint.anomalies else cause(endpoint), Ink.TEXT


def _name(cells: int) -> Column:
    return Column("endpoint", "endpoint", cells, lambda e, _: (e.name, Ink.STRONG), numeric=False)


def _sparkline(name: str, cells: int) -> Column:
    if name == "kv_spark":
        cell = _spark(MeasureId.KV_USAGE, Ink.SERIES, cells)
        return Column(name, "KV 0-100%", cells, cell, numeric=False, short_heading="KV")
    cell = _spark(MeasureId.WAITING, Ink.SERIES_2, cells)
    return Column(name, "queue", cells, cell, numeric=False, short_heading="que")


COLUMNS = (
    _name(NAME_CELLS),
    Column("engine", "engine", 14, _engine, numeric=False),
    Column("state", "state", 11, _state, numeric=False),
    _sparkline("kv_spark", SPARK_CELLS),
    Column("kv", "KV", 4, _kv),
    _sparkline("queue_spark", SPARK_CELLS),
    Column("waiting", "wait", 5, _number(MeasureId.WAITING, amount)),
    Column("running", "run", 5, _number(MeasureId.RUNNING, amount)),
    Column("ttft", "TTFT p95    n", _QUANTILE_CELLS + 1 + _COUNT_CELLS, _quantile(MeasureId.TTFT_P95)),
    Column("itl", "ITL p95    n", _QUANTILE_CELLS + 1 + _COUNT_CELLS, _quantile(MeasureId.ITL_P95)),
    Column("decode", "tok/s", 6, _number(MeasureId.GENERATION_RATE, amount)),
    Column("hit", "hit", 5, _number(MeasureId.PREFIX_HIT_RATE, lambda v: percent(v, 0))),
    Column("preempt", "preempt", 8, _number(MeasureId.PREEMPTION_RATE, rate)),
    Column("cause", "cause", 22, _cause, numeric=False),
    Column("since", "since", 9, _since),
)
LEAVE_FIRST = ("preempt", "itl")
"""Columns as they leave while the sparklines keep their length."""
LEAVE_ORDER = (
    *LEAVE_FIRST,
    *(
        "engine",
        "hit",
        "since",
        "decode",
        "queue_spark",
        "kv_spark",
        "ttft",
        "cause",
        "running",
        "waiting",
        "kv",
    ),
)
"""All columns as they leave; after the first few the sparklines give what they have. Name and state stay."""
_STATE_INKS = frozenset(INK.values())
_NUMBER_CELLS = 3
_WORDS_CELLS = 24
"""What is left at the right holds the state in words, from this many cells on."""


@lru_cache(maxsize=8)
def fitting(cells: int) -> tuple[Column, ...]:
    """The columns that a row of `cells` holds, sparklines and name as long as there is room for."""
    kept = list(COLUMNS)
    for leaving in LEAVE_ORDER:
        given = 0 if leaving in LEAVE_FIRST else _from_sparks(kept) + NAME_CELLS - SHORT_NAME_CELLS
        if _size(kept) - given <= cells:
            break
        kept = [column for column in kept if column.id != leaving]
    over, sparks = max(0, _size(kept) - cells), _sparks(kept)
    shorter = min(SPARK_CELLS - SHORT_SPARK_CELLS, math.ceil(over / len(sparks))) if sparks else 0
    name = NAME_CELLS - min(NAME_CELLS - SHORT_NAME_CELLS, max(0, over - shorter * len(sparks)))
    return tuple(
        _name(name) if c.id == "endpoint" else _sparkline(c.id, SPARK_CELLS - shorter) if c in sparks else c
        for c in kept
    )


def _from_sparks(kept: list[Column]) -> int:
    return (SPARK_CELLS - SHORT_SPARK_CELLS) * len(_sparks(kept))


def _sparks(kept: list[Column]) -> list[Column]:
    return [column for column in kept if column.id in ("kv_spark", "queue_spark")]


def _size(kept: Sequence[Column]) -> int:
    """The cursor's mark and the number, then every column after a space."""
    return 1 + _NUMBER_CELLS + sum(1 + column.cells for column in kept)


def heading(cells: int) -> Line:
    shown = fitting(cells)
    names = " ".join(right(_named(c), c.cells) if c.numeric else left(_named(c), c.cells) for c in shown)
    room = cells - _size(shown)
    words = "  in words" if room >= _WORDS_CELLS else ""
    return fitted(line(Span(f"{right('#', _NUMBER_CELLS + 1)} {names}{words}", Ink.DIM)), cells)


def _named(column: Column) -> str:
    return column.heading if len(column.heading) <= column.cells else column.short_heading or column.heading


def row(endpoint: EndpointFrame, number: int, unix: float, cells: int, *, under_cursor: bool) -> Line:
    """One endpoint; `number` is its place as given, which digits jump to."""
    shown = fitting(cells)
    spans = [
        Span("▌" if under_cursor else " ", Ink.FOCUS),
        Span(right(str(number), _NUMBER_CELLS), Ink.KEY),
    ]
    old = is_old(endpoint)
    for column in shown:
        text, ink = column.cell(endpoint, unix)
        placed = right(text, column.cells) if column.numeric else left(text, column.cells)
        if old and column.id not in ("endpoint", "state", "engine", "cause", "since"):
            ink = Ink.STALE
        spans.append(Span(f" {placed}", ink))
    room = cells - _size(shown)
    if room >= _WORDS_CELLS:
        spans.append(Span(f"  {clauses(_words(endpoint), room - 2)}", Ink.DIM))
    drawn = fitted(line(*spans), cells)
    if not under_cursor:
        return drawn
    filled = (*drawn, Span(" " * max(0, cells - width(drawn))))
    # The state keeps its colour: the worst row is the one that the cursor starts on.
    return tuple(span if span.ink in _STATE_INKS else Span(span.text, Ink.CURSOR) for span in filled)


def _words(endpoint: EndpointFrame) -> str:
    if is_old(endpoint):
        failed = f"; {endpoint.failure.message}" if endpoint.failure is not None else ""
        return last_data(endpoint) + failed
    if endpoint.severity > Severity.OK or endpoint.status is Status.RESTARTED:
        return sentence(endpoint)
    return ""
