"""Panels in a single line, and what gives way in it; the rows of exposed series."""

from __future__ import annotations

import pytest

from inferguard_core.frame import Measure, MeasureId, RawSignal, Status
from inferguard_tui.line import text_of
from inferguard_tui.panels.catalogue import PANELS
from inferguard_tui.panels.latency import LATENCY
from inferguard_tui.panels.measures import raw_rows
from inferguard_tui.panels.view import Panel, View, panel_lines
from tests.tui import frames


def text(panel: Panel, endpoint: object, view: View) -> str:
    return "\n".join(text_of(row) for row in panel_lines(panel, endpoint, view))


TTFT, OVER = "TTFT p95   12.4 s n 372    ", "78% over ▲    "
ITL = "ITL p95   185 ms n 3.7 k"


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (
            106,
            f"Latency  TTFT p50   3.10 s p95   12.4 s n 372    {OVER}ITL p50    41 ms p95   185 ms n 3.7 k  60 s",
        ),
        (100, f"Latency  TTFT p50   3.10 s p95   12.4 s n 372    {OVER}{ITL}  60 s"),
        (90, f"Latency  {TTFT}{OVER}{ITL}  60 s"),
        (80, f"Latency  {TTFT}{OVER}{ITL}  60 s"),
        (78, f"Latency  {TTFT}{OVER}{ITL}"),
        (70, f"Latency  {TTFT}{ITL}  60 s"),
        (60, f"Latency  {TTFT}".rstrip()),
        (40, f"Latency  {TTFT}".rstrip()),
    ],
)
def test_no_quantile_stands_in_a_line_without_its_own_n(cells: int, said: str) -> None:
    drawn = text(LATENCY, frames.critical(), View(cells, 1))
    assert drawn.rstrip() == said
    assert len(drawn) <= cells


def test_the_longest_share_and_counts_move_nothing_behind_them() -> None:
    longest = Measure(0.0994, "ratio", 60.0, 1_200, why_unknown="at least: the last bucket ends at 1 s")
    shown = frames.critical().measures | {
        MeasureId.TTFT_OVER_GOAL: longest,
        MeasureId.TTFT_P95: Measure(12.4, "seconds", 60.0, 18_200),
        MeasureId.ITL_P95: Measure(0.185, "seconds", 60.0, 172_000),
    }
    drawn = text(LATENCY, frames.critical(measures=shown), View(80, 1))
    assert drawn.endswith("p95   12.4 s n 18.2 k ≥ 9.9% over ▲ ITL p95   185 ms n 172 k  60 s")
    assert len(drawn) <= 80
    usual = text(LATENCY, frames.critical(), View(80, 1))
    assert usual.index("ITL") == drawn.index("ITL")
    assert usual.index("60 s") == drawn.index("60 s")


def test_without_a_goal_a_line_of_latency_has_a_median_in_its_place() -> None:
    drawn = text(LATENCY, frames.critical(thresholds={}), View(80, 1))
    assert drawn.rstrip().endswith("TTFT p50   3.10 s p95   12.4 s n 372    ITL p95   185 ms n 3.7 k  60 s")


@pytest.mark.parametrize(
    ("requests", "cells", "said"),
    [
        (372, 40, "─ 60 s, n 372, ITL n 3.7 k ─"),
        (1_200, 36, " 60 s, n 1200, ITL 3.7 k ─"),
        (372, 31, " 60 s, n 372, 3.7 k ─"),
        (1_200, 31, " 60 s n 1200, 3.7 k ─"),
        (372, 26, "─ 60 s, n 372 ─"),
    ],
)
def test_the_title_of_latency_counts_both_rows_as_far_as_there_is_room(
    requests: int, cells: int, said: str
) -> None:
    shown = frames.critical().measures | {MeasureId.TTFT_P95: Measure(12.4, "seconds", 60.0, requests)}
    title = text(LATENCY, frames.critical(measures=shown), View(cells, 6)).splitlines()[0]
    assert title.endswith(said)


@pytest.mark.parametrize("panel", [p for p in PANELS if p.compact is not None], ids=lambda panel: panel.id)
@pytest.mark.parametrize("cells", [60, 80, 100])
def test_a_line_of_old_values_drops_figures_whole(panel: Panel, cells: int) -> None:
    drawn = text(panel, frames.endpoint(status=Status.NO_DATA), View(cells, 1))
    assert "…" not in drawn
    assert len(drawn) <= cells


def test_series_of_one_name_are_told_apart() -> None:
    raw = (
        RawSignal("tokens_computed", "vllm:by_source", 3.0),
        RawSignal("tokens_cached", "vllm:by_source", 7.0),
        RawSignal("tokens_all", "vllm:all", 10.0),
    )
    rows = [text_of(row).split() for row in raw_rows(frames.endpoint(raw=raw), ("tokens",), View(80, 9))]
    assert rows == [
        ["vllm:all", "10"],
        ["vllm:by_source", "tokens_cached", "7"],
        ["vllm:by_source", "tokens_computed", "3"],
    ]
