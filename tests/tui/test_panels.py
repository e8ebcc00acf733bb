"""What panels say, from a frame and a view, without a terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inferguard_core.followup import Outcome
from inferguard_core.frame import Measure, MeasureId, Status
from inferguard_tui.chart import load
from inferguard_tui.glyphs import STROKE
from inferguard_tui.line import Ink, Span, text_of, width
from inferguard_tui.panels.catalogue import PANELS
from inferguard_tui.panels.figures import PREEMPTION
from inferguard_tui.panels.kv import KV
from inferguard_tui.panels.latency import LATENCY
from inferguard_tui.panels.queue import QUEUE, queue_content
from inferguard_tui.panels.status import STATUS
from inferguard_tui.panels.view import Panel, View, panel_lines
from tests.tui import conclusions, figures, followups, frames

WIDE = View(100, 12)
ENDPOINTS = {
    "healthy": frames.endpoint(),
    "critical": frames.critical(),
    "filling": frames.filling(),
    "dead": frames.dead(),
    "waiting": frames.waiting(),
}


def text(panel: Panel, endpoint: object, view: View = WIDE) -> str:
    return "\n".join(text_of(row) for row in panel_lines(panel, endpoint, view))


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.id)
@pytest.mark.parametrize("state", ENDPOINTS)
@pytest.mark.parametrize(("cells", "rows"), [(78, 1), (20, 4), (27, 6), (59, 8), (120, 20)])
def test_a_panel_keeps_to_its_room(panel: Panel, state: str, cells: int, rows: int) -> None:
    drawn = panel_lines(panel, ENDPOINTS[state], View(cells, rows))
    assert len(drawn) <= rows
    if panel.compact is not None or rows > 1:
        assert max((width(row) for row in drawn), default=0) <= cells


def test_one_line_of_the_queue_says_why_it_waits_and_how_it_goes_where_nobody_does() -> None:
    assert "cap 38 def 0" in text(QUEUE, ENDPOINTS["critical"], View(80, 1))
    assert "cap" not in text(QUEUE, ENDPOINTS["healthy"], View(80, 1))
    assert "steady" in text(QUEUE, ENDPOINTS["healthy"], View(80, 1))


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.id)
def test_a_panel_without_a_frame_waits_for_one(panel: Panel) -> None:
    assert "no frame yet" in text(panel, None)


@pytest.mark.parametrize("panel", [p for p in PANELS if p.measured], ids=lambda panel: panel.id)
def test_nothing_unknown_reads_as_zero(panel: Panel) -> None:
    body = text(panel, frames.waiting()).partition("\n")[2]
    assert "0%" not in body.replace("100 ", "")
    assert "—" in text(panel, frames.waiting())


@pytest.mark.parametrize("panel", [p for p in PANELS if p.measured], ids=lambda panel: panel.id)
@pytest.mark.parametrize("status", [Status.NO_DATA, Status.STALE])
def test_old_values_are_dimmed_and_carry_their_time(panel: Panel, status: Status) -> None:
    title, *body = panel_lines(panel, frames.dead(status=status), WIDE)
    assert "last 22:12:32" in text_of(title)
    assert {span.ink for row in body for span in row} == {Ink.STALE}


def test_a_dead_endpoint_in_one_line_carries_the_time_too() -> None:
    (row,) = panel_lines(KV, frames.dead(), View(78, 1))
    assert text_of(row).endswith("last 22:12:32")


def test_a_narrow_title_says_old_in_fewer_words() -> None:
    assert "22:12:32" in text_of(panel_lines(PREEMPTION, frames.dead(), View(25, 4))[0])
    assert " old " in text_of(panel_lines(PREEMPTION, frames.dead(), View(20, 4))[0])


def test_the_kv_chart_has_a_fixed_axis_and_its_limit() -> None:
    drawn = text(KV, frames.endpoint())
    assert "52.0% of 3.1 M tok" in drawn
    assert "100 ┤" in drawn
    assert "  0 ┤" in drawn
    assert "5 min · limit 85%" in drawn


def test_a_forecast_stands_under_the_chart_with_its_range_and_its_word() -> None:
    assert "full in ≈ 40 s (25–70 s), possible" in text(KV, frames.filling())
    assert "full in ≈ 40 s, possible" in text(KV, frames.filling(), View(36, 6))
    assert "full in" not in text(KV, frames.endpoint())


def test_a_forecast_takes_the_place_of_the_limit_in_one_line() -> None:
    with_one, without = text(KV, frames.filling(), View(80, 1)), text(KV, frames.endpoint(), View(80, 1))
    assert "full in ≈ 40 s, possible" in with_one
    assert "limit 85%" in without


def test_a_forecast_beyond_its_promise_gives_no_time() -> None:
    far = replace(conclusions.forecast(), seconds=None, low_s=None, high_s=None)
    drawn = text(KV, frames.filling(forecast=far))
    assert "rising 21.0% a minute, full too far off to say" in drawn  # 0.0035 a second
    assert "full in" not in drawn


def test_status_counts_the_baselines_that_are_still_learnt() -> None:
    assert "2 baselines, decode 29/60" in text(STATUS, frames.filling())
    assert "2 learning" in text(STATUS, frames.filling(), View(100, 1))
    assert STATUS.detail is not None
    drawn = "\n".join(text_of(row) for row in STATUS.detail(frames.filling(), WIDE))
    assert "ttft p95                  learning 40/60" in drawn
    assert "learning" not in text(STATUS, frames.endpoint())


def test_a_bound_beyond_the_last_bucket_is_never_cut() -> None:
    beyond = figures.measures() | {
        MeasureId.TTFT_P95: Measure(2560.0, "seconds", 60.0, 40, why_unknown="beyond")
    }
    assert "≥ 2560 s" in text(LATENCY, frames.endpoint(measures=beyond), View(31, 4))


def test_the_chart_draws_the_threshold_across() -> None:
    view = replace(WIDE, raster=load())
    assert view.raster is not None
    assert "─────" in "\n".join(text_of(row) for row in panel_lines(KV, frames.endpoint(), view)[1:])


def test_the_chart_leaves_a_gap_where_there_was_no_data() -> None:
    gap = figures.trend(lambda i: None if 100 <= i < 200 else 0.5)
    view = View(106, 12, raster=load())
    endpoint = frames.endpoint(trends={MeasureId.KV_USAGE: gap}, thresholds={})
    rows = [text_of(row)[5:] for row in panel_lines(KV, endpoint, view)[1:-1]]
    drawn = [any(row[x : x + 1].strip() for row in rows) for x in range(100)]
    assert any(drawn[:30])
    assert not any(drawn[38:62])
    assert any(drawn[70:])


def test_the_chart_is_drawn_anew_only_when_what_it_shows_changes() -> None:
    raster = load()
    assert raster is not None
    first = raster.rows([0.1, 0.2, 0.3], 4, 0.85, ascii_only=False)
    assert raster.rows([0.1, 0.2, 0.3], 4, 0.85, ascii_only=False) is first
    assert raster.rows([0.1, 0.2, 0.9], 4, 0.85, ascii_only=False) != first


def test_an_ascii_chart_is_ascii_but_for_its_threshold() -> None:
    raster = load()
    assert raster is not None
    assert set("".join(raster.rows([0.1, 0.9], 4, 0.85, ascii_only=True))) <= set(" *─")


def test_the_queue_says_how_long_and_why() -> None:
    drawn = text(QUEUE, frames.critical())
    assert "38 waiting · 58 running" in drawn
    assert "wait ≈ 6.13 s" in drawn
    assert "why: capacity 38 · deferred 0" in drawn
    assert "0-50" in drawn


def test_a_queue_whose_reason_is_not_exported_says_so() -> None:
    known = {k: v for k, v in figures.measures().items() if not k.startswith("waiting_")}
    assert "why —" in text(QUEUE, frames.endpoint(measures=known))


def test_status_names_the_failure() -> None:
    drawn = text(STATUS, frames.dead())
    assert "12 failed in a row" in drawn
    assert "refused the connection" in drawn
    assert "48 s old" in drawn


def test_a_zoomed_panel_gives_the_reason_of_an_unknown() -> None:
    assert LATENCY.detail is not None
    drawn = "\n".join(text_of(row) for row in LATENCY.detail(frames.endpoint(), WIDE))
    assert "n 72, needs 100" in drawn


def test_a_zoomed_panel_shows_the_exposed_names() -> None:
    assert KV.detail is not None
    drawn = "\n".join(text_of(row) for row in KV.detail(frames.endpoint(), WIDE))
    assert "from vllm:kv_cache_usage_perc" in drawn
    assert drawn.splitlines()[-1].split() == ["vllm:kv_cache_usage_perc", "0.52"]


def test_markup_in_foreign_text_is_shown_as_it_is() -> None:
    endpoint = frames.endpoint(models=("[red]m[/] [@click=app.quit]x[/]",))
    assert "[red]m[/] [@click=app.quit]x[/]" in text(STATUS, endpoint)


def test_a_missing_measure_is_unknown_not_a_crash() -> None:
    endpoint = frames.endpoint(measures={MeasureId.KV_USAGE: Measure(None, "ratio")}, trends={})
    assert all(panel_lines(panel, endpoint, WIDE) for panel in PANELS)


@pytest.mark.parametrize("height", range(1, 9))
@pytest.mark.parametrize("cells", [1, 2, 3, 30])
def test_a_chart_fills_exactly_its_room(height: int, cells: int) -> None:
    raster = load()
    assert raster is not None
    for values in ([None] * cells, [0.5] * cells, [None] * (cells - 1) + [1.0]):
        drawn = raster.rows(values, height, 0.85, ascii_only=False)
        assert [len(row) for row in drawn] == [cells] * height


@pytest.mark.parametrize("rows", [1, 8])
@pytest.mark.parametrize(("panel", "measure"), [(KV, MeasureId.KV_USAGE), (QUEUE, MeasureId.WAITING)])
@pytest.mark.parametrize(
    ("outcome", "drawn"),
    [(Outcome.APPLIED, True), (Outcome.UNKNOWN, True), (Outcome.DRY_RUN, False), (Outcome.REFUSED, False)],
)
def test_what_was_done_is_a_stroke_in_the_chart(
    panel: Panel, measure: MeasureId, rows: int, outcome: Outcome, drawn: bool
) -> None:
    endpoint = frames.critical()
    at = endpoint.trends[measure].until - 20.0
    acted = replace(
        endpoint, executions=(replace(followups.rehearsed(), outcome=outcome, requested_unix=at),)
    )
    spans = [span for row in panel_lines(panel, acted, View(100, rows)) for span in row]
    assert any(span == Span(STROKE, Ink.KEY) for span in spans) is drawn
    assert width(panel_lines(panel, acted, View(100, rows))[-1]) <= 100


def test_why_requests_wait_is_split_as_far_as_the_engine_tells() -> None:
    def told(**changes: Measure | None) -> str:
        known = dict(frames.critical().measures) | {MeasureId(k): v for k, v in changes.items()}
        endpoint = frames.critical(measures={k: v for k, v in known.items() if v is not None})
        return "\n".join(text_of(row) for row in queue_content(endpoint, View(58, 6)).lines)

    assert "why: capacity 38 · deferred 0 · rejected 0 /s" in told()
    assert "why: capacity 38 · deferred 0\n" in told(reject_rate=None) + "\n"
    assert "why —" in told(reject_rate=None, waiting_capacity=None, waiting_deferred=None)
