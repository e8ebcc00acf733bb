"""Numbers and times as people read them."""

from __future__ import annotations

import pytest

from inferguard_core.frame import Measure
from inferguard_tui.formatting import (
    about,
    amount,
    clock,
    duration,
    measured,
    percent,
    quantity,
    rate,
    seconds,
    short_count,
    window,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (0, "0"),
        (7, "7"),
        (940, "940"),
        (0.25, "0.25"),
        (3.14, "3.1"),
        (1_800, "1.8 k"),
        (999.7, "1.0 k"),
        (18_240, "18.2 k"),
        (640_000, "640 k"),
        (3_100_000, "3.1 M"),
    ],
)
def test_an_amount_has_three_digits_and_unknown_is_not_zero(value: float | None, text: str) -> None:
    assert amount(value) == text


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (None, ""),
        (20, "20"),
        (9_999.4, "9999"),
        (9_999.6, "10 k"),
        (99_499, "99 k"),
        (99_999, "100k"),
        (999_499, "999k"),
        (999_999, "1 M"),
        (23e6, "23 M"),
    ],
)
def test_a_count_fits_its_four_cells_at_every_border(n: float | None, text: str) -> None:
    assert short_count(n) == text
    assert len(short_count(n)) <= 4


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (0, "0 s"),
        (0.0084, "8.4 ms"),
        (0.185, "185 ms"),
        (0.9996, "1.00 s"),
        (3.1, "3.10 s"),
        (12.44, "12.4 s"),
        (192, "3 m 12 s"),
    ],
)
def test_a_latency_has_a_unit_that_suits_it(value: float | None, text: str) -> None:
    assert seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "—"), (-3, "0 s"), (48.9, "48 s"), (192, "3 m 12 s"), (3840, "1 h 04 m"), (183_600, "2 d 03 h")],
)
def test_a_duration_has_two_units_at_most(value: float | None, text: str) -> None:
    assert duration(value) == text


@pytest.mark.parametrize(("value", "text"), [(None, "—"), (0, "0 /s"), (2.4, "2.4 /s"), (0.05, "3 /min")])
def test_a_rare_event_is_counted_by_the_minute(value: float | None, text: str) -> None:
    assert rate(value) == text


def test_a_ratio_is_a_percentage() -> None:
    assert (percent(0.979), percent(0.979, 0), percent(None)) == ("97.9%", "98%", "—")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.5, "ratio", "50.0%"),
        (0.2, "seconds", "200 ms"),
        (1_800.0, "tokens/s", "1.8 k tok/s"),
        (3_100_000.0, "tokens", "3.1 M tok"),
        (9.1, "requests/s", "9.1 /s"),
        (38.0, "requests", "38"),
        (None, "tokens/s", "—"),
    ],
)
def test_a_quantity_is_shown_in_its_unit(value: float | None, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


def test_a_quantile_beyond_the_last_bucket_is_a_lower_bound() -> None:
    assert measured(Measure(10.0, "seconds", 60.0, 30, why_unknown="beyond the last bucket")) == "≥ 10.0 s"


@pytest.mark.parametrize(
    ("ahead_s", "text"),
    [
        (-3, "now"),
        (0, "now"),
        (45, "~45 s"),
        (66, "~66 s"),
        (119.6, "~2 min"),
        (360, "~6 min"),
        (7200, "~2 h"),
    ],
)
def test_a_horizon_is_no_more_exact_than_a_forecast(ahead_s: float, text: str) -> None:
    assert about(ahead_s) == text


def test_a_measure_that_is_not_there_is_unknown() -> None:
    assert measured(None) == "—"


def test_a_window_carries_its_sample_count() -> None:
    assert window(Measure(1.0, "seconds", 60.0, 412)) == "60 s, n 412"
    assert window(Measure(1.0, "requests")) == ""


def test_the_clock_shows_local_time() -> None:
    assert clock(1_700_000_000.0) == "22:13:20"
