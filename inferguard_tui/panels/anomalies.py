"""What is out of line, worst first, and which rules cannot see. An empty list says that it is empty, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from inferguard_core.frame import AnomalyState
from inferguard_tui.formatting import clock, quantity
from inferguard_tui.glyphs import INK, SHAPE, WORD
from inferguard_tui.line import (
    EMPTY,
    Ink,
    Line,
    Span,
    clauses,
    left,
    line,
    right,
    spread,
    text_of,
    width,
    wrapped,
)
from inferguard_tui.panels.measures import since
from inferguard_tui.panels.view import Content, Panel, View, listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_core.frame import Anomaly, EndpointFrame
    from inferguard_core.verdict import Evidence

_AGE_CELLS = 9


def _lead(anomaly: Anomaly, kind_cells: int) -> Line:
    ink = INK[anomaly.severity]
    return (
        Span(f"{SHAPE[anomaly.severity]} ", ink),
        Span(left(WORD[anomaly.severity], 5), ink),
        Span(f"{left(anomaly.kind, kind_cells)} ", Ink.STRONG),
    )


def _state(anomaly: Anomaly) -> str:
    state = " (recovering)" if anomaly.state is AnomalyState.RECOVERING else ""
    return state + (" (flapping)" if anomaly.flapping else "")


def anomaly_rows(anomaly: Anomaly, endpoint: EndpointFrame, cells: int, kind_cells: int) -> list[Line]:
    """One anomaly; its summary goes on in further lines where one is too short."""
    lead = _lead(anomaly, kind_cells)
    age = line(Span(right(since(endpoint, anomaly.onset_unix), _AGE_CELLS), Ink.DIM))
    room = max(12, cells - width(lead) - _AGE_CELLS - 1)
    first, *more = wrapped(anomaly.summary + _state(anomaly), room) or [""]
    rows = [spread((*lead, Span(first)), age, cells)]
    return rows + [line(Span(" " * width(lead)), Span(text)) for text in more]


def _shortened(anomaly: Anomaly, endpoint: EndpointFrame, cells: int, kind_cells: int) -> Line:
    """One anomaly in one line: its state, and the leading clauses of its summary in what room that leaves.

    What recovers must not read as what is out of line now.
    """
    lead = _lead(anomaly, kind_cells)
    age = line(Span(right(since(endpoint, anomaly.onset_unix), _AGE_CELLS), Ink.DIM))
    room = cells - width(lead) - _AGE_CELLS - 1
    state = _state(anomaly)
    told = clauses(anomaly.summary, room - cell_len(state))
    if told.endswith("…"):
        told = ""
    return spread((*lead, Span((told + state).lstrip() or clauses(anomaly.summary, room))), age, cells)


def _rows(endpoint: EndpointFrame, view: View) -> list[Line]:
    """Each in one line at least; rows to spare go to those at the top whose summary needs more than one.

    The column of kinds is as wide as those in sight need; there is none where it would cut a summary short.
    """
    found = endpoint.anomalies
    kinds = _kind_cells(found[: view.height])
    short = [_shortened(a, endpoint, view.width, kinds) for a in found]
    if any("…" in text_of(row) for row in short[: view.height]):
        return [_shortened(a, endpoint, view.width, len(a.kind)) for a in found]
    rows: list[Line] = []
    spare = view.height - len(found)
    for anomaly, one in zip(found, short, strict=True):
        whole = anomaly_rows(anomaly, endpoint, view.width, kinds)
        fits = len(whole) - 1 <= spare
        rows += whole if fits else [one]
        spare -= len(whole) - 1 if fits else 0
    return rows


def _kind_cells(anomalies: Sequence[Anomaly]) -> int:
    return min(22, max((len(anomaly.kind) for anomaly in anomalies), default=0))


def anomalies_content(endpoint: EndpointFrame, view: View) -> Content:
    blind = f"{len(endpoint.blind)} blind" if endpoint.blind else ""
    if not endpoint.anomalies:
        quiet = "none" if endpoint.polls else "waiting for the first poll"
        rows = [line(Span(quiet, Ink.DIM))]
        if endpoint.blind:
            rules = ", ".join(item.rule for item in endpoint.blind)
            rows += [
                line(Span(row, Ink.DIM))
                for row in wrapped(f"blind, for want of input: {rules}", view.width, 2)
            ]
        return Content(tuple(rows[: view.height]), blind)
    rows = _rows(endpoint, view)
    firing = sum(a.state is AnomalyState.FIRING for a in endpoint.anomalies)
    note = " · ".join(part for part in (f"{firing} firing", blind) if part)
    return Content(listing(rows, view.height, "anomalies"), note)


def evidence_rows(evidence: Sequence[Evidence], cells: int) -> list[Line]:
    """One line a number: value, limit, baseline, window, source."""
    rows = []
    for item in evidence:
        parts = [f"{item.signal} {quantity(item.value, item.unit)}"]
        if item.threshold is not None:
            parts.append(f"limit {quantity(item.threshold, item.unit)}")
        if item.baseline is not None:
            parts.append(f"baseline {quantity(item.baseline, item.unit)}")
        if item.window_s is not None:
            parts.append(f"{item.window_s:.0f} s" + (f", n {item.n}" if item.n is not None else ""))
        if item.source:
            parts.append(f"from {item.source}")
        rows += [line(Span(row, Ink.DIM)) for row in wrapped("       " + " · ".join(parts), cells, 9)]
    return rows


def anomalies_detail(endpoint: EndpointFrame, view: View) -> tuple[Line, ...]:
    """Each anomaly with its evidence, then the rules that cannot see."""
    rows: list[Line] = (
        [] if endpoint.anomalies or not endpoint.blind else [line(Span("none", Ink.DIM)), EMPTY]
    )
    for anomaly in endpoint.anomalies:
        rows += anomaly_rows(anomaly, endpoint, view.width, _kind_cells(endpoint.anomalies))
        times = f"       onset {clock(anomaly.onset_unix)} · fired {clock(anomaly.since_unix)}"
        rows.append(line(Span(times, Ink.DIM)))
        rows += [*evidence_rows(anomaly.evidence, view.width), EMPTY]
    if endpoint.blind:
        rows.append(line(Span("Rules without their input: neither firing nor fine", Ink.TITLE)))
        for item in endpoint.blind:
            words = f"  {item.rule}: {item.missing} is not exported" + (
                f"; {item.remedy}" if item.remedy else ""
            )
            rows += [line(Span(row)) for row in wrapped(words, view.width, 4)]
    return tuple(rows)


ANOMALIES = Panel(
    "anomalies", "Anomalies", anomalies_content, detail=anomalies_detail, repeated=True, measured=False
)
