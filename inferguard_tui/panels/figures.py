"""Panels of plain figures over one window: work done, prefix cache, preemption."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.frame import MeasureId
from inferguard_tui.formatting import amount, percent, rate
from inferguard_tui.glyphs import UNKNOWN
from inferguard_tui.line import EMPTY, Ink, Line, Span, fitted, left, line, right
from inferguard_tui.panels.measures import common_window, figure, measure_rows, raw_rows, shown, spark, value
from inferguard_tui.panels.view import Content, Panel, View

if TYPE_CHECKING:
    from inferguard_core.frame import EndpointFrame, Trend


def _picture(trend: Trend | None, view: View, used: int, top: float | None = None) -> tuple[Line, ...]:
    """A sparkline on the line after `used` lines, where there is room and something to show."""
    if trend is None or view.height <= used:
        return ()
    return (line(*spark(trend, view.width, top)),)


def _per_request(endpoint: EndpointFrame) -> str:
    """Tokens per second that one running request gets; needs both figures and somebody running."""
    decode, running = value(endpoint, MeasureId.GENERATION_RATE), value(endpoint, MeasureId.RUNNING)
    return UNKNOWN if decode is None or not running else f"{decode / running:.1f} tok/s"


def work_content(endpoint: EndpointFrame, view: View) -> Content:
    rows = [
        figure("prompt", shown(endpoint, MeasureId.PROMPT_RATE), view.width),
        figure("decode", shown(endpoint, MeasureId.GENERATION_RATE), view.width),
        figure("finished", shown(endpoint, MeasureId.FINISH_RATE), view.width),
    ]
    trend = endpoint.trends.get(MeasureId.GENERATION_RATE)
    picture = _picture(trend, view, len(rows))
    rows.extend(picture)
    rows.append(figure("per req", _per_request(endpoint), view.width))
    return Content(tuple(rows[: view.height]), common_window(endpoint, MeasureId.GENERATION_RATE))


def work_compact(endpoint: EndpointFrame, view: View) -> Line:
    """The figures of work, prefix cache and preemption, most telling first."""
    parts = (
        ("prompt", amount(value(endpoint, MeasureId.PROMPT_RATE)), 7),
        ("decode", amount(value(endpoint, MeasureId.GENERATION_RATE)), 7),
        ("tok/s  hit", percent(value(endpoint, MeasureId.PREFIX_HIT_RATE), 0), 5),
        ("preempt", rate(value(endpoint, MeasureId.PREEMPTION_RATE)), 8),
    )
    spans = [Span(left("Work", 9), Ink.TITLE)]
    for label, text, cells in parts:
        spans += [Span(f"{label} ", Ink.DIM), Span(right(text, cells), Ink.STRONG), Span(" ")]
    return fitted(line(*spans[:-1]), view.width)


def prefix_content(endpoint: EndpointFrame, view: View) -> Content:
    measure = endpoint.measures.get(MeasureId.PREFIX_HIT_RATE)
    rows = [
        figure("hit rate", shown(endpoint, MeasureId.PREFIX_HIT_RATE), view.width),
        figure("computed", shown(endpoint, MeasureId.PROMPT_COMPUTED_RATE), view.width),
    ]
    rows.extend(_picture(endpoint.trends.get(MeasureId.PREFIX_HIT_RATE), view, len(rows), 1.0))
    if measure is not None and measure.value is None:
        rows.append(line(Span(measure.why_unknown, Ink.DIM)))
    if value(endpoint, MeasureId.SPEC_ACCEPTANCE) is not None:
        rows.append(figure("drafts", shown(endpoint, MeasureId.SPEC_ACCEPTANCE), view.width))
    return Content(tuple(rows[: view.height]), common_window(endpoint, MeasureId.PREFIX_HIT_RATE))


def preemption_content(endpoint: EndpointFrame, view: View) -> Content:
    preempted = value(endpoint, MeasureId.PREEMPTION_RATE)
    finished = value(endpoint, MeasureId.FINISH_RATE)
    ink = Ink.LIMIT if preempted else Ink.STRONG
    share = UNKNOWN if preempted is None or not finished else percent(preempted / finished, 0)
    rows = [
        figure("rate", rate(preempted), view.width, ink=ink),
        figure("of done", share, view.width),
    ]
    rows.extend(_picture(endpoint.trends.get(MeasureId.PREEMPTION_RATE), view, len(rows)))
    if (swapped := value(endpoint, MeasureId.SWAPPED)) is not None:
        rows.append(figure("swapped", f"{swapped:.0f}", view.width))
    return Content(tuple(rows[: view.height]), common_window(endpoint, MeasureId.PREEMPTION_RATE))


def work_detail(endpoint: EndpointFrame, view: View) -> tuple[Line, ...]:
    measures = (
        MeasureId.PROMPT_RATE,
        MeasureId.PROMPT_COMPUTED_RATE,
        MeasureId.GENERATION_RATE,
        MeasureId.FINISH_RATE,
        MeasureId.ARRIVAL_RATE,
    )
    words = ("prompt_tokens", "generation", "finished", "engine_steps")
    return (*measure_rows(endpoint, measures, view), EMPTY, *raw_rows(endpoint, words, view))


def prefix_detail(endpoint: EndpointFrame, view: View) -> tuple[Line, ...]:
    measures = (MeasureId.PREFIX_HIT_RATE, MeasureId.PROMPT_COMPUTED_RATE, MeasureId.SPEC_ACCEPTANCE)
    words = ("prefix", "evict", "computed", "spec")
    return (*measure_rows(endpoint, measures, view), EMPTY, *raw_rows(endpoint, words, view))


def preemption_detail(endpoint: EndpointFrame, view: View) -> tuple[Line, ...]:
    measures = (MeasureId.PREEMPTION_RATE, MeasureId.SWAPPED, MeasureId.FINISH_RATE)
    return (*measure_rows(endpoint, measures, view), EMPTY, *raw_rows(endpoint, ("preempt", "swap"), view))


WORK = Panel("work", "Work", work_content, work_compact, work_detail)
PREFIX = Panel("prefix", "Prefix", prefix_content, detail=prefix_detail)
PREEMPTION = Panel("preemption", "Preemption", preemption_content, detail=preemption_detail)
