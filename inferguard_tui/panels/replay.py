"""The line of a replay: playing or not, how fast, where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.frame import Severity
from inferguard_tui.glyphs import SHAPE
from inferguard_tui.line import Ink, Line, Span, fitted, line, right

if TYPE_CHECKING:
    from inferguard_core.frame import ReplayPosition


def position(at_s: float) -> str:
    """`02:31`, or `1:02:31` from an hour on."""
    whole = max(0, int(at_s))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes:02d}:{whole % 60:02d}"


def replay_line(replay: ReplayPosition, cells: int) -> Line:
    state = "ended" if replay.ended else "paused" if replay.paused else "playing"
    speed = right(f"{replay.speed:g}×", 6)
    length = position(replay.length_s)
    start = line(
        Span(f" {state:<7}", Ink.STRONG),
        Span(f"{speed}  ", Ink.DIM),
        Span(right(position(replay.at_s), len(length))),
    )
    if replay.note:
        start = (*start, Span(f"  {replay.note}", Ink.NOTICE))
    end = f" of {length} "
    room = cells - sum(len(span.text) for span in start) - len(end) - 1
    if room < 8:
        return fitted(line(*start, Span(end, Ink.DIM)), cells)
    return fitted(line(*start, Span(" "), *_track(replay, room), Span(end, Ink.DIM)), cells)


def _track(replay: ReplayPosition, room: int) -> Line:
    """What was played, where it stands, what is to come; where incidents opened is marked."""

    def cell(at_s: float) -> int:
        share = at_s / replay.length_s if replay.length_s > 0 else 1.0
        return min(max(round(share * (room - 1)), 0), room - 1)

    stands = cell(replay.at_s)
    marked = {cell(mark) for mark in replay.marks}
    spans: list[Span] = []
    for at in range(room):
        if at == stands:
            span = Span("●", Ink.KEY)
        elif at in marked:
            span = Span(SHAPE[Severity.CRITICAL], Ink.CRITICAL)
        else:
            span = Span("─", Ink.SERIES if at < stands else Ink.RULE)
        if spans and spans[-1].ink is span.ink:
            spans[-1] = Span(spans[-1].text + span.text, span.ink)
        else:
            spans.append(span)
    return tuple(spans)
