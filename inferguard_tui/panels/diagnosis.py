"""Why: the leading cause and how sure that is, what speaks for and against it, and what would not help.

What matters most stands first; what does not fit whole is left to the zoom and counted in the title.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.printable import printable
from inferguard_tui.glyphs import bar
from inferguard_tui.line import EMPTY, Ink, Line, Span, clauses, flowed, left, line, width
from inferguard_tui.panels.anomalies import evidence_rows
from inferguard_tui.panels.causes import UNCLEAR, cause_words
from inferguard_tui.panels.view import Content, Panel, View, filled, wrapped_block

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inferguard_core.frame import EndpointFrame
    from inferguard_core.verdict import CauseScore, Condition, Diagnosis, WrongLever

_BAR_CELLS = 12
_NAME_CELLS = 24
_ROOMY_ROWS = 10
"""From this many rows on each runner-up has a bar of its own."""


def diagnosis_content(endpoint: EndpointFrame, view: View) -> Content:
    diagnosis = endpoint.diagnosis
    if diagnosis is None:
        pending = "no incident is open" if endpoint.incident is None else "rules pending"
        return Content((line(Span(pending, Ink.DIM)),)[: view.height])
    rows, hidden = filled(_blocks(diagnosis, view), view.height)
    of = "" if endpoint.incident is not None else "of the last incident"
    notes = (of, printable(diagnosis.source), f"{hidden} more in zoom" if hidden else "")
    return Content(rows, " · ".join(note for note in notes if note))


def _blocks(diagnosis: Diagnosis, view: View) -> Iterator[tuple[Line, ...]]:
    """Most important first. One reason goes before the wrong lever, so that both stand where rows are few."""
    cells = view.width
    yield from _causes(diagnosis, view)
    if diagnosis.cause == UNCLEAR:
        yield from _measure_next(diagnosis, cells)
    best = diagnosis.ranked[0] if diagnosis.ranked else None
    reasons = [_for(condition, cells) for condition in best.speaks_for] if best is not None else []
    yield from reasons[:1]
    if diagnosis.wrong_lever is not None:
        yield _wrong_lever(diagnosis.wrong_lever, view)
    yield from reasons[1:]
    for moved in diagnosis.changed_before:
        yield wrapped_block(f"before it: {moved}", cells, Ink.DIM)
    for condition in best.speaks_against if best is not None else ():
        yield _against(condition, cells)
    risk = f"mode {diagnosis.failure_mode} · risk {diagnosis.risk_level}"
    yield wrapped_block(f"{risk} · {diagnosis.actuation_recommendation.replace('_', ' ')}", cells, Ink.DIM)


def _causes(diagnosis: Diagnosis, view: View) -> Iterator[tuple[Line, ...]]:
    """The leading cause with its bar, then the others: behind it, on a line, or with bars, as rows allow."""
    names = min(_NAME_CELLS, max(12, view.width - _BAR_CELLS - 6))
    if diagnosis.cause == UNCLEAR:
        yield wrapped_block("unclear: no cause reaches 0.50", view.width, Ink.STRONG)
        others = list(diagnosis.ranked)
    elif not diagnosis.ranked:
        yield (_cause(diagnosis.cause, diagnosis.confidence, names, Ink.STRONG),)
        return
    else:
        first, *others = diagnosis.ranked
        row = _cause(first.cause, first.confidence, names, Ink.STRONG)
        room = view.width - width(row) - 2
        behind = _told(others, room)
        if behind or view.height < _ROOMY_ROWS:
            row = (*row, Span(f"  {behind}", Ink.DIM)) if behind else row
        yield (row,)
        if behind:
            return
    if view.height >= _ROOMY_ROWS:
        yield tuple(_cause(o.cause, o.confidence, names, Ink.TEXT) for o in others)
    elif others:
        yield wrapped_block(f"else {_told(others, view.width - 5)}", view.width, Ink.DIM)


def _told(others: list[CauseScore], cells: int) -> str:
    return flowed((f"{printable(o.cause)} {o.confidence:.2f}" for o in others), cells)


def _cause(cause: str, confidence: float, name_cells: int, ink: Ink) -> Line:
    return (
        Span(left(printable(cause), name_cells), ink),
        Span(bar(confidence, _BAR_CELLS), Ink.SERIES),
        Span(f" {confidence:.2f}"),
    )


def _for(condition: Condition, cells: int) -> tuple[Line, ...]:
    return wrapped_block(f"✔ {condition.text}", cells)


def _against(condition: Condition, cells: int) -> tuple[Line, ...]:
    """One that holds and should not, or one that should hold and does not."""
    return wrapped_block(f"{'but' if condition.holds else 'not so'}: {condition.text}", cells, Ink.DIM)


def _wrong_lever(lever: WrongLever, view: View) -> tuple[Line, ...]:
    """In one line where rows are few: its number then gives way, which the zoom still has."""
    words = printable(f"wrong lever: {lever.lever}: {lever.because}")
    short = clauses(words, view.width)
    if view.height < _ROOMY_ROWS // 2 + 1 and not short.endswith("…"):
        return (line(Span(short, Ink.NOTICE)),)
    return wrapped_block(words, view.width, Ink.NOTICE)


def _measure_next(diagnosis: Diagnosis, cells: int) -> Iterator[tuple[Line, ...]]:
    for measure in diagnosis.measure_next:
        yield wrapped_block(f"measure next: {measure}", cells)


def diagnosis_detail(endpoint: EndpointFrame, view: View) -> tuple[Line, ...]:
    """Every cause with all that was weighed, what moved before, what to measure, and the numbers."""
    diagnosis, cells = endpoint.diagnosis, view.width
    if diagnosis is None:
        return ()
    rows: list[Line] = []
    for cause in diagnosis.ranked:
        rows.append(line(Span(f"{cause_words(cause.cause)}  {cause.confidence:.2f}", Ink.TITLE)))
        for condition in cause.speaks_for:
            rows += _for(condition, cells)
        for condition in cause.speaks_against:
            rows += _against(condition, cells)
        if cause.unknown:
            rows += wrapped_block(f"not known here: {', '.join(cause.unknown)}", cells, Ink.NOTICE)
        rows.append(EMPTY)
    for moved in diagnosis.changed_before:
        rows += wrapped_block(f"before it: {moved}", cells)
    for block in _measure_next(diagnosis, cells):
        rows += block
    if diagnosis.evidence:
        rows += [EMPTY, line(Span("Evidence", Ink.TITLE)), *evidence_rows(diagnosis.evidence, cells)]
    return tuple(rows)


DIAGNOSIS = Panel("diagnosis", "Diagnosis", diagnosis_content, detail=diagnosis_detail, measured=False)
