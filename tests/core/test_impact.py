"""What an incident cost, from counters and buckets written by hand; costs only grow and unknown stays unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.impact import ImpactStart, impact
from inferguard_core.reading import Engine, Histogram, Reading
from inferguard_core.signals import Signal
from tests.core.advice_scenes import UNIX, anomaly, scene_of, steady
from tests.core.readings import buckets, reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.scene import Scene
    from inferguard_core.verdict import Impact

S = Signal
COSTS = (
    "seconds_over_objective",
    "requests_delayed",
    "requests_failed",
    "tokens_recomputed_estimate",
    "peak_waiting",
    "peak_kv_usage",
)


def first_tokens(in_time: float, late: float) -> Histogram:
    """Cumulative TTFT since the process began: `in_time` at or below the objective of 1 s, `late` above it."""
    return buckets(0, in_time, 0, late)


def from_onset(readings: Mapping[float, Reading], onset_t: float) -> Impact:
    view = scene_of(readings, onset_t=onset_t)
    return impact(view, start_of(view, onset_t))


def start_of(view: Scene, onset_t: float) -> ImpactStart:
    assert view.window is not None
    return ImpactStart.at(view.window, UNIX + onset_t)


class TestDelayed:
    # One first token a second: in time up to second 10, late from then on.
    READINGS: ClassVar = {
        float(t): reading({S.WAITING: 0.0}, {S.TTFT: first_tokens(min(t, 10), max(0, t - 10))})
        for t in range(31)
    }

    def test_first_tokens_over_the_objective_are_counted_since_the_onset(self) -> None:
        assert from_onset(self.READINGS, 10).requests_delayed == 20
        assert from_onset(self.READINGS, 25).requests_delayed == 5

    def test_and_the_seconds_in_which_they_came(self) -> None:
        assert from_onset(self.READINGS, 5).seconds_over_objective == 20

    def test_an_engine_without_the_histogram_tells_neither(self) -> None:
        told = from_onset(steady({S.WAITING: 3.0}), 5)
        assert told.requests_delayed is None
        assert told.seconds_over_objective is None

    def test_a_share_within_the_goal_is_no_late_second(self) -> None:
        # 100 first tokens a second, 4 of them late, where 5 in a hundred may be.
        readings = {float(t): reading({}, {S.TTFT: first_tokens(96 * t, 4 * t)}) for t in range(20)}
        told = from_onset(readings, 0)
        assert told.requests_delayed == 76
        assert told.seconds_over_objective == 0

    def test_requests_that_wait_for_a_token_that_does_not_come_count_too(self) -> None:
        # The last first token at second 5; over the objective from second 7 on.
        readings = {
            float(t): reading({S.WAITING: 4.0}, {S.TTFT: first_tokens(min(t, 5), 0)}) for t in range(21)
        }
        assert from_onset(readings, 5).seconds_over_objective == 14

    def test_an_idle_engine_is_never_late(self) -> None:
        readings = {float(t): reading({S.WAITING: 0.0}, {S.TTFT: first_tokens(5, 0)}) for t in range(21)}
        assert from_onset(readings, 0).seconds_over_objective == 0

    def test_an_endpoint_that_is_down_is_late_every_second(self) -> None:
        view = scene_of(self.READINGS, onset_t=5)
        start = start_of(view, 5)
        before = impact(view, start)
        down = replace(view, unix=view.unix + 7, anomalies=(anomaly("endpoint_down"),))
        assert impact(down, start, before).seconds_over_objective == 27

    def test_a_gap_in_the_data_is_not_made_up(self) -> None:
        readings = {t: r for t, r in self.READINGS.items() if t <= 12 or t >= 30}
        # Late: 10 to 11 and 11 to 12; nothing is known of 12 to 30.
        assert from_onset(readings, 10).seconds_over_objective == 2


class TestFailed:
    def test_errors_aborts_and_refusals_add_up_since_the_onset(self) -> None:
        levels = {
            S.FINISHED_ERROR: lambda t: 100 + (3.0 if t >= 20 else 0.0),
            S.FINISHED_ABORT: lambda t: 50 + (2.0 if t >= 30 else 0.0),
            S.REJECTED: lambda t: 4.0 if t >= 40 else 0.0,
        }
        assert from_onset(steady(levels), 10).requests_failed == 9

    def test_a_5xx_is_not_counted_beside_the_refusal_that_it_tells(self) -> None:
        levels = {S.REJECTED: lambda t: float(t > 10) * 4, S.HTTP_5XX: lambda t: float(t > 10) * 6}
        assert from_onset(steady(levels), 5).requests_failed == 6

    def test_clients_that_hung_up_show_between_answers_and_completions(self) -> None:
        # 40 answers more than requests finished; vLLM's own abort counter stays at 0.
        levels = {
            S.HTTP_2XX: lambda t: 10 * t + 40 * (t > 50),
            S.FINISHED: lambda t: 10 * t,
            S.FINISHED_ABORT: 0.0,
        }
        assert from_onset(steady(levels), 20).requests_failed == 40

    def test_a_moment_between_two_counters_is_nobody(self) -> None:
        levels = {
            S.HTTP_2XX: lambda t: 10 * t + 4 * (t > 50),
            S.FINISHED: lambda t: 10 * t,
            S.FINISHED_ABORT: 0.0,
        }
        assert from_onset(steady(levels), 20).requests_failed == 0

    def test_a_counter_that_appears_with_its_first_event_rose_from_nothing(self) -> None:
        readings = steady({S.WAITING: 0.0}, seconds=20)
        readings |= {float(t): reading({S.WAITING: 0.0, S.REJECTED: 3.0}) for t in range(20, 30)}
        assert from_onset(readings, 10).requests_failed == 3

    def test_without_any_such_counter_it_is_unknown(self) -> None:
        assert from_onset(steady({S.WAITING: 1.0}), 10).requests_failed is None


class TestRecomputed:
    PRESSED: ClassVar = {S.RUNNING: 40.0, S.KV_USAGE: 0.8, S.KV_CAPACITY_TOKENS: 100_000.0}

    def test_vllm_preemptions_times_the_tokens_a_request_holds(self) -> None:
        # 6 preemptions since the onset, 0.8 · 100,000 ÷ 40 = 2,000 tokens each.
        levels = {**self.PRESSED, S.PREEMPTIONS: lambda t: 90.0 + (6.0 if t > 30 else 0.0)}
        assert from_onset(steady(levels), 20).tokens_recomputed_estimate == pytest.approx(12_000)

    def test_no_preemption_is_nothing_recomputed(self) -> None:
        assert from_onset(steady({S.PREEMPTIONS: 7.0}), 20).tokens_recomputed_estimate == 0

    def test_without_a_pool_size_it_is_unknown(self) -> None:
        levels = {S.RUNNING: 4.0, S.KV_USAGE: 0.8, S.PREEMPTIONS: lambda t: t}
        assert from_onset(steady(levels), 20).tokens_recomputed_estimate is None

    def test_sglang_counts_them_itself(self) -> None:
        levels = {**self.PRESSED, S.PREEMPTIONS: lambda t: t}
        readings = steady(levels, engine=Engine.SGLANG)
        last = max(readings)
        counted = {"num_retracted_input_tokens": 5_000.0, "num_retracted_output_tokens": 700.0}
        readings[last] = replace(readings[last], values={**readings[last].values, **counted})
        view = replace(scene_of(readings), at_onset={"num_retracted_input_tokens": 1_000.0})
        assert impact(view, start_of(view, 20)).tokens_recomputed_estimate == 4_700


def test_peaks_are_those_since_the_onset() -> None:
    levels = {
        S.WAITING: lambda t: 90.0 if t == 5 else 30.0 if t == 40 else 2.0,
        S.KV_USAGE: lambda t: 0.5 + t / 1000,
    }
    told = from_onset(steady(levels), 20)
    assert told.peak_waiting == 30
    assert told.peak_kv_usage == pytest.approx(0.589)


def test_each_number_names_what_it_rests_on() -> None:
    told = from_onset(steady({S.WAITING: 2.0}), 20)
    assert told.sources == {"peak_waiting": "test:waiting"}


def test_without_a_start_or_a_page_only_the_time_is_known() -> None:
    view = scene_of(steady({S.WAITING: 2.0}))
    for told in (impact(view, None), impact(scene_of({}), None)):
        assert all(getattr(told, cost) is None for cost in COSTS)


def test_a_restart_takes_nothing_back() -> None:
    def page(t: float) -> Reading:
        since = t if t < 30 else t - 30
        start = 1000.0 if t < 30 else 2000.0
        return reading(
            {S.PROCESS_START: start, S.FINISHED_ERROR: since, S.FINISHED: 5 * since},
            {S.TTFT: first_tokens(since, since)},
        )

    readings: dict[float, Reading] = {}
    told: Impact | None = None
    start: ImpactStart | None = None
    for t in range(60):
        readings[float(t)] = page(float(t))
        view = scene_of(readings, onset_t=10)
        start = start or start_of(view, 10) if t >= 10 else None
        told = impact(view, start, told) if start is not None else None
    assert told is not None
    # One error and one late first token a second from 10 to 29 and from 30 to 59; each process begins at 0.
    assert told.requests_failed == 19 + 29
    assert told.requests_delayed == 19 + 29


@given(
    steps=st.lists(
        st.tuples(
            st.floats(0, 50),
            st.floats(0, 50),
            st.floats(0, 500),
            st.floats(0, 1),
            st.integers(0, 5),
            st.booleans(),
        ),
        min_size=2,
        max_size=25,
    )
)
def test_costs_only_grow_whatever_the_engine_says(
    steps: list[tuple[float, float, float, float, int, bool]],
) -> None:
    readings: dict[float, Reading] = {}
    told: Impact | None = None
    start: ImpactStart | None = None
    counts = [0.0, 0.0, 0.0]
    for t, (in_time, late, waiting, usage, errors, restart) in enumerate(steps):
        counts = [0.0] * 3 if restart else [counts[0] + in_time, counts[1] + late, counts[2] + errors]
        values = {S.WAITING: waiting, S.KV_USAGE: usage, S.FINISHED_ERROR: counts[2], S.RUNNING: waiting}
        readings[0.123 + 0.7 * t] = reading(values, {S.TTFT: first_tokens(counts[0], counts[1])})
        view = scene_of(readings, onset_t=1)
        start = start or start_of(view, 1)
        before, told = told, impact(view, start, told)
        assert told.until_unix == view.unix
        assert (told.seconds_over_objective or 0.0) <= max(readings) - min(readings) + 1e-3
        for cost in COSTS:
            was, now = getattr(before, cost, None), getattr(told, cost)
            assert was is None or (now is not None and now >= was)
            assert now is None or now >= 0


def test_an_engine_that_stands_still_is_late_every_second() -> None:
    """Gauges of a frozen core read idle: nothing waits, and yet nobody gets a token."""
    readings = {float(t): reading({S.WAITING: 0.0}, {S.TTFT: first_tokens(5, 0)}) for t in range(31)}
    before = from_onset({t: r for t, r in readings.items() if t <= 10}, 5)
    stalled = scene_of(readings, onset_t=5, kinds=("stall",))
    assert impact(stalled, start_of(stalled, 5), before).seconds_over_objective == 20
