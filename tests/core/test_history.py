from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.history import HORIZON_S, SPARSE_STEP_S, History
from inferguard_core.reading import Histogram
from inferguard_core.signals import Signal
from tests.core.readings import EDGES, buckets, history, reading, window


def test_a_counter_continues_through_a_restart() -> None:
    kept = history(
        {
            0: reading({Signal.FINISHED: 100, Signal.PROMPT_TOKENS: 1000}),
            1: reading({Signal.FINISHED: 110, Signal.PROMPT_TOKENS: 1100}),
            2: reading({Signal.FINISHED: 3, Signal.PROMPT_TOKENS: 30}),
        }
    )
    assert kept.newest is not None
    assert kept.newest.get(Signal.FINISHED) == 113


def test_a_moved_start_time_is_a_restart_even_when_no_counter_fell() -> None:
    kept = History()
    kept.append(0, 0, reading({Signal.PROCESS_START: 50, Signal.FINISHED: 5, Signal.RUNNING: 7}))
    appended = kept.append(1, 1, reading({Signal.PROCESS_START: 90, Signal.FINISHED: 6, Signal.RUNNING: 0}))
    assert appended.restarted
    assert appended.running_before == 7
    assert kept.newest is not None
    assert kept.newest.get(Signal.FINISHED) == 11


def test_one_counter_falling_alone_is_doubtful_and_leaves_a_hole() -> None:
    kept = History()
    steady = {Signal.PROCESS_START: 50.0, Signal.PROMPT_TOKENS: 10.0}
    kept.append(0, 0, reading({**steady, Signal.FINISHED: 500}))
    appended = kept.append(1, 1, reading({**steady, Signal.FINISHED: 2}))
    assert not appended.restarted
    assert appended.fell == (Signal.FINISHED,)
    assert kept.newest is not None
    assert kept.newest.get(Signal.FINISHED) is None


def test_a_counter_that_dips_for_one_poll_shows_no_rise_when_it_returns() -> None:
    steady = {Signal.PROCESS_START: 50.0}
    values = [500, 2, 501]
    view = window({t: reading({**steady, Signal.FINISHED: v}) for t, v in enumerate(values)})
    increase = view.increase(Signal.FINISHED, 60)
    assert increase is not None
    assert increase.amount == 1


def test_a_fall_that_lasts_is_believed_to_be_a_reset() -> None:
    steady = {Signal.PROCESS_START: 50.0}
    values = [500, 2, 3, 4, 6]
    view = window({t: reading({**steady, Signal.FINISHED: v}) for t, v in enumerate(values)})
    increase = view.increase(Signal.FINISHED, 60)
    assert increase is not None
    assert increase.amount == 6


def test_buckets_continue_through_a_restart() -> None:
    start = {Signal.PROCESS_START: 1.0}
    moved = {Signal.PROCESS_START: 900.0}
    view = window(
        {
            0: reading(start, {Signal.TTFT: buckets(10, 0, 0, 0, 0, 0)}),
            1: reading(start, {Signal.TTFT: buckets(10, 30, 0, 0, 0, 0)}),
            2: reading(moved, {Signal.TTFT: buckets(0, 30, 0, 0, 0, 0)}),
        }
    )
    delta = view.buckets(Signal.TTFT, 60)
    assert delta is not None
    assert delta[0].counts == (0, 60, 60, 60, 60, 60)


def test_buckets_of_other_edges_are_never_subtracted() -> None:
    other = Histogram((1.0, float("inf")), (5, 9), 3.0)
    view = window(
        {0: reading({}, {Signal.TTFT: buckets(1, 1, 1, 1, 1, 1)}), 1: reading({}, {Signal.TTFT: other})}
    )
    assert view.buckets(Signal.TTFT, 60) is None


def test_a_reading_out_of_order_is_refused() -> None:
    kept = history({5: reading()})
    with pytest.raises(ValueError, match="does not follow"):
        kept.append(5, 5, reading())


def test_a_step_of_the_wall_clock_is_told() -> None:
    kept = History()
    kept.append(0, 1000, reading())
    assert kept.append(1, 1001, reading()).clock_jump_s == 0
    assert kept.append(2, 4602, reading()).clock_jump_s == pytest.approx(3600)


def test_rows_are_bounded_whatever_the_uptime() -> None:
    kept = History()
    sizes = []
    for t in range(3 * int(HORIZON_S)):
        kept.append(t, t, reading({Signal.KV_USAGE: 0.5}))
        sizes.append(len(kept))
    assert max(sizes) <= 330 * 1.1 + 1 + HORIZON_S / SPARSE_STEP_S + 1
    assert kept.oldest is not None
    assert kept.newest is not None
    assert kept.newest.t - kept.oldest.t <= HORIZON_S + 330


def test_a_busy_endpoint_stays_within_the_stated_memory() -> None:
    """The module promises 2 KiB a row and under 1.5 MiB an endpoint at 1 s."""
    vllm_edges = (*tuple(float(i) for i in range(21)), float("inf"))
    tracemalloc.start()
    kept = History()
    for t in range(int(HORIZON_S) + 200):
        counts = tuple(float(t * 10 + i) for i in range(22))
        histograms = {
            s: Histogram(vllm_edges, counts, float(t))
            for s in (Signal.TTFT, Signal.ITL, Signal.E2E, Signal.QUEUE_TIME)
        }
        kept.append(t, t, reading({Signal.KV_USAGE: t / 1e4, Signal.FINISHED: float(t)}, histograms))
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 1.5 * 2**20


@given(st.lists(st.integers(0, 50), min_size=2, max_size=40), st.integers(1, 38))
def test_increase_is_the_sum_of_the_rises_wherever_a_restart_falls(rises: list[int], restart: int) -> None:
    samples, raw = {}, 0.0
    for t, rise in enumerate(rises):
        restarted = t == restart
        raw = float(rise) if restarted else raw + rise
        start = 1000.0 if t >= restart else 1.0
        samples[float(t)] = reading({Signal.PROCESS_START: start, Signal.GENERATION_TOKENS: raw})
    increase = window(samples).increase(Signal.GENERATION_TOKENS, 1000)
    assert increase is not None
    assert increase.amount == sum(rises[1:])


def test_the_last_rise_is_remembered() -> None:
    view = window({t: reading({Signal.GENERATION_TOKENS: min(t, 4.0)}) for t in range(10)})
    assert view.flat_for([Signal.GENERATION_TOKENS]) == 5
    assert view.flat_for([Signal.FINISHED]) is None
    assert len(EDGES) == 6
