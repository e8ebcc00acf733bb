"""What an investigation concluded: in words, what it expects, how it got there, and what of it nothing supports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.counted import counted
from inferguard_core.printable import printable
from inferguard_tui.formatting import about, clock, duration
from inferguard_tui.glyphs import bar
from inferguard_tui.incident.reasons import cause_rows
from inferguard_tui.line import EMPTY, Ink, Line, Span, line
from inferguard_tui.panels.anomalies import evidence_rows
from inferguard_tui.panels.view import View, labelled, title_rule, wrapped_block

if TYPE_CHECKING:
    from inferguard_core.followup import BrainAdvisory, BrainResult
    from inferguard_core.frame import EndpointFrame


def thinking_lines(endpoint: EndpointFrame | None, asked: str, unix: float, cells: int) -> tuple[Line, ...]:
    """`asked` is what became of asking, in words; the newest result stands below it, however old."""
    name = printable(endpoint.name) if endpoint is not None else ""
    result = endpoint.brain if endpoint is not None else None
    when = f"{clock(result.unix)}, {duration(unix - result.unix)} ago · {result.source}" if result else ""
    rows: list[Line] = [title_rule(f"Investigation of {name}", when, View(cells, 1))]
    rows += wrapped_block(f" {asked}", cells, Ink.STRONG, 1) if asked else ()
    if result is None:
        return (
            *rows,
            *wrapped_block(
                " nothing has been concluded yet; the rules go on by themselves", cells, Ink.DIM, 1
            ),
        )
    if result.error:
        rows += labelled(" no deeper: ", result.error, cells, Ink.WARNING)
    return (*rows, *_result(result, cells))


def _result(result: BrainResult, cells: int) -> list[Line]:
    rows: list[Line] = []
    if not (result.narrative or result.advisories or result.diagnosis):
        rows += [
            EMPTY,
            *wrapped_block(" Nothing is expected beyond what the rules say now.", cells, Ink.STRONG, 1),
        ]
    for paragraph in result.narrative:
        rows += [EMPTY, *wrapped_block(f" {paragraph}", cells, indent=1)]
    if result.unverified:
        rows += _titled("Struck out: no evidence supports it", f"{len(result.unverified)}", cells)
        for claim in result.unverified:
            rows += labelled("  × ", claim, cells, Ink.STALE, Ink.WARNING)
    if result.advisories:
        rows += _titled("Expected", "advice only", cells)
        for advisory in result.advisories:
            rows += _advisory(advisory, cells)
    if result.diagnosis is not None:
        rows += _titled("Diagnosis, refined", result.diagnosis.source, cells)
        rows += cause_rows(result.diagnosis, cells)
    return rows + _way(result, cells)


def _way(result: BrainResult, cells: int) -> list[Line]:
    """The steps, and every line that left for a model."""
    rows: list[Line] = []
    if result.trace:
        rows += _titled("How it got there", str(len(result.trace)), cells)
        for number, step in enumerate(result.trace, 1):
            rows += labelled(f" {number:>3} ", step, cells, Ink.DIM)
    if result.sent:
        rows += _titled("What was sent to the model", counted(len(result.sent), "line"), cells)
        for sent in result.sent:
            rows += wrapped_block(f" {sent}", cells, Ink.DIM, 1)
    return rows


def _titled(title: str, note: str, cells: int) -> list[Line]:
    return [EMPTY, title_rule(title, note, View(cells, 1))]


def _advisory(advisory: BrainAdvisory, cells: int) -> list[Line]:
    seconds = advisory.horizon_seconds
    when = "" if seconds is None else about(seconds)
    rows: list[Line] = [
        line(
            Span(f" {printable(advisory.advisory_type, 40).replace('_', ' ')} ", Ink.STRONG),
            Span(f"{bar(advisory.confidence, 12)} ", Ink.SERIES),
            Span(f"{advisory.confidence:.2f}  "),
            Span(when, Ink.KEY),
        )
    ]
    rows += labelled("   ", advisory.text, cells)
    rows += labelled("   confidence: ", f"{advisory.formula} ({advisory.source})", cells, Ink.DIM)
    return rows + evidence_rows(advisory.evidence, cells)
