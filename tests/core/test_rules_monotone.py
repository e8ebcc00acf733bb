"""More of what a rule is about never makes it milder: not hot again, not cool again, not of lower severity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from inferguard_core.baselines import Normal
from inferguard_core.detect.availability import endpoint_down
from inferguard_core.detect.kv import kv_exhaustion_forecast, kv_saturated
from inferguard_core.detect.preemption import preemption
from inferguard_core.detect.prefix import prefix_thrash
from inferguard_core.detect.progress import stall, traffic_stopped
from inferguard_core.detect.swap import swap
from inferguard_core.signals import Signal
from inferguard_core.verdict import Forecast
from tests.core.rule_views import LIMITS, gauges, learnt, situation

if TYPE_CHECKING:
    from inferguard_core.detect.finding import Finding

S = Signal
HURT = frozenset({"queue_growth", "preemption"})
intervals = st.sampled_from((1, 2, 5))


def no_milder(less: Finding, more: Finding) -> None:
    assert bool(less.hot) <= bool(more.hot)
    assert bool(less.cool) >= bool(more.cool)
    if less.hot and more.hot:
        assert less.severity <= more.severity


@given(st.integers(1, 80), st.integers(1, 80), intervals)
@settings(deadline=None)
def test_a_longer_standstill(one: int, other: int, every: int) -> None:
    """Both looked at at the same instant, so that only the standstill differs."""
    short, long = sorted((one, other))
    known = situation(S.RUNNING, S.GENERATION_TOKENS, interval_s=float(every))

    def look(flat_s: int) -> Finding:
        view = gauges(
            121, every, running=3, waiting=0, generation_tokens=lambda t: min(t, 120 - flat_s) * 1.0
        )
        return stall(view, LIMITS, known)

    no_milder(look(short), look(long))


@given(st.integers(0, 60), st.integers(0, 60), intervals)
@settings(deadline=None)
def test_more_clients_that_pile_up(one: int, other: int, every: int) -> None:
    few, many = sorted((one, other))
    known = situation(S.OPEN_FDS, S.GENERATION_TOKENS, interval_s=float(every))

    def look(clients: int) -> Finding:
        view = gauges(
            121,
            every,
            generation_tokens=lambda t: min(t, 90) * 1.0,
            open_fds=lambda t: 38.0 + clients * max(0, t - 90) / 30,
        )
        return stall(view, LIMITS, known)

    no_milder(look(few), look(many))


@given(st.integers(0, 100), st.integers(0, 100))
@settings(deadline=None)
def test_a_longer_silence(one: int, other: int) -> None:
    short, long = sorted((one, other))
    known = situation(S.FINISHED, S.RUNNING, S.WAITING, baselines={Normal.FINISH_RATE: learnt(1.0)})

    def look(silent_s: int) -> Finding:
        view = gauges(201, running=0, waiting=0, finished=lambda t: min(t, 200 - silent_s) * 1.0)
        return traffic_stopped(view, LIMITS, known)

    no_milder(look(short), look(long))


@given(st.integers(0, 40), st.integers(0, 40), intervals)
@settings(deadline=None)
def test_more_preemptions(one: int, other: int, every: int) -> None:
    few, many = sorted((one, other))
    known = situation(S.PREEMPTIONS, S.FINISHED, interval_s=float(every))

    def look(count: int) -> Finding:
        view = gauges(
            301, every, finished=lambda t: t * 1.0, preemptions=lambda t: count * max(0, t - 240) / 60
        )
        return preemption(view, LIMITS, known)

    no_milder(look(few), look(many))


@given(st.integers(0, 20), st.integers(0, 20), st.floats(0, 1), st.floats(0, 1))
def test_more_swapped(one: int, other: int, usage: float, more_usage: float) -> None:
    known = situation(S.SWAPPED, S.CPU_CACHE_USAGE)
    (few, many), (low, high) = sorted((one, other)), sorted((usage, more_usage))
    less = swap(gauges(20, swapped=few, cpu_cache_usage=low), LIMITS, known)
    no_milder(less, swap(gauges(20, swapped=many, cpu_cache_usage=high), LIMITS, known))


@given(st.floats(0, 1), st.floats(0, 1), intervals)
def test_a_fuller_pool(one: float, other: float, every: int) -> None:
    low, high = sorted((one, other))
    known = situation(S.KV_USAGE, active=HURT, interval_s=float(every))
    looks = [kv_saturated(gauges(21, every, kv_usage=usage), LIMITS, known) for usage in (low, high)]
    no_milder(*looks)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_likelier_exhaustion(one: float, other: float) -> None:
    def look(probability: float) -> Finding:
        forecast = Forecast(0.7, 0.01, 30.0, 20.0, 40.0, probability, "uncalibrated", "trend", 20.0, 0)
        return kv_exhaustion_forecast(
            gauges(20, kv_usage=0.7), LIMITS, situation(S.KV_USAGE, forecast=forecast)
        )

    low, high = sorted((one, other))
    no_milder(look(low), look(high))


@given(st.floats(0, 0.9), st.floats(0, 0.9), intervals)
@settings(deadline=None)
def test_fewer_hits_in_a_crowded_pool(one: float, other: float, every: int) -> None:
    low, high = sorted((one, other))
    known = situation(
        S.PREFIX_HITS,
        S.PREFIX_QUERIES,
        S.KV_USAGE,
        interval_s=float(every),
        baselines={Normal.PREFIX_HIT_RATE: learnt(0.8)},
    )

    def look(share: float) -> Finding:
        view = gauges(
            121,
            every,
            kv_usage=0.7,
            prefix_queries=lambda t: t * 500.0,
            prefix_hits=lambda t: t * 500.0 * share,
        )
        return prefix_thrash(view, LIMITS, known)

    no_milder(look(high), look(low))


@given(st.integers(0, 9), st.integers(0, 9))
def test_more_failed_polls(one: int, other: int) -> None:
    few, many = sorted((one, other))
    no_milder(*(endpoint_down(LIMITS, situation(failed_polls=n, good_polls=0)) for n in (few, many)))
