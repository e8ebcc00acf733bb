from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.signals import Signal
from inferguard_core.window import bucket_quantile, snapped
from tests.core.readings import EDGES, buckets, reading, window

KV = Signal.KV_USAGE


def test_a_signal_that_is_absent_is_unknown_everywhere() -> None:
    view = window({t: reading({Signal.RUNNING: 1.0}) for t in range(5)})
    assert view.latest(KV) is None
    assert view.median(KV, 60) is None
    assert view.maximum(KV, 60) is None
    assert view.slope(KV, 60) is None
    assert view.increase(Signal.FINISHED, 60) is None
    assert view.quantile(Signal.TTFT, 0.95, 60) is None
    assert view.share_over(Signal.TTFT, 1.0, 60) is None


def test_one_sample_gives_no_rate() -> None:
    assert window({0: reading({Signal.FINISHED: 7})}).increase(Signal.FINISHED, 60) is None


def test_only_samples_within_the_window_count() -> None:
    view = window({t: reading({KV: t / 100}) for t in range(21)})
    assert view.maximum(KV, 5) == 0.20
    assert view.minimum(KV, 5) == 0.16
    assert view.median(KV, 5) == 0.18


def test_a_rate_over_a_gap_is_spread_over_the_gap() -> None:
    view = window({0: reading({Signal.FINISHED: 0}), 100: reading({Signal.FINISHED: 50})})
    increase = view.increase(Signal.FINISHED, 10)
    assert increase is not None
    assert increase.seconds == 100
    assert increase.rate == 0.5


@pytest.mark.parametrize("interval", [1, 2, 5])
def test_a_slope_does_not_depend_on_the_interval(interval: int) -> None:
    view = window({t: reading({Signal.WAITING: 3 + 0.5 * t}) for t in range(0, 61, interval)})
    assert view.slope(Signal.WAITING, 60) == pytest.approx(0.5)


def test_a_slope_ignores_single_spikes() -> None:
    samples = dict.fromkeys(range(60), 10.0) | {20: 500.0, 41: 900.0}
    view = window({t: reading({Signal.WAITING: v}) for t, v in sorted(samples.items())})
    assert view.slope(Signal.WAITING, 60) == 0


def test_a_slope_needs_a_third_of_its_window() -> None:
    view = window({t: reading({Signal.WAITING: float(t)}) for t in range(15)})
    assert view.slope(Signal.WAITING, 60) is None
    assert view.slope(Signal.WAITING, 40) == pytest.approx(1.0)


def test_a_quantile_is_of_the_window_and_not_of_the_lifetime() -> None:
    slow_past = buckets(0, 0, 0, 0, 1000, 0)
    view = window(
        {
            0: reading({}, {Signal.TTFT: slow_past}),
            60: reading({}, {Signal.TTFT: buckets(40, 0, 0, 0, 1000, 0)}),
        }
    )
    quantile = view.quantile(Signal.TTFT, 0.5, 60)
    assert quantile is not None
    assert quantile.n == 40
    assert quantile.value == pytest.approx(0.05)


def test_a_quantile_of_few_requests_is_refused() -> None:
    def p(q: float, n: int) -> object:
        view = window({0: reading({}, {Signal.TTFT: buckets(0, 0, 0, 0, 0, 0)}),
                       9: reading({}, {Signal.TTFT: buckets(n, 0, 0, 0, 0, 0)})})  # fmt: skip
        return view.quantile(Signal.TTFT, q, 60)

    assert p(0.95, 19) is None
    assert p(0.95, 20) is not None
    assert p(0.99, 99) is None
    assert p(0.99, 100) is not None


def test_a_quantile_beyond_the_last_edge_says_so() -> None:
    assert bucket_quantile(EDGES, (0, 0, 0, 0, 0, 10), 0.95) == (5.0, True)


def test_a_quantile_is_linear_within_its_bucket() -> None:
    """Half of ten requests lie in (0.1, 0.5], the rank falls 4/5 of the way through that bucket."""
    value, beyond = bucket_quantile(EDGES, (2, 7, 10, 10, 10, 10), 0.6)
    assert (value, beyond) == (pytest.approx(0.1 + 0.4 * 4 / 5), False)


def test_the_objective_snaps_down_so_that_good_is_truly_good() -> None:
    assert EDGES[snapped(EDGES, 1.0)] == 1.0
    assert EDGES[snapped(EDGES, 2.0)] == 1.0
    assert EDGES[snapped(EDGES, 0.01)] == 0.1


def test_the_share_over_an_objective_is_counted_from_the_window() -> None:
    view = window(
        {
            0: reading({}, {Signal.TTFT: buckets(100, 0, 0, 0, 0, 0)}),
            30: reading({}, {Signal.TTFT: buckets(103, 0, 0, 1, 0, 0)}),
        }
    )
    share = view.share_over(Signal.TTFT, 1.0, 60)
    assert share is not None
    assert (share.over, share.n, share.edge) == (0.25, 4, 1.0)


observations = st.lists(st.floats(0.0, 4.9), min_size=20, max_size=200)


@given(observations, st.sampled_from([0.5, 0.9, 0.95]))
def test_a_bucket_quantile_lies_in_the_bucket_of_the_true_one(values: list[float], q: float) -> None:
    counts = tuple(float(sum(v <= e for v in values)) for e in EDGES)
    value, _ = bucket_quantile(EDGES, counts, q)
    rank = max(1, math.ceil(q * len(values)))
    true = sorted(values)[rank - 1]
    lower = max((e for e in (0.0, *EDGES) if e < true), default=0.0)
    upper = min(e for e in EDGES if e >= true)
    assert lower - 1e-9 <= value <= upper + 1e-9
