"""The clients: how many come, how long their requests are, when they return."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_tui.simulator.request import FinishReason, Request, Segment, block_keys
from inferguard_tui.simulator.rng import stream
from inferguard_tui.simulator.size import EngineSize
from inferguard_tui.simulator.traffic import BackOff, Bursts, Lengths, Rate, Sessions, Traffic
from inferguard_tui.simulator.workload import Workload

PLAIN = Traffic("plain", Rate.constant(5.0), Lengths(100, 0.5), Lengths(50, 0.5))


def arrivals(traffic: Traffic, until: float, seed: int = 0) -> list[Request]:
    workload = Workload((traffic,), EngineSize(), seed, 0.0)
    taken = []
    while workload.next_at <= until:
        taken.append(workload.take())
    return taken


def test_a_constant_rate_is_a_poisson_process() -> None:
    """Mean and variance of counts per 10 s are both rate x 10; 4000 s give 400 counts."""
    taken = arrivals(PLAIN, 4000.0)
    counts = [0] * 400
    for request in taken:
        counts[int(request.arrived_at // 10)] += 1
    mean = sum(counts) / 400
    variance = sum((count - mean) ** 2 for count in counts) / 399
    assert mean == pytest.approx(50, rel=0.03)
    assert variance / mean == pytest.approx(1.0, abs=0.25)


def test_bursts_make_arrivals_more_uneven_than_poisson() -> None:
    taken = arrivals(replace(PLAIN, bursts=Bursts(factor=4.0, every_s=30.0, length_s=10.0)), 4000.0)
    counts = [0] * 400
    for request in taken:
        counts[int(request.arrived_at // 10)] += 1
    mean = sum(counts) / 400
    assert sum((count - mean) ** 2 for count in counts) / 399 / mean > 3


def test_a_rate_between_two_times_is_zero_outside() -> None:
    times = [r.arrived_at for r in arrivals(replace(PLAIN, rate=Rate.between(10.0, 20.0, 5.0)), 1000.0)]
    assert 30 < len(times) < 80
    assert min(times) >= 10.0
    assert max(times) <= 20.0


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 10)), min_size=1, max_size=6), st.floats(-10, 110))
def test_a_rate_is_never_above_its_peak(points, t: float) -> None:
    rate = Rate(tuple(sorted(points)))
    assert 0.0 <= rate.at(t) <= rate.peak * (1 + 1e-9)


def test_a_ramp_is_a_straight_line() -> None:
    rate = Rate(((0.0, 1.0), (10.0, 3.0)))
    assert [rate.at(t) for t in (-1.0, 0.0, 5.0, 10.0, 99.0)] == [1.0, 1.0, 2.0, 3.0, 3.0]


@given(st.integers(0, 1000))
def test_lengths_stay_within_their_bounds(seed: int) -> None:
    drawn = Lengths(100, 2.0, minimum=10, maximum=500).draw(stream(seed, "x"))
    assert 10 <= drawn <= 500


def test_lengths_have_the_median_they_say() -> None:
    rng = stream(0, "x")
    drawn = sorted(Lengths(300, 0.6).draw(rng) for _ in range(4001))
    assert drawn[2000] == pytest.approx(300, rel=0.05)


def test_one_class_s_draws_do_not_move_another_s() -> None:
    alone = [r.arrived_at for r in arrivals(PLAIN, 100.0)]
    workload = Workload((replace(PLAIN, name="other"), PLAIN), EngineSize(), 0, 0.0)
    together = []
    while workload.next_at <= 100.0:
        request = workload.take()
        if request.group == 1:
            together.append(request.arrived_at)
    assert together == alone


def test_a_conversation_returns_with_its_whole_history() -> None:
    traffic = replace(PLAIN, rate=Rate.between(0.0, 1.0, 3.0), sessions=Sessions(turns=1e9, think_s=2.0))
    workload = Workload((traffic,), EngineSize(), 0, 0.0)
    first = workload.take()
    while workload.next_at < math.inf:
        workload.take()
    first.generated, first.finish_reason = 30, FinishReason.STOP
    workload.answered(first, 50.0)
    second = workload.take()
    assert second.arrived_at > 50.0
    assert second.session == first.session
    assert second.segments[:2] == (*first.segments, first.output)


def test_clients_back_off_once_per_hold_and_not_below_the_floor() -> None:
    manners = BackOff(wait_s=2.0, factor=0.5, hold_s=10.0, floor=0.3)
    workload = Workload((replace(PLAIN, back_off=manners),), EngineSize(), 0, 0.0)
    (client,) = workload.clients
    for waited, now, slowed in ((1.9, 0.0, 1.0), (2.0, 1.0, 0.5), (9.0, 5.0, 0.5), (9.0, 11.0, 0.3)):
        client.observe_wait(waited, now)
        assert client.slowed == slowed


def test_equal_prefixes_have_equal_keys_and_nothing_else_has() -> None:
    shared, a, b = Segment(1, 40), Segment(2, 40), Segment(3, 40)
    keys_a, _, tokens = block_keys((shared, a), 16)
    keys_b, _, _ = block_keys((shared, b), 16)
    assert tokens == 80
    assert len(keys_a) == 5
    # Blocks 0 and 1 are all shared prefix; block 2 holds 8 tokens of each side.
    assert [x == y for x, y in zip(keys_a, keys_b, strict=True)] == [True, True, False, False, False]


def test_the_same_text_after_another_text_is_another_prefix() -> None:
    one, _, _ = block_keys((Segment(1, 32), Segment(9, 32)), 16)
    other, _, _ = block_keys((Segment(2, 32), Segment(9, 32)), 16)
    assert set(one).isdisjoint(other)
