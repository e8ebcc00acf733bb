"""Grades: by each action's own criteria, with noise in mind, and never because fewer requests run."""

from __future__ import annotations

from dataclasses import replace
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.actuation.effect import Both, effect, watched
from inferguard_core.actuation.span import Span
from inferguard_core.comparison import Period
from inferguard_core.followup import Grade
from inferguard_core.verdict import ActionType

PERIOD = Period(
    seconds=60, arrival_rate=5.0, first_tokens=300, late_share=0.9, itl_p95=0.1, failed=0, preemptions=120
)
BEFORE = Span(
    PERIOD, running=80, waiting=40, kv_usage=0.98, finished=250, prompt_tokens=200_000, hit_rate=0.1,
    drafted=5000, acceptance=0.2,
)  # fmt: skip
THROTTLE = ActionType.THROTTLE_CONCURRENCY


def grade(action: ActionType, after: Span, **given_: object) -> Grade:
    both = Both(before=BEFORE, after=after, seconds_since=120.0, **given_)  # type: ignore[arg-type]
    return effect(action, both).grade


def moved(span: Span = BEFORE, **period: object) -> Span:
    return replace(span, period=replace(span.period, **period))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (moved(preemptions=2, late_share=0.1), Grade.HELPED),
        (moved(preemptions=2), Grade.HELPED),
        (moved(late_share=0.1), Grade.HELPED),
        (moved(itl_p95=0.05), Grade.HELPED),
        # Only fewer run: that is the action, not its success.
        (replace(BEFORE, running=40, waiting=0, kv_usage=0.4), Grade.NO_CHANGE),
        (moved(preemptions=110), Grade.NO_CHANGE),
        (moved(late_share=1.0), Grade.WORSE),
        # Refusing people is no way to make the others faster.
        (moved(failed=60, late_share=0.1, preemptions=0), Grade.WORSE),
        (moved(preemptions=2, arrival_rate=3.0), Grade.UNKNOWN),
        (moved(preemptions=2, arrival_rate=None), Grade.UNKNOWN),
    ],
)
def test_a_throttle(after: Span, expected: Grade) -> None:
    assert grade(THROTTLE, after) is expected


LIMIT = {"target_concurrency": 60.0, "running_now": 80.0}
FULL = replace(
    moved(preemptions=2, arrival_rate=3.0, itl_p95=0.1), running=59, waiting=0, held=59, held_most=60
)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (FULL, Grade.HELPED),
        (moved(FULL, preemptions=110), Grade.NO_CHANGE),
        (moved(FULL, itl_p95=0.2, preemptions=120), Grade.WORSE),
        # Early first tokens are those of whom the gateway let in.
        (moved(FULL, preemptions=120, late_share=0.0), Grade.NO_CHANGE),
        # Refusing is no way to serve.
        (moved(FULL, failed=60), Grade.WORSE),
        # Fewer are served: it may have cost more than it gained.
        (replace(FULL, finished=150), Grade.UNKNOWN),
        (replace(FULL, finished=None), Grade.UNKNOWN),
        # Not full: the traffic may have gone by itself.
        (replace(FULL, running=40, held=40, held_most=55), Grade.UNKNOWN),
        # About the limit and over it at times: traffic that wanders.
        (replace(FULL, held_most=75), Grade.UNKNOWN),
        (replace(FULL, held=None, held_most=None), Grade.UNKNOWN),
    ],
)
def test_a_throttle_that_is_reached_is_judged_by_the_requests_it_lets_in(
    after: Span, expected: Grade
) -> None:
    """Arrivals cannot be alike where the throttle itself decides what arrives."""
    assert grade(THROTTLE, after, parameters=LIMIT) is expected


@pytest.mark.parametrize("beside", [{}, {"admit_per_second": 3.0}, {"target_agents": 40.0}])
def test_a_limit_that_is_not_in_force_has_done_nothing(beside: dict[str, float]) -> None:
    """The receiver said yes and nothing changed: preemptions that fell by themselves are not its doing."""
    found = effect(THROTTLE, Both(BEFORE, moved(preemptions=2), parameters=LIMIT | beside))
    assert found.grade is (Grade.HELPED if beside else Grade.NO_CHANGE)
    assert beside or "it was not carried out, or not yet" in found.lines[1]


def test_a_throttle_at_its_limit_says_so() -> None:
    told = effect(THROTTLE, Both(BEFORE, FULL, parameters=LIMIT)).lines
    assert any("preemptions a request 0.48 → 0.008: helped" in text for text in told)
    assert any("4.17 requests/s served before, 4.17 after" in text for text in told)
    assert any("the limit of 60 was reached all the time" in text for text in told)
    assert not any("late first tokens" in text for text in told)


def test_a_throttle_says_what_it_did_not_count() -> None:
    told = effect(THROTTLE, Both(BEFORE, moved(preemptions=2))).lines
    assert any("not counted" in text and "80" in text for text in told)
    assert any("preemptions/s 2 → 0.0333" in text for text in told)
    assert any("no control" in text for text in told)


def test_a_replica_left_alone_that_did_not_move_puts_it_down_to_the_action() -> None:
    told = effect(THROTTLE, Both(BEFORE, moved(preemptions=2), control=(PERIOD, PERIOD))).lines
    assert any("the control did not move" in text for text in told)


@pytest.mark.parametrize(
    ("after", "restarts", "expected"),
    [
        (BEFORE, 1, Grade.HELPED),
        (BEFORE, 0, Grade.NO_CHANGE),
        (replace(BEFORE, finished=0.0), 1, Grade.WORSE),
        (replace(BEFORE, finished=0.0, running=0.0, waiting=0.0), 1, Grade.UNKNOWN),
        (moved(late_share=1.0), 1, Grade.WORSE),
    ],
)
def test_a_drain(after: Span, restarts: int, expected: Grade) -> None:
    assert grade(ActionType.DRAIN_AND_RECYCLE, after, restarts_since=restarts) is expected


def test_a_rank_whose_restart_cannot_be_seen_is_judged_by_the_traffic() -> None:
    after = moved(preemptions=0)
    assert grade(ActionType.DRAIN_AND_RECYCLE, after, parameters={"rank": "1"}) is Grade.HELPED


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (replace(BEFORE, hit_rate=0.5), Grade.HELPED),
        (replace(BEFORE, hit_rate=0.15), Grade.NO_CHANGE),
        (replace(BEFORE, hit_rate=0.0), Grade.WORSE),
        (replace(BEFORE, hit_rate=0.5, prompt_tokens=100), Grade.UNKNOWN),
        (moved(replace(BEFORE, hit_rate=0.5), arrival_rate=1.0), Grade.UNKNOWN),
        (moved(replace(BEFORE, hit_rate=0.5), late_share=1.0), Grade.WORSE),
    ],
)
def test_a_flush(after: Span, expected: Grade) -> None:
    assert grade(ActionType.FLUSH_SESSION_RADIX, after) is expected


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (replace(BEFORE, acceptance=0.6), Grade.HELPED),
        (moved(replace(BEFORE, drafted=0, acceptance=None), itl_p95=0.05), Grade.HELPED),
        (replace(BEFORE, acceptance=0.25), Grade.NO_CHANGE),
        (moved(replace(BEFORE, acceptance=0.6), itl_p95=0.2), Grade.WORSE),
        (moved(replace(BEFORE, drafted=0, acceptance=None), itl_p95=None), Grade.UNKNOWN),
    ],
)
def test_a_shorter_window(after: Span, expected: Grade) -> None:
    assert grade(ActionType.SHRINK_SPECULATION_WINDOW, after, restarts_since=1) is expected


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (replace(BEFORE, kv_usage=0.5), Grade.HELPED),
        (replace(BEFORE, kv_usage=0.95), Grade.NO_CHANGE),
        (moved(replace(BEFORE, kv_usage=0.5), late_share=1.0), Grade.WORSE),
        (replace(BEFORE, kv_usage=None), Grade.UNKNOWN),
    ],
)
def test_a_compaction(after: Span, expected: Grade) -> None:
    assert grade(ActionType.RECOMMEND_COMPACTION, after) is expected


class TestQuarantine:
    @staticmethod
    def graded(crashes: int, seconds: float, since: int = 0) -> Grade:
        both = Both(replace(BEFORE, crashes=crashes), BEFORE, restarts_since=since, seconds_since=seconds)
        return effect(ActionType.QUARANTINE_SHAPE, both).grade

    def test_a_silence_that_chance_explains_proves_nothing(self) -> None:
        assert exp(-3 * 120 / 900) > 0.05
        assert self.graded(3, 120) is Grade.UNKNOWN
        assert self.graded(0, 9000) is Grade.UNKNOWN

    def test_one_that_it_does_not_explain_is_a_success(self) -> None:
        assert exp(-3 * 1000 / 900) < 0.05
        assert self.graded(3, 1000) is Grade.HELPED

    def test_another_crash_is_none(self) -> None:
        assert self.graded(3, 1000, since=1) is Grade.NO_CHANGE


@pytest.mark.parametrize("action", list(ActionType))
def test_an_endpoint_that_is_gone_afterwards_is_worse(action: ActionType) -> None:
    assert grade(action, BEFORE, answers=False) is Grade.WORSE


def test_a_restart_in_between_spoils_a_comparison_that_does_not_expect_one() -> None:
    assert grade(THROTTLE, moved(preemptions=0), restarts_since=1) is Grade.UNKNOWN


NUMBERS = st.one_of(st.none(), st.floats(0, 1e6))
SPANS = st.builds(
    Span,
    period=st.builds(
        Period, seconds=st.floats(0, 1e4), arrival_rate=NUMBERS, first_tokens=st.integers(0, 10**6),
        late_share=st.one_of(st.none(), st.floats(0, 1)), itl_p95=NUMBERS, failed=NUMBERS, preemptions=NUMBERS,
    ),
    running=NUMBERS, waiting=NUMBERS, kv_usage=NUMBERS, finished=NUMBERS, prompt_tokens=st.floats(0, 1e9),
    hit_rate=NUMBERS, drafted=st.floats(0, 1e9), acceptance=NUMBERS, restarts=st.integers(0, 9),
    crashes=st.integers(0, 9),
)  # fmt: skip


@given(action=st.sampled_from(list(ActionType)), before=SPANS, after=SPANS, restarts=st.integers(0, 3))
def test_nothing_raises_and_a_span_against_itself_neither_helps_nor_harms(
    action: ActionType, before: Span, after: Span, restarts: int
) -> None:
    assert watched(action)
    assert effect(action, Both(before, after, restarts_since=restarts, seconds_since=60.0)).lines
    same = effect(action, Both(before, before, seconds_since=60.0)).grade
    if action is not ActionType.QUARANTINE_SHAPE:
        assert same in (Grade.NO_CHANGE, Grade.UNKNOWN)
