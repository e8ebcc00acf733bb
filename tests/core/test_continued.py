"""Counters over restarts and over sick pages."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inferguard_core.continued import LARGEST
from inferguard_core.history import History
from inferguard_core.signals import Signal
from tests.core.readings import buckets, reading

S = Signal


def rises(*values: float) -> tuple[History, list[float | None]]:
    """A counter's continued values at one reading a second."""
    kept, seen = History(), []
    for t, value in enumerate(values):
        kept.append(float(t), 1.8e9 + t, reading({S.FINISHED: value}))
    assert kept.newest is not None
    seen.extend(row.get(S.FINISHED) for row in kept.since(-1.0))
    return kept, seen


def test_a_spike_that_the_next_page_takes_back_never_was() -> None:
    assert rises(10, 11, 5000, 13, 14)[1] == [10, 11, None, 13, 14]


def test_a_number_that_nothing_can_count_is_left_out_and_said_so() -> None:
    kept = History()
    kept.append(0.0, 1.8e9, reading({S.FINISHED: 10.0}))
    appended = kept.append(1.0, 1.8e9 + 1, reading({S.FINISHED: 1e12}))
    assert appended.leapt == (S.FINISHED,)
    assert kept.append(2.0, 1.8e9 + 2, reading({S.FINISHED: 12.0})).leapt == ()
    assert [row.get(S.FINISHED) for row in kept.since(-1.0)] == [10.0, None, 12.0]


def test_a_level_that_stays_far_up_is_the_new_level_and_no_rise() -> None:
    _, seen = rises(10, 1e12, 1e12 + 1, 1e12 + 2, 1e12 + 3)
    assert seen == [10, None, None, 10, 11]


def test_a_fall_that_stays_is_a_reset() -> None:
    _, seen = rises(100, 200, 5, 6, 7, 8)
    assert seen == [100, 200, None, None, 207, 208]


def test_a_histogram_that_leaps_is_left_out() -> None:
    kept = History()
    for t, count in enumerate((1.0, 1e12, 3.0)):
        kept.append(float(t), 1.8e9 + t, reading({}, {S.TTFT: buckets(count, 0, 0, 0, 0, 0)}))
    shown = [row.histogram(S.TTFT) for row in kept.since(-1.0)]
    assert [h.count if h else None for h in shown] == [1.0, None, 3.0]


@given(st.lists(st.floats(0, 1e300), min_size=2, max_size=30))
@example([1.0, 2.0, 0.0, 1.0])
@example([0.5, 0.0, 0.0, 100000001.0, 1.0])
@example([0.0, 9007200.0, 9007199254740994.0, 0.0])
def test_whatever_comes_the_continued_counter_does_not_fall(values: list[float]) -> None:
    known = [v for v in rises(*values)[1] if v is not None]
    rounding = 1e-9 * min(max(values), LARGEST)
    assert all(b >= a - rounding for a, b in itertools.pairwise(known))


@pytest.mark.parametrize("restart", [True, False])
def test_a_new_process_goes_on_where_the_old_one_ended(restart: bool) -> None:
    kept = History()
    for t, (count, start) in enumerate([(100.0, 5.0), (110.0, 5.0), (3.0, 500.0 if restart else 5.0)]):
        kept.append(float(t), 1.8e9 + t, reading({S.FINISHED: count, S.PROCESS_START: start}))
    assert kept.newest is not None
    assert kept.newest.get(S.FINISHED) == (113.0 if restart else None)
