from __future__ import annotations

import pytest

from inferguard_core.baseline import KEPT, Baseline


def test_it_is_not_trusted_before_sixty_samples() -> None:
    known = Baseline(60, 300)
    for t in range(59):
        known.learn(t, 1.0)
    assert not known.trusted
    assert known.centre is None
    assert known.progress == "learning 59/60"
    known.learn(59, 1.0)
    assert known.centre == 1.0
    assert known.progress == ""


def test_five_minutes_of_a_slow_endpoint_are_enough() -> None:
    known = Baseline(60, 300)
    for t in range(0, 331, 30):
        known.learn(t, 2.0)
    assert known.trusted


def test_samples_closer_than_a_second_are_left_out() -> None:
    known = Baseline(60, 300)
    for tick in range(20):
        known.learn(tick / 2, 1.0)
    assert known.progress == "learning 10/60"


def test_a_few_outliers_do_not_move_it() -> None:
    known = Baseline(60, 300)
    for t in range(100):
        known.learn(t, 50.0 if t % 10 == 0 else 1.0)
    assert known.centre == 1.0


def test_a_constant_signal_has_a_finite_z() -> None:
    """No spread at all: five per cent of the level stands in for it."""
    known = Baseline(2, 300)
    for t in range(3):
        known.learn(t, 1.0)
    assert known.z(1.1, floor=0.01) == pytest.approx(2.0)


def test_it_forgets_the_far_past() -> None:
    known = Baseline(60, 300)
    for t in range(KEPT * 3):
        known.learn(t * 5.0, 1.0 if t < KEPT else 9.0)
    assert known.centre == 9.0


@pytest.mark.parametrize(("interval_s", "samples"), [(1, 60), (2, 31), (5, 13), (10, 13), (30, 11)])
def test_a_sample_counts_for_the_seconds_it_stands_for(interval_s: int, samples: int) -> None:
    """A minute of traffic teaches the same at any interval up to five seconds; past it, five minutes decide."""
    known = Baseline(60, 300)
    for number in range(samples + 4):
        known.learn(number * interval_s, 1.0)
        assert known.trusted is (number + 1 >= samples)


def test_what_it_counted_outlives_the_monitor() -> None:
    known = Baseline(60, 300)
    for number in range(14):
        known.learn(number * 5.0, 1.0)
    assert Baseline.from_json(known.to_json(), 60, 300).trusted


def test_its_high_is_what_one_sample_in_twenty_reaches() -> None:
    """Gusts in every tenth sample are usual, one in a hundred is not."""
    gusty, calm = Baseline(60, 300), Baseline(60, 300)
    for t in range(200):
        gusty.learn(5.0 * t, 3.0 if t % 10 == 0 else 1.0)
        calm.learn(5.0 * t, 3.0 if t % 100 == 0 else 1.0)
    assert (gusty.centre, gusty.high) == (1.0, 3.0)
    assert (calm.centre, calm.high) == (1.0, 1.0)


def test_it_has_no_high_before_it_is_trusted() -> None:
    known = Baseline(60, 300)
    known.learn(0.0, 1.0)
    assert known.high is None
