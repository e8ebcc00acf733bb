"""Before and after a change: like traffic only, noise in mind, and never the change itself without a control."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.comparison import Period, Verdict, compare, period
from inferguard_core.detect.limits import Limits
from inferguard_core.signals import Signal
from tests.core.readings import buckets, reading, window

S = Signal
BEFORE = Period(
    seconds=120, arrival_rate=5.0, first_tokens=600, late_share=0.30, itl_p95=0.05, failed=6, preemptions=90
)


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, Verdict.NO_CHANGE),
        ({"late_share": 0.05}, Verdict.HELPED),
        ({"late_share": 0.45}, Verdict.WORSE),
        # 600 and 600 requests at 0.3: one standard error is 0.026, a difference of 0.05 is luck.
        ({"late_share": 0.25}, Verdict.NO_CHANGE),
        ({"preemptions": 20}, Verdict.HELPED),
        ({"preemptions": 80}, Verdict.NO_CHANGE),
        ({"itl_p95": 0.03}, Verdict.HELPED),
        ({"itl_p95": 0.055}, Verdict.NO_CHANGE),
        ({"failed": 60}, Verdict.WORSE),
        # Refusing people is no way to make the others faster.
        ({"failed": 60, "late_share": 0.05}, Verdict.WORSE),
    ],
)
def test_verdicts(change: dict[str, float], verdict: Verdict) -> None:
    answer = compare(BEFORE, replace(BEFORE, **change))  # type: ignore[arg-type]
    assert answer.verdict is verdict
    assert answer.comparable


@pytest.mark.parametrize(
    ("rate", "comparable"),
    [(5.0, True), (4.0, True), (6.25, True), (3.9, False), (6.4, False), (None, False)],
)
def test_traffic_that_differs_by_more_than_a_fifth_is_another_load(
    rate: float | None, comparable: bool
) -> None:
    answer = compare(BEFORE, replace(BEFORE, arrival_rate=rate, late_share=0.0))
    assert answer.comparable is comparable
    assert (answer.verdict is Verdict.UNKNOWN) is not comparable


def test_too_few_requests_tell_nothing() -> None:
    few = Period(seconds=60, arrival_rate=0.2, first_tokens=12, late_share=0.5)
    assert compare(few, replace(few, late_share=0.0)).verdict is Verdict.UNKNOWN


class TestControl:
    AFTER = replace(BEFORE, late_share=0.05)

    def test_without_one_nothing_is_put_down_to_the_change(self) -> None:
        answer = compare(BEFORE, self.AFTER)
        assert not answer.causal
        assert "no control" in answer.why

    def test_one_that_did_not_move_puts_it_down_to_the_change(self) -> None:
        assert compare(BEFORE, self.AFTER, (BEFORE, BEFORE)).causal

    def test_one_that_moved_as_well_does_not(self) -> None:
        answer = compare(BEFORE, self.AFTER, (BEFORE, self.AFTER))
        assert not answer.causal
        assert "moved too" in answer.why

    def test_one_of_other_traffic_says_nothing(self) -> None:
        answer = compare(BEFORE, self.AFTER, (BEFORE, replace(BEFORE, arrival_rate=50.0)))
        assert not answer.causal

    def test_no_change_has_no_cause(self) -> None:
        assert not compare(BEFORE, BEFORE, (BEFORE, BEFORE)).causal


def test_a_period_is_measured_from_counters() -> None:
    # 5 finished a second, 60 more waiting at the end than at the start: 5 + 1 arrived a second.
    samples = {
        float(t): reading(
            {S.FINISHED: 5.0 * t, S.RUNNING: 8.0, S.WAITING: float(t), S.FINISHED_ERROR: float(t // 10)},
            {S.TTFT: buckets(0, 3 * t, 0, t)},
        )
        for t in range(61)
    }
    seen = period(window(samples), 60.0, Limits())
    assert seen.arrival_rate == pytest.approx(6.0)
    assert seen.late_share == pytest.approx(0.25)
    assert seen.first_tokens == 240
    assert seen.failed == 6
    assert seen.preemptions is None


NUMBERS = st.one_of(st.none(), st.floats(0, 1e6))
PERIODS = st.builds(
    Period,
    seconds=st.floats(0, 1e4),
    arrival_rate=NUMBERS,
    first_tokens=st.integers(0, 10**6),
    late_share=st.one_of(st.none(), st.floats(0, 1)),
    itl_p95=NUMBERS,
    failed=NUMBERS,
    preemptions=NUMBERS,
)


@given(before=PERIODS, after=PERIODS)
def test_a_period_against_itself_is_never_better_or_worse_and_nothing_raises(
    before: Period, after: Period
) -> None:
    assert compare(before, before).verdict in {Verdict.NO_CHANGE, Verdict.UNKNOWN}
    opposite = {Verdict.HELPED: Verdict.WORSE, Verdict.WORSE: Verdict.HELPED}
    there, back = compare(before, after).verdict, compare(after, before).verdict
    if there in opposite and before.itl_p95 == after.itl_p95:
        assert back is opposite[there]
