from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.anomalies import AnomalyLife
from inferguard_core.detect.finding import Finding
from inferguard_core.detect.limits import Limits
from inferguard_core.frame import AnomalyState, Severity

OK, PENDING, FIRING, RECOVERING = (
    AnomalyState.OK,
    AnomalyState.PENDING,
    AnomalyState.FIRING,
    AnomalyState.RECOVERING,
)


def finding(
    hot: bool | None,
    cool: bool | None = None,
    severity: Severity = Severity.WARNING,
    for_s: float = 30,
    keep_s: float = 60,
) -> Finding:
    return Finding("kv_high", hot, (not hot) if cool is None else cool, for_s, keep_s, severity)


def live(findings: list[Finding], interval: float = 5) -> AnomalyLife:
    life = AnomalyLife("kv_high")
    for i, f in enumerate(findings):
        life.step(f, 1000 + i * interval, interval)
    return life


@pytest.mark.parametrize("interval", [1, 2, 5, 30])
def test_it_fires_after_the_same_observed_time_at_any_interval(interval: float) -> None:
    life = AnomalyLife("kv_high")
    steps = 0
    while life.state is not FIRING:
        life.step(finding(True), 1000 + steps * interval, interval)
        steps += 1
    assert (steps - 1) * interval == 30


def test_a_hold_time_of_zero_fires_at_once() -> None:
    assert live([finding(True, for_s=0)]).state is FIRING


def test_a_break_in_the_trigger_starts_the_hold_time_again() -> None:
    assert live([finding(True)] * 5 + [finding(False)] + [finding(True)] * 5).state is PENDING


def test_the_onset_is_when_the_evidence_began() -> None:
    life = live([finding(True)] * 8)
    assert life.onset_unix == 1000
    assert life.since_unix == 1030


def test_between_trigger_and_clear_it_holds() -> None:
    life = live([finding(True, for_s=0), *[finding(False, cool=False)] * 100])
    assert life.state is FIRING


def test_it_ends_after_the_keep_time_and_not_before() -> None:
    fired = [finding(True, for_s=0)]
    assert live([*fired, finding(False)]).state is RECOVERING
    assert live([*fired, *[finding(False)] * 12]).state is RECOVERING
    assert live([*fired, *[finding(False)] * 13]).state is OK


def test_a_relapse_while_recovering_fires_again() -> None:
    life = live([finding(True, for_s=0), finding(False), finding(True)])
    assert life.state is FIRING
    assert life.since_unix == 1000


def test_unknown_changes_nothing() -> None:
    life = live([finding(True, for_s=0), *[finding(None)] * 100])
    assert life.state is FIRING
    assert live([finding(True), *[finding(None)] * 100]).state is PENDING


def test_severity_rises_at_once_and_falls_one_step_per_keep_time() -> None:
    life = AnomalyLife("kv_high")
    life.step(finding(True, for_s=0), 0, 5)
    life.step(finding(True, severity=Severity.CRITICAL), 5, 5)
    assert life.severity is Severity.CRITICAL
    for i in range(11):
        life.step(finding(True, severity=Severity.NOTICE), 10 + 5 * i, 5)
    assert life.severity is Severity.CRITICAL
    life.step(finding(True, severity=Severity.NOTICE), 65, 5)
    assert life.severity is Severity.WARNING
    for i in range(12):
        life.step(finding(True, severity=Severity.NOTICE), 70 + 5 * i, 5)
    assert life.severity is Severity.NOTICE


def test_four_changes_in_ten_minutes_are_flapping_and_pass() -> None:
    cycle = [finding(True, for_s=0), finding(False, keep_s=0)]
    limits = Limits()
    assert not live(cycle).flapping(1005, limits)
    life = live(cycle * 2)
    assert life.flapping(1015, limits)
    assert not life.flapping(1700, limits)


outcomes = st.lists(st.sampled_from([True, False, None]), max_size=60)


@given(outcomes, st.sampled_from([1.0, 5.0]))
def test_a_state_that_is_shown_is_always_backed_by_a_hot_finding(
    sequence: list[bool | None], interval: float
) -> None:
    life = AnomalyLife("kv_high")
    was_hot = False
    for i, hot in enumerate(sequence):
        changed = life.step(finding(hot, for_s=2, keep_s=3), i * interval, interval)
        was_hot = was_hot or bool(hot)
        assert life.active <= was_hot
        assert (life.severity is Severity.OK) == (not life.active)
        assert not (changed and hot is None)


def test_what_had_held_before_it_was_seen_counts_towards_the_hold_time() -> None:
    """20 of 30 s were already over: ten more make it fire, with the onset where it began."""
    life = AnomalyLife("prefix_thrash")
    late = replace(finding(True), since_s=20.0, held_s=20.0)
    life.step(late, 1000.0, 5.0)
    assert life.state is PENDING
    life.step(late, 1005.0, 5.0)
    assert life.state is PENDING
    life.step(late, 1010.0, 5.0)
    assert life.state is FIRING
    assert life.onset_unix == 980.0


def test_an_onset_before_it_was_seen_does_not_shorten_the_hold_time() -> None:
    life = AnomalyLife("queue_growth")
    life.step(replace(finding(True), since_s=60.0), 1000.0, 5.0)
    assert life.state is PENDING


def test_four_changes_in_ten_minutes_are_flapping() -> None:
    life, limits = AnomalyLife("kv_high"), Limits()
    unix = 1000.0
    for _ in range(2):
        life.step(finding(True, for_s=0), unix, 5.0)
        for _ in range(3):
            unix += 5.0
            life.step(finding(False, keep_s=5), unix, 5.0)
        unix += 5.0
    assert life.flapping(unix, limits)
    assert not life.flapping(unix + limits.flap_window + 60.0, limits)
