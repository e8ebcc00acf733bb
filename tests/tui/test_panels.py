"""What panels say, from a frame and a view, without a terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inferguard_core.frame import Blind, Measure, MeasureId, Status
from inferguard_core.verdict import Diagnosis
from inferguard_tui.chart import load
from inferguard_tui.line import Ink, text_of, width
from inferguard_tui.panels.catalogue import PANELS
from inferguard_tui.panels.figures import PREEMPTION, WORK
from inferguard_tui.panels.findings import ADVISORIES, ANOMALIES, DIAGNOSIS, INCIDENTS
from inferguard_tui.panels.kv import KV
from inferguard_tui.panels.latency import LATENCY
from inferguard_tui.panels.queue import QUEUE
from inferguard_tui.panels.status import STATUS
from inferguard_tui.panels.view import Panel, View, panel_lines
from tests.tui import figures, frames

WIDE = View(100, 12)
ENDPOINTS = {
    "healthy": frames.endpoint(),
    "critical": frames.critical(),
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


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.id)
def test_a_panel_without_a_frame_waits_for_one(panel: Panel) -> None:
    assert "no frame yet" in text(panel, None)


@pytest.mark.parametrize("panel", [p for p in PANELS if p.measured], ids=lambda panel: panel.id)
def test_nothing_unknown_reads_as_zero(panel: Panel) -> None:
    body = text(panel, frames.waiting()).partition("\n")[2]
    assert "0 %" not in body.replace("100 ", "")
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
    assert "52.0 % of 3.1 M tok" in drawn
    assert "100 ┤" in drawn
    assert "  0 ┤" in drawn
    assert "5 min · limit 85 %" in drawn


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


def test_latency_shows_its_window_once() -> None:
    drawn = text(LATENCY, frames.critical())
    assert drawn.count("60 s") == 1
    assert "n 372" in drawn
    assert "p95   12.4 s" in drawn


def test_latency_over_its_goal_stands_out() -> None:
    rows = panel_lines(LATENCY, frames.critical(), WIDE)
    assert Ink.LIMIT in {span.ink for span in rows[1] if "12.4 s" in span.text}
    calm = panel_lines(LATENCY, frames.endpoint(), WIDE)
    assert Ink.LIMIT not in {span.ink for row in calm for span in row}


def test_work_shares_decode_among_the_running() -> None:
    assert "31.0 tok/s" in text(WORK, frames.endpoint())  # 1800 / 58


def test_preemption_relates_to_what_finishes() -> None:
    assert "39 %" in text(PREEMPTION, frames.critical())  # 2.4 / 6.2


def test_anomalies_carry_word_shape_kind_and_age() -> None:
    drawn = text(ANOMALIES, frames.critical())
    assert "▲ CRIT preemption" in drawn
    assert "! WARN ttft_high" in drawn
    assert "· note kv_saturated" in drawn
    assert "(recovering)" in drawn
    assert "3 m 10 s" in drawn
    assert "3 firing · 1 blind" in drawn


def test_no_anomalies_names_the_rules_that_cannot_see() -> None:
    drawn = text(ANOMALIES, frames.endpoint(blind=(Blind("swap", "swapped"),)))
    assert "none" in drawn
    assert "blind, for want of input: swap" in drawn


def test_before_the_first_poll_there_is_no_all_clear() -> None:
    assert "waiting for the first poll" in text(ANOMALIES, frames.waiting())


def test_anomalies_that_do_not_fit_are_counted() -> None:
    assert "… 3 more anomalies" in text(ANOMALIES, frames.critical(), View(100, 3))


def test_a_zoomed_anomaly_shows_its_evidence() -> None:
    assert ANOMALIES.detail is not None
    drawn = "\n".join(text_of(row) for row in ANOMALIES.detail(frames.critical(), WIDE))
    assert "preemptions 144 · limit 2 · 60 s · from vllm:num_preemptions_total" in drawn
    assert "swap: swapped is not exported; vLLM V1 does not swap" in drawn


def test_diagnosis_waits_for_its_rules() -> None:
    assert "rules pending" in text(DIAGNOSIS, frames.endpoint())


def test_diagnosis_ranks_its_causes_and_names_the_wrong_lever() -> None:
    drawn = text(DIAGNOSIS, frames.critical())
    assert "kv_exhausted" in drawn
    assert "0.86" in drawn
    assert "because KV ≥ 0.9 held for 30 s (0.98)" in drawn
    assert "wrong lever: more sequences" in drawn
    assert "rules" in drawn.splitlines()[0]


def test_an_unclear_diagnosis_says_what_to_measure() -> None:
    unclear = Diagnosis(
        "41", "unclear", "unknown", 0.2, (), "rules", "unknown", "manual_review", measure_next=("p99",)
    )
    assert "measure next: p99" in text(DIAGNOSIS, frames.critical(diagnosis=unclear))


def test_an_advisory_is_marked_as_advice_with_confidence_and_horizon() -> None:
    drawn = text(ADVISORIES, frames.critical())
    assert "[1] throttle_concurrency" in drawn
    assert "0.74" in drawn
    assert "ADVISORY" in drawn
    assert "now" in drawn
    assert "~6 m 00 s  uncalibrated" in drawn.replace("s   uncal", "s  uncal")


def test_no_advisories_says_none() -> None:
    assert text(ADVISORIES, frames.endpoint()).splitlines()[1] == "none"


def test_incidents_say_how_long_they_lasted() -> None:
    drawn = text(INCIDENTS, frames.critical())
    assert "22:10:10 ▲ open" in drawn
    assert "✔ resolved" in drawn
    assert "14 m 00 s" in drawn
    assert "×2" in text(INCIDENTS, frames.endpoint(incidents=(frames.incident(reopened=1),)))  # noqa: RUF001 - times


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
