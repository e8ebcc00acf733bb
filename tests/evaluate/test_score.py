"""The scoring rules on hand-made events."""

from __future__ import annotations

from typing import Any

import pytest

from evaluate.score import Alarm, alarms, score_run
from evaluate.tally import poisson_upper, tally


def anomaly(t: float, kind: str, severity: str = "warning", state: str = "firing") -> dict[str, Any]:
    return {"t": t, "event": "anomaly", "kind": kind, "severity": severity, "state": state}


def over(t: float, kind: str) -> dict[str, Any]:
    return anomaly(t, kind, "ok", "ok")


def diagnosis(t: float, *causes: str) -> dict[str, Any]:
    ranked = [{"cause": cause, "confidence": 0.9} for cause in causes]
    return {"t": t, "event": "diagnosis", "incident_id": "i", "cause": causes[0], "ranked": ranked}


def action(t: float, what: str) -> dict[str, Any]:
    return {"t": t, "event": "action", "incident_id": "i", "action_type": what}


def incident(t: float, name: str) -> dict[str, Any]:
    return {"t": t, "event": "incident", "incident_id": name, "state": "open"}


EPISODE: dict[str, Any] = {
    "onset": 100.0,
    "end": 200.0,
    "kinds": [["queue_growth", "ttft_high"], ["preemption"]],
    "also": ["kv_high"],
    "cause": ["kv_exhausted", "long_contexts"],
    "actions": ["throttle_concurrency"],
}


def scored(*events: dict[str, Any], **changes: Any):
    score = score_run(events, {"episodes": [{**EPISODE, **changes}]}, 400.0)
    return score, score.episodes[0]


def test_an_alarm_lasts_from_warning_until_it_is_over() -> None:
    events = [
        anomaly(10.0, "kv_high", "notice"),
        anomaly(20.0, "kv_high", "warning"),
        anomaly(30.0, "kv_high", "critical"),
        anomaly(40.0, "kv_high", "warning", "recovering"),
        over(50.0, "kv_high"),
        anomaly(60.0, "stall", "critical"),
    ]
    assert alarms(events, 90.0) == [Alarm("kv_high", 20.0, 50.0), Alarm("stall", 60.0, 90.0)]


def test_falling_back_to_notice_ends_an_alarm() -> None:
    events = [anomaly(20.0, "kv_high"), anomaly(30.0, "kv_high", "notice")]
    assert alarms(events, 90.0) == [Alarm("kv_high", 20.0, 30.0)]


def test_a_notice_is_no_alarm() -> None:
    score, episode = scored(anomaly(110.0, "queue_growth", "notice"))
    assert not episode.found
    assert score.false_alarms == ()


def test_the_delay_is_that_of_the_first_fitting_kind() -> None:
    _, episode = scored(anomaly(105.0, "stall"), anomaly(112.0, "kv_high"), anomaly(130.0, "queue_growth"))
    assert episode.found
    assert episode.delay_s == 12.0
    assert episode.beside == ("stall",)


def test_an_alarm_that_stood_before_the_onset_has_no_delay() -> None:
    _, episode = scored(anomaly(90.0, "preemption"))
    assert episode.delay_s == 0.0


def test_groups_that_nobody_raised_are_named() -> None:
    _, episode = scored(anomaly(120.0, "ttft_high"))
    assert (episode.groups, episode.groups_found) == (2, 1)
    assert episode.missed == ("preemption",)


def test_there_is_a_minute_of_grace_and_not_more() -> None:
    late, _ = scored(anomaly(259.0, "queue_growth"))
    later, episode = scored(anomaly(261.0, "queue_growth"))
    assert late.false_alarms == ()
    assert later.false_alarms == (Alarm("queue_growth", 261.0, 400.0),)
    assert not episode.found


def test_an_alarm_over_before_the_onset_is_false() -> None:
    score, _ = scored(anomaly(50.0, "stall"), over(99.0, "stall"))
    assert [alarm.kind for alarm in score.false_alarms] == ["stall"]


def test_the_last_diagnosis_while_it_lasts_counts() -> None:
    _, episode = scored(
        diagnosis(110.0, "kv_exhausted"), diagnosis(150.0, "arrival_surge", "x", "long_contexts"),
        diagnosis(300.0, "kv_exhausted"),
    )  # fmt: skip
    assert episode.said == "arrival_surge"
    assert not episode.right_at_1
    assert episode.right_at_3


def test_a_fourth_rank_does_not_count() -> None:
    _, episode = scored(diagnosis(110.0, "a", "b", "c", "kv_exhausted"))
    assert not episode.right_at_3


def test_without_a_diagnosis_nothing_was_said() -> None:
    _, episode = scored(anomaly(110.0, "preemption"))
    assert episode.said is None
    assert not episode.right_at_1


def test_only_the_first_action_counts() -> None:
    _, right = scored(action(110.0, "throttle_concurrency"), action(120.0, "drain_and_recycle"))
    _, wrong = scored(action(110.0, "drain_and_recycle"), action(120.0, "throttle_concurrency"))
    assert right.action_right
    assert not wrong.action_right


def test_advising_nothing_can_be_right() -> None:
    _, episode = scored(actions=["none"])
    assert episode.action_right
    _, other = scored(action(110.0, "throttle_concurrency"), actions=["none"])
    assert not other.action_right


def test_a_label_without_actions_judges_none() -> None:
    score = score_run([], {"episodes": [{k: v for k, v in EPISODE.items() if k != "actions"}]}, 400.0)
    assert not score.episodes[0].judges_action


def test_a_second_incident_is_a_duplicate_and_a_second_event_of_one_is_not() -> None:
    _, one = scored(incident(110.0, "a"), incident(120.0, "a"))
    _, two = scored(incident(110.0, "a"), incident(150.0, "b"))
    assert (one.duplicates, two.duplicates) == (0, 1)


def test_stretches_that_are_not_judged_are_neither_healthy_nor_demanded() -> None:
    labels = {"episodes": [], "harmless": [{"onset": 100.0, "end": 140.0}]}
    score = score_run([anomaly(120.0, "queue_growth"), over(130.0, "queue_growth")], labels, 400.0)
    assert score.episodes == ()
    assert score.false_alarms == ()
    assert score.healthy_s == 300.0


def test_overlapping_episodes_are_taken_from_the_healthy_time_once() -> None:
    labels = {"episodes": [EPISODE, {**EPISODE, "onset": 150.0, "end": 220.0}]}
    assert score_run([], labels, 400.0).healthy_s == 400.0 - (220.0 + 60.0 - 100.0)


def test_totals_are_sums_over_runs() -> None:
    found, _ = scored(
        anomaly(110.0, "queue_growth"), anomaly(111.0, "preemption"), diagnosis(120.0, "kv_exhausted"),
        action(121.0, "throttle_concurrency"),
    )  # fmt: skip
    missed, _ = scored(anomaly(20.0, "stall"), over(30.0, "stall"), diagnosis(120.0, "unclear"))
    total = tally([found, missed])
    assert (total.recall, total.kind_recall, total.precision) == (0.5, 0.5, 0.5)
    assert total.delay(0.5) == total.delay(0.9) == 10.0
    assert total.confusion == {("kv_exhausted", "kv_exhausted"): 1, ("kv_exhausted", "unclear"): 1}
    assert total.to_json()["first_action"] == 0.5


def test_ratios_of_nothing_are_unknown() -> None:
    total = tally([])
    assert total.recall is None
    assert total.precision is None
    assert total.delay(0.5) is None
    assert total.false_per_hour_bound is None


@pytest.mark.parametrize(("events", "upper"), [(0, 2.996), (1, 4.744), (5, 10.513), (10, 16.962)])
def test_the_bound_is_the_exact_one_of_the_textbooks(events: int, upper: float) -> None:
    """One-sided 95 % limits of a Poisson mean, from the tables of Garwood (1936)."""
    assert poisson_upper(events) == pytest.approx(upper, abs=0.001)
