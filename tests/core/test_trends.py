"""Trends on their grids: peaks, gaps, three spans, bounded memory, and an earlier run's values put beneath."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.detect.limits import Limits
from inferguard_core.frame import SPANS_S, MeasureId, Trend
from inferguard_core.poll import ProofLevel
from inferguard_core.trends import MAX_BINS, Bins, TrendRing
from inferguard_core.watch import EndpointWatch

START = 1_700_000_040.0
"""A multiple of every step."""


def ring(*samples: tuple[float, float | None], interval_s: float = 1.0) -> TrendRing:
    made = TrendRing(interval_s)
    for after, value in samples:
        made.push(START + after, value)
    return made


def trends(made: TrendRing) -> list[Trend]:
    found = [trend for trend in made.trends if trend is not None]
    assert len(found) == len(SPANS_S)
    return found


def test_a_bin_keeps_its_peak_at_every_step() -> None:
    made = ring((0, 1.0), (1, 9.0), (2, 2.0))
    assert [tuple(trend.values) for trend in trends(made)] == [(1.0, 9.0, 2.0), (9.0,), (9.0,)]


def test_every_span_is_kept_and_says_which_it_is() -> None:
    made = ring(*((t, float(t)) for t in range(0, 21_600, 10)), interval_s=10.0)
    for span_s, trend in zip(SPANS_S, trends(made), strict=True):
        assert trend.span_s == span_s
        assert trend.step_s * len(trend.values) == pytest.approx(span_s)
        assert trend.values[-1] == 21_590.0
        assert None not in trend.values


def test_a_gap_stays_a_gap_but_one_late_poll_is_none() -> None:
    made = ring((0, 1.0), (2, 3.0), (6, 4.0))
    assert tuple(trends(made)[0].values) == (1.0, 3.0, 3.0, None, None, None, 4.0)


def test_a_gap_of_one_bin_is_a_gap_where_bins_are_longer_than_polls() -> None:
    made = ring((0, 1.0), (130, 2.0))
    assert tuple(trends(made)[2].values) == (1.0, None, 2.0)


def test_an_unknown_value_is_no_data_and_gives_way_to_a_known_one() -> None:
    made = ring((0, None), (0.5, 3.0), (1, None))
    assert tuple(trends(made)[0].values) == (3.0, None)


def test_a_clock_set_back_starts_anew() -> None:
    made = ring((900, 1.0), (0, 2.0))
    assert [tuple(trend.values) for trend in trends(made)] == [(2.0,)] * 3


def test_a_trend_that_was_handed_out_does_not_change() -> None:
    made = ring((0, 1.0))
    before = made.trends[0]
    assert before is made.trends[0]
    made.push(START + 1, 2.0)
    assert before is not None
    assert tuple(before.values) == (1.0,)


def test_an_earlier_run_is_put_where_there_is_no_data() -> None:
    made = ring((100, 5.0), (101, None), (102, None), (103, 6.0))
    made.fill([(START + 102, 7.0), (START + 98, 3.0), (START + 100, 1.0), (START + 500, 9.0)])
    assert tuple(trends(made)[0].values) == (3.0, None, 5.0, None, 7.0, 6.0)


def test_an_earlier_run_alone_is_shown_with_its_age() -> None:
    made = TrendRing(2.0)
    made.fill([(START - 3600 + t, float(t)) for t in range(0, 600, 2)])
    assert trends(made)[2].until == pytest.approx(START - 3000)
    made.push(START, 1.0)
    five_minutes, half_an_hour, six_hours = trends(made)
    assert tuple(five_minutes.values) == (1.0,)
    assert [v for v in half_an_hour.values if v is not None] == [1.0]
    assert list(six_hours.values)[:10] == [
        58.0,
        118.0,
        178.0,
        238.0,
        298.0,
        358.0,
        418.0,
        478.0,
        538.0,
        598.0,
    ]
    assert list(six_hours.values)[10:] == [None] * 50 + [1.0]


def test_an_earlier_run_of_nothing_changes_nothing() -> None:
    made = TrendRing(1.0)
    made.fill([(START, None), (START, math.nan)])
    assert made.trends == (None, None, None)


@given(
    st.lists(st.tuples(st.floats(0, 60_000), st.none() | st.floats(0, 1e9)), max_size=60),
    st.lists(st.tuples(st.floats(-60_000, 60_000), st.none() | st.floats(0, 1e9)), max_size=60),
)
def test_memory_is_bounded_and_bins_are_peaks(
    pushed: list[tuple[float, float | None]], past: list[tuple[float, float | None]]
) -> None:
    made = ring(*sorted(pushed, key=lambda sample: sample[0]))
    made.fill((START + after, value) for after, value in past)
    every = {v for _, v in (*pushed, *past)} | {None}
    for trend in made.trends:
        if trend is not None:
            assert 1 <= len(trend.values) <= MAX_BINS
            assert set(trend.values) <= every


def test_bins_are_a_sequence() -> None:
    bins = ring((0, 1.0), (1, None), (2, 3.0)).trends[0]
    assert bins is not None
    assert isinstance(bins.values, Bins)
    assert bins.values[1:] == (None, 3.0)
    assert bins.values[0] == 1.0
    assert bins.values != 3


def test_a_bin_keeps_its_lowest_where_that_is_the_worst() -> None:
    made = TrendRing(1.0, lowest=True)
    for after, value in ((0, 0.6), (1, 0.05), (2, 0.7), (2.5, None)):
        made.push(START + after, value)
    assert [tuple(trend.values) for trend in trends(made)] == [(0.6, 0.05, 0.7), (0.05,), (0.05,)]
    made.fill([(START - 1, 0.5), (START - 0.5, 0.1), (START - 0.2, 0.4)])
    assert tuple(trends(made)[0].values) == (0.1, 0.6, 0.05, 0.7)
    assert all(trend.keeps_lowest for trend in trends(made))


def test_what_is_drawn_over_time_keeps_the_worst_of_its_measure() -> None:
    watch = EndpointWatch("http://a:1", "a:1", 1.0, ProofLevel.LIVE, Limits())
    for measure, ring_of in watch.trends.items():
        for after, value in ((0, 0.5), (1, 0.1), (2, 0.9)):
            ring_of.push(START + after, value)
        longest = ring_of.trends[-1]
        assert longest is not None
        assert tuple(longest.values) == (0.1 if measure is MeasureId.PREFIX_HIT_RATE else 0.9,)
