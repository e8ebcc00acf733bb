"""Time to first token and between tokens, as quantiles over a window. Never a lifetime average."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.frame import MeasureId, Severity
from inferguard_tui.formatting import amount, percent, seconds, window
from inferguard_tui.glyphs import SHAPE, UNKNOWN
from inferguard_tui.line import EMPTY, Ink, Line, Span, left, line, right, width
from inferguard_tui.panels.measures import measure_rows, raw_rows, shown, spark, value
from inferguard_tui.panels.view import Content, Panel, View, note_room

if TYPE_CHECKING:
    from inferguard_core.frame import EndpointFrame

_ROWS = (
    ("TTFT", MeasureId.TTFT_P50, MeasureId.TTFT_P95),
    ("ITL", MeasureId.ITL_P50, MeasureId.ITL_P95),
)
_MEDIANS = (MeasureId.TTFT_P50, MeasureId.ITL_P50)
_QUANTILE_CELLS = 8
_N_CELLS = 9
"""The longest count, `n 18.2 k`, and a gap."""
_SHARE_CELLS = 14
"""The longest share over the goal, `≥ 9.9% over ▲`, and a gap: what follows it stays where it is."""
_MISSED = 0.05
"""From this share on p95 is over the goal."""


def _goal(endpoint: EndpointFrame) -> str:
    goal = endpoint.thresholds.get("ttft")
    return "" if goal is None else f"goal {seconds(goal)}"


def _ink(endpoint: EndpointFrame, measure: MeasureId) -> Ink:
    goal = endpoint.thresholds.get("ttft")
    over = measure in (MeasureId.TTFT_P50, MeasureId.TTFT_P95) and goal is not None
    return Ink.LIMIT if over and (value(endpoint, measure) or 0.0) > (goal or 0.0) else Ink.STRONG


def latency_compact(endpoint: EndpointFrame, view: View) -> Line:
    """Each p95 with the n it rests on, and how many requests missed the goal.

    As the width shrinks the median of ITL goes, then that of TTFT, the window, the share over the goal, then ITL.
    """
    found = endpoint.measures.get(MeasureId.TTFT_P95)
    spanned = "" if found is None or found.window_s is None else f"{found.window_s:.0f} s"
    forms = (
        (_figures(endpoint, medians=medians, share=share), note)
        for medians, share, note in (
            (_MEDIANS, True, spanned),
            (_MEDIANS[:1], True, spanned),
            ((), True, spanned),
            ((), True, ""),
            ((), False, spanned),
            ((), False, ""),
        )
    )
    least = (_figures(endpoint, rows=_ROWS[:1]), "")
    parts, note = next((f for f in forms if width(f[0]) + len(f[1]) <= view.width), least)
    return line(*parts, Span(note, Ink.DIM))


def _figures(
    endpoint: EndpointFrame,
    *,
    rows: tuple[tuple[str, MeasureId, MeasureId], ...] = _ROWS,
    medians: tuple[MeasureId, ...] = (),
    share: bool = False,
) -> Line:
    parts: list[Span] = [Span(left("Latency", 9), Ink.TITLE)]
    for name, p50, p95 in rows:
        parts.append(Span(f"{name} ", Ink.DIM))
        for word, measure in (("p50", p50), ("p95", p95)):
            if measure == p95 or measure in medians:
                parts += [
                    Span(f"{word} ", Ink.DIM),
                    Span(right(shown(endpoint, measure), _QUANTILE_CELLS), _ink(endpoint, measure)),
                    Span(" "),
                ]
        parts.append(Span(left(_n(endpoint, p95), _N_CELLS), Ink.DIM))
        if share and name == "TTFT" and "ttft" in endpoint.thresholds:
            over = _over(endpoint)
            parts.append(Span(left(over.text, _SHARE_CELLS), over.ink))
    return tuple(parts)


def _n(endpoint: EndpointFrame, measure: MeasureId) -> str:
    found = endpoint.measures.get(measure)
    return f"n {amount(found.n)}" if found is not None and found.n is not None else ""


def latency_content(endpoint: EndpointFrame, view: View) -> Content:
    rows: list[Line] = []
    roomy = view.height >= 4
    for name, p50, p95 in _ROWS:
        rows.append(
            line(
                Span(left(name, 5), Ink.TEXT),
                Span("p50 ", Ink.DIM),
                Span(right(shown(endpoint, p50), 8), _ink(endpoint, p50)),
                Span("  p95 ", Ink.DIM),
                Span(right(shown(endpoint, p95), 8), _ink(endpoint, p95)),
            )
        )
        if roomy:
            rows.append(_p95_trend(endpoint, p95, view.width))
    rows.append(_against_goal(endpoint, view.width))
    return Content(tuple(rows[: view.height]), _counted(endpoint, view.width))


def _against_goal(endpoint: EndpointFrame, cells: int) -> Line:
    """The goal, the share of requests over it, and the worst hundredth, as far as there is room."""
    parts = [part for part in (Span(_goal(endpoint), Ink.DIM), _over(endpoint)) if part.text]
    start = line(*(span for part in parts for span in (Span(" · ", Ink.DIM), part)))[1:]
    p99 = value(endpoint, MeasureId.TTFT_P99)
    gap = " · " if start else ""
    forms = (f"{gap}{name} {seconds(p99)}" for name in ("TTFT p99", "p99")) if p99 is not None else ()
    fits = next((form for form in forms if width(start) + len(form) <= cells), "")
    return line(*start, Span(fits, Ink.DIM))


def _over(endpoint: EndpointFrame) -> Span:
    """`78% over ▲`: how many requests missed the goal, with a mark where more than one in twenty did."""
    found = endpoint.measures.get(MeasureId.TTFT_OVER_GOAL)
    if found is None or found.value is None or "ttft" not in endpoint.thresholds:
        return Span("")
    share, why = found.value, found.why_unknown
    bound = "" if not why else "≤ " if why.startswith("at most") else "≥ "
    told = percent(share, 1 if 0.0 < share < 0.1 else 0)
    missed = share > _MISSED
    mark = f" {SHAPE[Severity.CRITICAL]}" if missed else ""
    return Span(f"{bound}{told} over{mark}", Ink.LIMIT if missed else Ink.DIM)


def _counted(endpoint: EndpointFrame, cells: int) -> str:
    """Window and sample counts in the order of the rows: of first tokens, and of those that came after one."""
    note = window(endpoint.measures.get(MeasureId.TTFT_P95))
    later = endpoint.measures.get(MeasureId.ITL_P95)
    if not note or later is None or later.n is None:
        return note
    tokens = amount(later.n)
    forms = (
        *(f"{note}{named} {tokens}" for named in (", ITL n", ", ITL", ",")),
        f"{note.replace(', ', ' ')}, {tokens}",
    )
    return next((form for form in forms if len(form) <= note_room("Latency", cells)), note)


def _p95_trend(endpoint: EndpointFrame, p95: MeasureId, cells: int) -> Line:
    trend = endpoint.trends.get(p95)
    return line(Span(left("", 5)), *spark(trend, cells - 5, form=_axis)) if trend is not None else EMPTY


def _axis(top: float | None) -> str:
    """A round axis end: `20 s`, `200 ms`."""
    if top is None:
        return UNKNOWN
    return f"{top:g} s" if top >= 1 else f"{top * 1000:g} ms"


def latency_detail(endpoint: EndpointFrame, view: View) -> tuple[Line, ...]:
    measures = (
        MeasureId.TTFT_P50,
        MeasureId.TTFT_P95,
        MeasureId.TTFT_P99,
        MeasureId.TTFT_OVER_GOAL,
        MeasureId.ITL_P50,
        MeasureId.ITL_P95,
    )
    return (*measure_rows(endpoint, measures, view), EMPTY, *raw_rows(endpoint, ("ttft", "itl", "e2e"), view))


LATENCY = Panel("latency", "Latency", latency_content, latency_compact, latency_detail)
