"""What an investigation sees coming, as pills beside the advisories: how sure, when, and in how many words fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.printable import printable
from inferguard_tui.formatting import about
from inferguard_tui.glyphs import bar
from inferguard_tui.line import Ink, Line, Span, cut, left, line, width
from inferguard_tui.panels.anomalies import evidence_rows
from inferguard_tui.panels.view import wrapped_block

if TYPE_CHECKING:
    from inferguard_core.followup import BrainAdvisory
    from inferguard_core.frame import EndpointFrame

_NAME_CELLS = 24
_HORIZON_CELLS = 9
_TAGGED_FROM = 100


def expected(endpoint: EndpointFrame) -> tuple[BrainAdvisory, ...]:
    """What the newest investigation expects, soonest first."""
    return () if endpoint.brain is None else endpoint.brain.advisories


def ahead_row(advisory: BrainAdvisory, cells: int) -> Line:
    narrow = cells < _TAGGED_FROM
    start = line(
        Span("  » ", Ink.KEY),
        Span(f"{left(printable(advisory.advisory_type, 40), _NAME_CELLS)} ", Ink.STRONG),
        Span(f"{bar(advisory.confidence, 8 if narrow else 12)} ", Ink.SERIES),
        Span(f"{advisory.confidence:.2f} "),
        *(() if narrow else (Span(" ADVISORY ", Ink.BADGE), Span(" "))),
        Span(left(when(advisory), _HORIZON_CELLS), Ink.KEY),
    )
    return line(*start, Span(f" {cut(advisory.text, max(0, cells - width(start) - 1))}", Ink.DIM))


def when(advisory: BrainAdvisory) -> str:
    """`~66 s`, `now`, or nothing where no time is known."""
    seconds = advisory.horizon_seconds
    return "" if seconds is None else about(seconds)


def ahead_detail(endpoint: EndpointFrame, cells: int) -> list[Line]:
    """Each with all its words, its formula and its numbers."""
    rows: list[Line] = []
    for advisory in expected(endpoint):
        rows += [ahead_row(advisory, cells), *wrapped_block(f"    {advisory.text}", cells, indent=4)]
        said = f"    confidence: {advisory.formula} ({advisory.source})"
        rows += [*wrapped_block(said, cells, Ink.DIM, 6), *evidence_rows(advisory.evidence, cells)]
    return rows
