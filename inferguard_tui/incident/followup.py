"""What was done about an incident and whether it helped, and what past ones like it say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.printable import printable
from inferguard_tui.formatting import clock, day, duration
from inferguard_tui.incident.told import grade_span, outcome_words
from inferguard_tui.line import EMPTY, Ink, Line, Span, line
from inferguard_tui.panels.causes import cause_words
from inferguard_tui.panels.view import wrapped_block

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inferguard_core.followup import Execution, Similar


def execution_rows(executions: Iterable[Execution], cells: int) -> list[Line]:
    """Each attempt with its mode, what became of it, and its grade with the numbers before and after."""
    rows: list[Line] = []
    for execution in executions:
        graded = line(Span(" · "), grade_span(execution.grade)) if execution.grade is not None else ()
        rows.append(
            (
                Span(f" {clock(execution.requested_unix)} ", Ink.DIM),
                Span(execution.action_type.value, Ink.STRONG),
                Span(f" {execution.mode.replace('_', ' ')} ", Ink.DIM),
                *graded,
            )
        )
        by = f"   {outcome_words(execution)} · by {printable(execution.requested_by, 40)}"
        rows += wrapped_block(by, cells, Ink.TEXT, 5)
        if execution.reference:
            rows += wrapped_block(f"   the receiver calls it {execution.reference}", cells, Ink.DIM, 5)
        for criterion in execution.verification:
            rows += wrapped_block(f"   {criterion}", cells, Ink.DIM, 5)
    return rows or [line(Span(" nothing was tried from here", Ink.DIM))]


def similar_rows(similar: Iterable[Similar], unix: float, cells: int) -> list[Line]:
    """Past incidents like it, best first: when, what matched, what was done, whether it helped."""
    rows: list[Line] = []
    for past in similar:
        rows += [*similar_lead(past, unix, cells), *similar_body(past, cells), EMPTY]
    return rows[:-1] or [line(Span(" none is known", Ink.DIM))]


def similar_lead(past: Similar, unix: float, cells: int) -> list[Line]:
    """Score, cause, and when it was."""
    lasted = f", lasted {duration(past.lasted_s)}" if past.lasted_s is not None else ""
    ago = f"{duration(unix - past.opened_unix)} ago" if past.opened_unix <= unix else "later"
    when = f"{day(past.opened_unix)} {clock(past.opened_unix)}, {ago}{lasted}"
    lead = line(Span(f" {past.score:.2f}  ", Ink.KEY), Span(cause_words(past.cause), Ink.STRONG))
    return [lead, *wrapped_block(f"   {when}", cells, Ink.DIM, 3)]


def similar_body(past: Similar, cells: int) -> list[Line]:
    """What it was, why it matched, and what came of what was done."""
    rows = list(wrapped_block(f"   {past.headline}", cells, Ink.TEXT, 3))
    for why in past.why:
        rows += wrapped_block(f"   alike: {why}", cells, Ink.DIM, 5)
    if past.done:
        rows += wrapped_block(f"   done: {past.done}", cells, Ink.TEXT, 5)
        rows.append((Span("   grade: ", Ink.DIM), grade_span(past.grade)))
    else:
        rows.append(line(Span("   nothing is known to have been done", Ink.DIM)))
    return rows
