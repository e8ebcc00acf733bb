"""The cone of a forecast: on the chart's own time scale, from what is held now to full, and nothing without one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inferguard_core.frame import MeasureId
from inferguard_tui import chart
from inferguard_tui.line import Ink, text_of
from inferguard_tui.panels.cone import LEAST, cone, future_columns
from inferguard_tui.panels.kv import kv_content
from inferguard_tui.panels.view import View
from inferguard_tui.sparkline import column_seconds, columns
from tests.tui import conclusions, frames
from tests.tui.figures import trend

FORECAST = replace(conclusions.forecast(), usage=0.8, seconds=40.0, low_s=20.0, high_s=80.0)
FILLING = frames.filling(forecast=FORECAST)


def test_each_line_reaches_full_at_its_own_time() -> None:
    lines = cone(FILLING, 10, 10, 10.0)
    assert len(lines) == 3
    for points, full_s in zip(lines, (20.0, 40.0, 80.0), strict=True):
        assert points[:10] == [None] * 10
        ahead = [p for p in points[10:] if p is not None]
        assert len(ahead) == full_s / 10
        assert ahead[-1] == pytest.approx(1.0)
        assert ahead[0] == pytest.approx(0.8 + 0.2 * 10 / full_s)


def test_the_future_takes_a_fifth_and_only_where_a_time_is_forecast() -> None:
    assert future_columns(FILLING, 100) == 20
    assert future_columns(FILLING, LEAST - 1) == 0
    assert future_columns(frames.endpoint(), 100) == 0
    assert future_columns(frames.filling(forecast=replace(FORECAST, seconds=None)), 100) == 0
    assert cone(frames.endpoint(), 10, 10, 1.0) == ()


@pytest.mark.parametrize("count", [30, 47, 60, 300, 700])
def test_a_column_stands_for_the_seconds_that_it_covers(count: int) -> None:
    """A bin of its own value a second: as many columns on, the value is as many seconds further."""
    rising = trend(float)
    shown = [v for v in columns(rising, count) if v is not None]
    assert (shown[-1] - shown[0]) / (len(shown) - 1) == pytest.approx(column_seconds(rising, count), rel=0.15)


def test_what_is_expected_has_marks_and_an_ink_of_its_own_and_stands_at_the_right() -> None:
    raster = chart.load()
    assert raster is not None
    content = kv_content(FILLING, View(80, 8, raster=raster))
    rows = [text_of(row) for row in content.lines[:-1]]
    marked = [(y, x) for y, row in enumerate(rows) for x, c in enumerate(row) if c == chart.CONE_CELL]
    assert marked
    assert min(x for _, x in marked) >= 80 * 4 // 5 - 1
    assert {s.ink for row in content.lines[:-1] for s in row if chart.CONE_CELL in s.text} == {Ink.NOTICE}
    assert all(len(row) <= 80 for row in rows)


def test_without_a_forecast_there_is_no_mark_of_one() -> None:
    raster = chart.load()
    assert raster is not None
    content = kv_content(frames.endpoint(), View(80, 8, raster=raster))
    assert not any(chart.CONE_CELL in text_of(row) for row in content.lines[:-1])


def test_in_ascii_the_cone_is_ascii_after_the_stand_ins() -> None:
    raster = chart.load()
    assert raster is not None
    drawn = raster.rows([0.5] * 50, 5, 0.85, cone(FILLING, 40, 10, 6.0), ascii_only=True)
    assert all(c in "*─· " for row in drawn for c in row)
    assert MeasureId.KV_USAGE in FILLING.trends
