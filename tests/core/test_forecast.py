"""The forecast of a full pool: what it promises, when it is silent, and how it learns from what came."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.detect.kv import kv_exhaustion_forecast
from inferguard_core.detect.limits import Limits
from inferguard_core.forecast import BINS, CALIBRATED_FROM, FAR_S, Calibration, Forecaster
from inferguard_core.history import History
from inferguard_core.signals import Signal
from inferguard_core.verdict import Forecast
from inferguard_core.window import Window
from tests.core.readings import reading
from tests.core.rule_views import gauges, situation

S = Signal
LIMITS = Limits()


def played(levels, until: float, interval: float = 1.0, forecaster: Forecaster | None = None):
    """The forecast after each poll of a world given as functions of the second."""
    made, history = forecaster or Forecaster(LIMITS), History()
    told: list[Forecast | None] = []
    for i in range(int(until / interval) + 1):
        t = i * interval
        history.append(t, 1.8e9 + t, reading({S(k): v(t) for k, v in levels.items()}))
        assert history.newest is not None
        told.append(made.observe(Window(history, history.newest), interval))
    return made, told


@pytest.mark.parametrize("interval", [1.0, 2.0, 5.0])
def test_a_ramp_is_told_when_it_will_be_full(interval: float) -> None:
    """From 0.5 at 1 % a second it is full at 50 s; at 40 s ten seconds are left."""
    _, told = played({"kv_usage": lambda t: 0.5 + 0.01 * t}, 40.0, interval)
    newest = told[-1]
    assert newest is not None
    assert newest.seconds == pytest.approx(10.0, abs=0.5)
    assert newest.low_s is not None
    assert newest.high_s is not None
    assert newest.low_s <= newest.seconds + 1e-9
    assert newest.seconds <= newest.high_s + 1e-9
    assert newest.probability == 1.0
    assert newest.word == "uncalibrated"
    assert newest.basis == "trend"


def test_it_never_promises_beyond_three_times_what_it_was_fitted_to() -> None:
    """At 0.65 and 0.2 % a second it would take 175 s; the fit is 20 s."""
    _, told = played({"kv_usage": lambda t: 0.6 + 0.002 * t}, 25.0)
    newest = told[-1]
    assert newest is not None
    assert newest.seconds is None
    assert newest.probability == 0.0


@pytest.mark.parametrize(
    "level",
    [lambda _: 0.9, lambda t: 0.9 - 0.005 * t, lambda t: 0.2 + 0.005 * t, lambda t: 0.7 + 0.2 * (t % 2)],
    ids=["level", "falling", "low", "flicker"],
)
def test_where_nothing_points_to_a_full_pool_there_is_no_forecast(level) -> None:
    _, told = played({"kv_usage": level}, 60.0)
    assert all(f is None or f.probability < 0.6 for f in told)
    assert told[-1] is None


def test_one_look_is_no_forecast() -> None:
    """The estimate passes its test for the first time at 10 s, when half of the fit is there."""
    _, told = played({"kv_usage": lambda t: 0.7 + 0.01 * t}, 11.0)
    assert [f is not None for f in told] == [False] * 11 + [True]


def test_what_is_full_is_no_forecast() -> None:
    _, told = played({"kv_usage": lambda t: min(1.0, 0.5 + 0.02 * t)}, 40.0)
    assert told[-1] is None


def test_decoding_that_fills_the_pool_is_seen_while_usage_is_low() -> None:
    """A pool of 10,000 at 31 % that takes 280 tokens a second fills in under 25 s."""
    levels = {
        "kv_usage": lambda t: 0.03 + 0.028 * max(0.0, t - 0.0) if t < 11 else 0.03 + 0.028 * t,
        "kv_capacity_tokens": lambda _: 10_000.0,
        "running": lambda _: 20.0,
        "finished": lambda _: 3.0,
        "generation_tokens": lambda t: 280.0 * t,
        "prompt_tokens_computed": lambda _: 0.0,
    }
    _, told = played(levels, 12.0)
    newest = told[-1]
    assert newest is not None
    assert newest.basis == "decode_growth"
    assert newest.seconds == pytest.approx((1.0 - 0.366) / 0.028, abs=0.5)


def test_after_twenty_outcomes_it_says_how_often_such_words_came_true() -> None:
    known = Calibration()
    for i in range(CALIBRATED_FROM):
        known.close(0.95, came=i < 5)
    assert known.probability(0.95) == pytest.approx(6 / 22)
    assert known.probability(0.1) == 0.5
    _, told = played({"kv_usage": lambda t: 0.5 + 0.01 * t}, 40.0, forecaster=Forecaster(LIMITS, known))
    newest = told[-1]
    assert newest is not None
    assert newest.word == "unlikely"
    assert newest.probability == pytest.approx(6 / 22)


def test_until_then_it_says_what_it_thinks() -> None:
    known = Calibration()
    for _ in range(CALIBRATED_FROM - 1):
        known.close(0.95, came=False)
    assert known.probability(0.95) == 0.95


def test_a_forecast_closes_with_its_outcome() -> None:
    came, _ = played({"kv_usage": lambda t: min(1.0, 0.5 + 0.01 * t)}, 60.0)
    assert (sum(came.calibration.came), came.calibration.total) == (1, 1)
    not_come, _ = played({"kv_usage": lambda t: min(0.8, 0.5 + 0.01 * t)}, 120.0)
    assert (sum(not_come.calibration.came), not_come.calibration.total) == (0, 1)


def test_a_preemption_is_exhaustion_too() -> None:
    made, _ = played(
        {"kv_usage": lambda t: min(0.8, 0.5 + 0.01 * t), "preemptions": lambda t: float(t > 35)}, 120.0
    )
    assert sum(made.calibration.came) == 1


@pytest.mark.parametrize(
    "data", [{}, {"came": [1], "closed": [1]}, {"came": [2] * BINS, "closed": [1] * BINS}]
)
def test_what_is_no_calibration_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a calibration"):
        Calibration.from_json(data)


@given(st.floats(0.0, 1.0), st.floats(-0.02, 0.1), st.integers(0, 40))
def test_a_promise_lies_within_its_bounds(start: float, slope: float, seconds: int) -> None:
    _, told = played({"kv_usage": lambda t: min(1.0, max(0.0, start + slope * t))}, float(seconds))
    for one in told:
        if one is not None:
            assert 0.0 <= one.probability <= 1.0
            assert one.seconds is None or 0.0 <= one.seconds <= min(FAR_S, 3 * one.fit_s)


class TestRule:
    def look(self, probability: float | None, usage: float = 0.7):
        forecast = (
            None
            if probability is None
            else Forecast(usage, 0.01, 30.0, 20.0, 40.0, probability, "likely", "trend", 20.0, 25)
        )
        return kv_exhaustion_forecast(
            gauges(20, kv_usage=usage), LIMITS, situation(S.KV_USAGE, forecast=forecast)
        )

    @pytest.mark.parametrize(
        ("probability", "hot", "cool"),
        [
            (None, False, True),
            (0.2, False, True),
            (0.4, False, False),
            (0.5, True, False),
            (1.0, True, False),
        ],
    )
    def test_more_likely_than_not(self, probability: float | None, hot: bool, cool: bool) -> None:
        found = self.look(probability)
        assert (found.hot, found.cool) == (hot, cool)

    def test_a_full_pool_holds_what_was_said(self) -> None:
        assert self.look(None, usage=1.0).hot is None

    def test_it_says_when_in_a_range_with_its_word(self) -> None:
        assert self.look(0.8).summary == "KV 70%, full in 20-40 s (likely)"
