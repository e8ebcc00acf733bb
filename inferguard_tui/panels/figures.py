"""Panels of plain figures over one window: work done, prefix cache, preemption."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.frame import MeasureId
from inferguard_tui.formatting import amount, percent, rate
from inferguard_tui.glyphs import UNKNOWN
from inferguard_tui.line import EMPTY, Ink, Line, Span, fitted, left, line, right, width
from inferguard_tui.panels.measures import common_window, figure, measure_rows, raw_rows, shown, spark, value
from inferguard_tui.panels.view import Content, Panel, View, wrapped_block

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
    """The figures of work, prefix cache and preemption, most telling first; the last go whole where room ends."""
    parts = (
        ("prompt", amount(value(endpoint, MeasureId.PROMPT_RATE)), 7),
        ("decode", amount(value(endpoint, MeasureId.GENERATION_RATE)), 7),
        ("tok/s  hit", percent(value(endpoint, MeasureId.PREFIX_HIT_RATE), 0), 5),
        ("preempt", rate(value(endpoint, MeasureId.PREEMPTION_RATE)), 8),
    )
    row = line(Span(left("Work", 8), Ink.TITLE))
    for label, text, cells in parts:
        longer = (*row, Span(f" {label} ", Ink.DIM), Span(right(text, cells), Ink.STRONG))
        if width(longer) > view.width:
            break
        row = longer
    return fitted(row, view.width)


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


def _estimate(text: str) -> str:
    return text if text == UNKNOWN else f"{text} est."


def recomputed_share(endpoint: EndpointFrame) -> float | None:
    """Estimate: of all prompt work, what is done again after a preemption; recomputed ÷ (recomputed + computed).

    The engine counts a prompt once, so that what it computes again is not in its own figure.
    """
    again, first = (value(endpoint, m) for m in (MeasureId.RECOMPUTE_RATE, MeasureId.PROMPT_COMPUTED_RATE))
    if again is None or first is None or again + first <= 0:
        return None
    return again / (again + first)


def preemption_content(endpoint: EndpointFrame, view: View) -> Content:
    """How often, and what it costs; the cost is an estimate and says so."""
    preempted = value(endpoint, MeasureId.PREEMPTION_RATE)
    finished = value(endpoint, MeasureId.FINISH_RATE)
    ink = Ink.LIMIT if preempted else Ink.STRONG
    share = UNKNOWN if preempted is None or not finished else percent(preempted / finished, 0)
    again = value(endpoint, MeasureId.RECOMPUTE_RATE)
    redone = UNKNOWN if again is None else f"{amount(again)}/s"
    rows = [
        figure("rate", rate(preempted), view.width, ink=ink),
        figure("redo tok", _estimate(redone), view.width, ink=ink),
        figure("prefill", _estimate(percent(recomputed_share(endpoint), 0)), view.width),
        figure("of done", share, view.width),
    ]
    # With few rows the picture comes before the shares; the rate and its cost stay.
    above = len(rows) if view.height > len(rows) else 2
    rows[above:above] = _picture(endpoint.trends.get(MeasureId.PREEMPTION_RATE), view, above)
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
    measures = (
        MeasureId.PREEMPTION_RATE,
        MeasureId.RECOMPUTE_RATE,
        MeasureId.PROMPT_COMPUTED_RATE,
        MeasureId.SWAPPED,
        MeasureId.FINISH_RATE,
    )
    told = (
        "redo tok: estimate of tokens computed again, preemptions times the KV tokens that a running request holds",
        "prefill: estimate of the share of prompt work that this is, recomputed ÷ (recomputed + computed)",
        "of done: preemptions per finished request",
    )
    meaning = [row for text in told for row in wrapped_block(text, view.width, Ink.DIM)]
    words = ("preempt", "retract", "swap", "kv_usage", "kv_capacity", "running")
    return (*measure_rows(endpoint, measures, view), *meaning, EMPTY, *raw_rows(endpoint, words, view))


WORK = Panel("work", "Work", work_content, work_compact, work_detail)
PREFIX = Panel("prefix", "Prefix", prefix_content, detail=prefix_detail)
PREEMPTION = Panel("preemption", "Preemption", preemption_content, detail=preemption_detail)
