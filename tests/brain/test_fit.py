"""The line of an investigation, against numbers that can be worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_brain.fit import correlation, crossing, line

RAMP = [(float(t), 0.5 + 0.01 * t) for t in range(11)]


def test_a_ramp_has_its_slope_and_meets_its_threshold_when_it_does() -> None:
    fitted = line(RAMP)
    assert fitted is not None
    assert (fitted.slope, fitted.tau, fitted.span_s) == (pytest.approx(0.01), 1.0, 10.0)
    assert fitted.level == pytest.approx(0.59)
    meets = crossing(fitted, 1.0)
    assert meets is not None
    assert meets.seconds == pytest.approx(41.0)
    assert fitted.share_reaching(1.0, 42.0) == 1.0
    assert fitted.share_reaching(1.0, 40.0) == 0.0


def test_one_wild_point_does_not_move_the_line() -> None:
    fitted = line([*RAMP[:5], (5.0, 9.0), *RAMP[6:]])
    assert fitted is not None
    assert fitted.slope == pytest.approx(0.01, rel=0.1)


def test_a_line_that_falls_or_is_there_already_meets_nothing() -> None:
    falling, there = line([(t, -v) for t, v in RAMP]), line(RAMP)
    assert falling is not None
    assert there is not None
    assert crossing(falling, 1.0) is None
    assert crossing(there, 0.55) is None


def test_too_few_points_are_no_line() -> None:
    assert line(RAMP[:5]) is None
    assert line([(0.0, float(i)) for i in range(9)]) is None


def test_ranks_that_agree_correlate_and_a_constant_says_nothing() -> None:
    rising = [1.0, 2.0, 3.0, 5.0, 8.0, 13.0]
    assert correlation(rising, [v**2 for v in rising]) == pytest.approx(1.0)
    assert correlation(rising, rising[::-1]) == pytest.approx(-1.0)
    assert correlation(rising, [1.0] * 6) is None
    assert correlation([1.0, 1.0, 2.0, 2.0, 3.0, 3.0], rising) == pytest.approx(0.956, abs=0.001)


@given(st.lists(st.floats(-1e6, 1e6), min_size=6, max_size=40))
def test_any_series_gives_bounds_in_order(values: list[float]) -> None:
    fitted = line([(float(i), v) for i, v in enumerate(values)])
    assert fitted is not None
    assert fitted.low <= fitted.slope <= fitted.high or fitted.n == 6
    assert -1.0 <= fitted.tau <= 1.0
