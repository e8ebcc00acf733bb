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
from inferguard_tui.panels.view import Content, Panel, View, filled, note_room, wrapped_block

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inferguard_core.frame import EndpointFrame
    from inferguard_core.verdict import CauseScore, Condition, Diagnosis, WrongLever

_BAR_CELLS = 12
_NAME_CELLS = 24
_ROOMY_ROWS = 10
"""From this many rows on each runner-up has a bar of its own."""
_FEW_ROWS = 5
"""Below this many the runners-up stand behind the leading cause, or the wrong lever would have no row."""
_RANKED, _NAMED = 3, 2
"""What the core ranks at most, and what is named behind the first at least, where there is so much."""


def diagnosis_content(endpoint: EndpointFrame, view: View) -> Content:
    diagnosis = endpoint.diagnosis
    if diagnosis is None:
        pending = "no incident is open" if endpoint.incident is None else "rules pending"
        return Content((line(Span(pending, Ink.DIM)),)[: view.height])
    rows, hidden = filled(_blocks(diagnosis, view), view.height)
    of = "" if endpoint.incident is not None else "of the last incident"
    return Content(rows, _note(of, printable(diagnosis.source), hidden, view.width))


def _note(of: str, source: str, hidden: int, cells: int) -> str:
    """Whose it is, who says so, and what is left out; where a title has not room for all, the source goes first."""
    more = f"{hidden} more in zoom" if hidden else ""
    forms = (" · ".join(filter(None, parts)) for parts in ((of, source, more), (of, more), (of or source,)))
    return next((form for form in forms if len(form) <= note_room("Diagnosis", cells)), of or source)


def _blocks(diagnosis: Diagnosis, view: View) -> Iterator[tuple[Line, ...]]:
    """Most important first. At least one reason goes before the wrong lever, so that both stand where rows are few."""
    cells = view.width
    head = list(_causes(diagnosis, view))
    if diagnosis.cause == UNCLEAR:
        head += _measure_next(diagnosis, cells)
    yield from head
    best = diagnosis.ranked[0] if diagnosis.ranked else None
    lever = () if diagnosis.wrong_lever is None else _wrong_lever(diagnosis.wrong_lever, view)
    room = view.height - len(lever) - sum(map(len, head))
    left_over: list[tuple[Line, ...]] = []
    for number, reason in enumerate(_for(c, cells) for c in best.speaks_for) if best is not None else ():
        if number and len(reason) > room:
            left_over.append(reason)
        else:
            room -= len(reason)
            yield reason
    if lever:
        yield lever
    yield from left_over
    for moved in diagnosis.changed_before:
        yield wrapped_block(f"before it: {moved}", cells, Ink.DIM)
    for condition in best.speaks_against if best is not None else ():
        yield _against(condition, cells)
    risk = f"mode {diagnosis.failure_mode} · risk {diagnosis.risk_level}"
    yield wrapped_block(f"{risk} · {diagnosis.actuation_recommendation.replace('_', ' ')}", cells, Ink.DIM)


def _causes(diagnosis: Diagnosis, view: View) -> Iterator[tuple[Line, ...]]:
    """The leading cause with its bar, then the next two: behind it, on a line, or with bars, as rows allow."""
    names = min(_NAME_CELLS, max(12, view.width - _BAR_CELLS - 6))
    others, rest = runners_up(diagnosis), remaining(diagnosis)
    told = [*(f"{printable(o.cause)} {o.confidence:.2f}" for o in others), *([rest] if rest else [])]
    two = len(" · ".join(told[:2]))
    if diagnosis.cause == UNCLEAR:
        yield wrapped_block("unclear: no cause reaches 0.50", view.width, Ink.STRONG)
    else:
        few = view.height < _FEW_ROWS
        forms = list(_leading(diagnosis, names, few=few))
        row = next((form for form in forms if width(form) + 2 + two <= view.width), forms[0])
        room = view.width - width(row) - 2
        behind = flowed(told, room) if few or two <= room else ""
        yield (line(*row, Span(f"  {behind}" if behind else "", Ink.DIM)),)
        if behind:
            return
    if others and (view.height >= _ROOMY_ROWS or two > view.width):
        yield tuple(_cause(o.cause, o.confidence, names, Ink.TEXT) for o in others)
        told = told[len(others) :]
    if told:
        lead = "else " if told[0] != rest and two + len("else ") <= view.width else ""
        yield (line(Span(lead + flowed(told, view.width - len(lead)), Ink.DIM)),)


def _leading(diagnosis: Diagnosis, names: int, *, few: bool) -> Iterator[Line]:
    """The leading cause, in ever fewer cells where rows are too few for a line of its own below it."""
    cause, confidence = diagnosis.cause, diagnosis.confidence
    yield _cause(cause, confidence, names, Ink.STRONG)
    for bar_cells in (_BAR_CELLS, 8, 4) if few else ():
        yield _cause(cause, confidence, len(printable(cause)) + 1, Ink.STRONG, bar_cells)


def runners_up(diagnosis: Diagnosis) -> tuple[CauseScore, ...]:
    """The next two with their scores, and whatever else was ranked."""
    others = diagnosis.ranked if diagnosis.cause == UNCLEAR else diagnosis.ranked[1:]
    return (*others, *(diagnosis.also_ran or ())[: max(0, 2 - len(others))])


def remaining(diagnosis: Diagnosis) -> str:
    """What is known of the scores that have no name here; empty where that is nothing or two are named."""
    if len(diagnosis.ranked) >= _RANKED or len(runners_up(diagnosis)) >= _NAMED:
        return ""
    words = "all others" if runners_up(diagnosis) or diagnosis.ranked else "every cause"
    return f"{words} below 0.30" if diagnosis.also_ran is None else f"{words} 0.00"


def _cause(cause: str, confidence: float, name_cells: int, ink: Ink, bar_cells: int = _BAR_CELLS) -> Line:
    return (
        Span(left(printable(cause), name_cells), ink),
        Span(bar(confidence, bar_cells), Ink.SERIES),
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
    low = [f"{printable(o.cause)} {o.confidence:.2f}" for o in diagnosis.also_ran or ()]
    if below := " · ".join([*low, *filter(None, [remaining(diagnosis)])]):
        rows += [*wrapped_block(below, cells, Ink.DIM), EMPTY]
    for moved in diagnosis.changed_before:
        rows += wrapped_block(f"before it: {moved}", cells)
    for block in _measure_next(diagnosis, cells):
        rows += block
    if diagnosis.evidence:
        rows += [EMPTY, line(Span("Evidence", Ink.TITLE)), *evidence_rows(diagnosis.evidence, cells)]
    return tuple(rows)


DIAGNOSIS = Panel("diagnosis", "Diagnosis", diagnosis_content, detail=diagnosis_detail, measured=False)
