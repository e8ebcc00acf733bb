"""Why: each cause with what speaks for and against it and the numbers, what was tried in vain elsewhere, the fix.

The fix stands as a difference, running value against proposed one, as in a review.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.printable import printable
from inferguard_tui.glyphs import bar
from inferguard_tui.line import Ink, Line, Span, left, line
from inferguard_tui.panels.anomalies import evidence_rows
from inferguard_tui.panels.causes import UNCLEAR, cause_words
from inferguard_tui.panels.view import labelled, wrapped_block

if TYPE_CHECKING:
    from inferguard_core.verdict import CauseScore, Condition, Diagnosis, Fix, FlagChange, WrongLever

_NAME_CELLS = 34
_BAR_CELLS = 16
OWN_VALUE = "your current value"


def cause_rows(diagnosis: Diagnosis, cells: int) -> list[Line]:
    """Every cause that was weighed, best first, with all that was weighed."""
    rows: list[Line] = []
    if diagnosis.cause == UNCLEAR:
        rows.append(line(Span(" unclear: no cause reaches 0.50", Ink.STRONG)))
    for cause in diagnosis.ranked:
        rows += _cause(cause, cells)
    for moved in diagnosis.changed_before:
        rows += wrapped_block(f" before it: {moved}", cells, Ink.DIM, 3)
    for measure in diagnosis.measure_next:
        rows += wrapped_block(f" measure next: {measure}", cells, Ink.NOTICE, 3)
    mode = f" mode {diagnosis.failure_mode} · risk {diagnosis.risk_level}"
    advice = diagnosis.actuation_recommendation.replace("_", " ")
    rows += wrapped_block(f"{mode} · {advice}", cells, Ink.DIM, 3)
    return rows


def _cause(cause: CauseScore, cells: int) -> list[Line]:
    name_cells = min(_NAME_CELLS, max(12, cells - _BAR_CELLS - 7))
    rows: list[Line] = [
        line(
            Span(f" {left(cause_words(cause.cause), name_cells)} ", Ink.TITLE),
            Span(bar(cause.confidence, _BAR_CELLS), Ink.SERIES),
            Span(f" {cause.confidence:.2f}", Ink.STRONG),
        )
    ]
    for condition in cause.speaks_for:
        rows += _condition("   ✔ for      ", condition, cells, Ink.OK)
    for condition in cause.speaks_against:
        told = "   × against  " if condition.holds else "   × not so   "
        rows += _condition(told, condition, cells, Ink.NOTICE)
    if cause.unknown:
        unknown = ", ".join(name.replace("_", " ") for name in cause.unknown)
        rows += labelled("   ? unknown  ", unknown, cells, Ink.DIM)
    return rows


def _condition(lead: str, condition: Condition, cells: int, ink: Ink) -> list[Line]:
    rows = list(labelled(lead, condition.text, cells, label_ink=ink))
    return rows + evidence_rows(condition.evidence, cells)


def wrong_lever_rows(lever: WrongLever, cells: int) -> list[Line]:
    """What would not help, and the number that says so."""
    rows = list(wrapped_block(f" {lever.lever}: {lever.because}", cells, Ink.NOTICE, 3))
    return rows + evidence_rows(lever.evidence, cells)


def diff_lines(change: FlagChange) -> tuple[str, str]:
    """What runs and what is proposed, as a difference: `- --flag 256`, `+ --flag 72`."""
    flag = printable(change.flag, 60)
    now = f"({OWN_VALUE})" if change.current is None else printable(change.current, 60)
    since = f"   (since {printable(change.since, 20)})" if change.since else ""
    return (
        f"- {flag} {now}",
        f"+ {flag}{f' {printable(change.proposed, 60)}' if change.proposed else ''}{since}",
    )


def fix_diff_rows(fix: Fix, cells: int) -> list[Line]:
    """Running against proposed, the reason, what it brings and costs, how to see that it helped."""
    rows: list[Line] = []
    for change in fix.changes:
        before, after = diff_lines(change)
        rows += wrapped_block(f" {before}", cells, Ink.DIM, 5)
        rows += wrapped_block(f" {after}", cells, Ink.OK, 5)
    if not fix.changes:
        rows.append(line(Span(" no flag helps", Ink.STRONG)))
    told = [("why", fix.why), ("effect", fix.effect), ("cost", fix.cost), ("check", fix.check)]
    told += [("instead", text) for text in fix.instead] + [("note", text) for text in fix.notes]
    for label, text in told:
        rows += labelled(f" {left(label, 8)}", text, cells) if text else ()
    if fix.command:
        rows.append(line(Span(" as typed", Ink.DIM)))
        rows += [line(Span(f"   {printable(row)}")) for row in fix.command.split("\n")]
    return rows
