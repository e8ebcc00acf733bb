"""Trends as columns, columns as blocks."""

from __future__ import annotations

import pytest

from inferguard_core.frame import Trend
from inferguard_tui.sparkline import blocks, cells_of, columns, nice_ceiling, tall_blocks


def trend(*values: float | None, span_s: float = 4.0) -> Trend:
    return Trend(1.0, 600.0, values, span_s)


def test_a_column_over_several_bins_keeps_their_peak() -> None:
    assert columns(trend(1, 5, 2, 3), 2) == [5, 3]


def test_a_short_trend_stands_at_the_right() -> None:
    assert columns(trend(1, 2), 4) == [None, None, 1, 2]


def test_few_bins_are_repeated_to_fill_the_columns() -> None:
    assert columns(trend(1, 2, span_s=2), 4) == [1, 1, 2, 2]


def test_a_gap_stays_a_gap() -> None:
    assert columns(trend(1, None, None, 3), 4) == [1, None, None, 3]


def test_a_missing_bin_does_not_empty_its_column() -> None:
    assert columns(trend(1, None, None, 3), 2) == [1, 3]


def test_columns_hold_still_between_two_borders() -> None:
    """Column borders are multiples of the column's seconds, so only the last column changes in between."""
    before = columns(Trend(1.0, 603.0, tuple(float(i) for i in range(300))), 50)
    after = columns(Trend(1.0, 604.0, tuple(float(i) for i in range(1, 301))), 50)
    assert before[1:-1] == after[1:-1]
    assert before[-1] != after[-1]


def test_no_trend_is_no_data() -> None:
    assert columns(None, 3) == [None, None, None]
    assert columns(trend(1), 0) == []


def test_blocks_have_a_fixed_axis() -> None:
    assert blocks([0.0, 0.125, 0.5, 0.51, 1.0, None, 7.0], 1.0) == "▁▁▄▅█ █"


def test_zero_differs_from_no_data() -> None:
    assert blocks([0.0, None], 10) == "▁ "


def test_tall_blocks_fill_from_below() -> None:
    assert tall_blocks([0.25, 0.5, 0.75, 1.0, None], 1.0, 2) == ["  ▄█ ", "▄███ "]


@pytest.mark.parametrize(
    ("value", "ceiling"),
    [(0, 1), (0.03, 0.05), (1, 1), (1.2, 2), (38, 50), (50, 50), (51, 100), (1234, 2000)],
)
def test_an_axis_ends_at_a_round_number(value: float, ceiling: float) -> None:
    assert nice_ceiling(value) == pytest.approx(ceiling)


@pytest.mark.parametrize(
    ("values", "span_s", "count"),
    [((1.0, 2.0, 3.0, 4.0), 4.0, 4), ((1.0, 2.0), 2.0, 7), (tuple(map(float, range(300))), 300.0, 50)],
)
def test_a_time_is_in_the_column_that_holds_its_bin(
    values: tuple[float, ...], span_s: float, count: int
) -> None:
    """Found again by its value: each bin's own number stands in the column that the bin's time is told to be in."""
    made = Trend(1.0, 600.0, values, span_s)
    shown = columns(made, count)
    for index, value in enumerate(values):
        at = cells_of(made, count, [600.0 - len(values) + index + 0.5])
        if not at:
            assert value not in shown[1:]
            continue
        (cell,) = at
        seen = shown[cell]
        assert seen is not None
        assert value <= seen < value + max(1.0, span_s / count)


def test_a_time_outside_the_chart_is_in_no_column() -> None:
    made = trend(1, 2, 3, 4)
    assert cells_of(made, 4, [595.0, 600.5]) == frozenset()
    assert cells_of(None, 4, [599.0]) == frozenset()
    assert cells_of(made, 0, [599.0]) == frozenset()


def test_a_column_over_several_bins_of_lowest_values_keeps_the_lowest() -> None:
    values = (0.6, 0.6, 0.1, 0.6, None, 0.5)
    lowest = Trend(1.0, 600.0, values, 6.0, keeps_lowest=True)
    assert columns(lowest, 2) == [0.1, 0.5]
    assert columns(Trend(1.0, 600.0, values, 6.0), 2) == [0.6, 0.6]
