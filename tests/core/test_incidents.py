from __future__ import annotations

from inferguard_core.detect.limits import Limits
from inferguard_core.frame import Anomaly, AnomalyState, IncidentState, Severity
from inferguard_core.incidents import KEPT, IncidentLog

T0 = 1_800_000_000.0


def anomaly(
    kind: str,
    severity: Severity = Severity.WARNING,
    state: AnomalyState = AnomalyState.FIRING,
    onset: float = 0,
) -> Anomaly:
    return Anomaly(kind, state, severity, f"{kind} seen", T0 + onset, T0 + onset)


def log() -> IncidentLog:
    return IncidentLog("http://gpu-07:8000", "gpu-07:8000", Limits())


def over(kind: str) -> Anomaly:
    return anomaly(kind, Severity.OK, AnomalyState.OK)


def test_a_notice_opens_no_incident() -> None:
    kept = log()
    note = anomaly("kv_high", Severity.NOTICE)
    assert kept.update([note], [note], T0) is None
    assert kept.open is None


def test_one_episode_is_one_incident_however_many_anomalies() -> None:
    kept = log()
    first, second = anomaly("preemption"), anomaly("queue_growth", Severity.CRITICAL, onset=5)
    opened = kept.update([first], [first], T0)
    grown = kept.update([second, first], [second], T0 + 5)
    assert opened is not None
    assert grown is not None
    assert opened.id == grown.id
    assert grown.anomalies == ("preemption", "queue_growth")
    assert grown.severity is Severity.CRITICAL
    assert grown.headline == "queue_growth: queue_growth seen; also preemption"


def test_an_update_that_says_nothing_new_is_no_change() -> None:
    kept = log()
    first = anomaly("preemption")
    kept.update([first], [first], T0)
    assert kept.update([first], [], T0 + 1) is None


def test_it_recovers_with_its_last_anomaly_and_resolves_after_it() -> None:
    kept = log()
    first = anomaly("preemption")
    kept.update([first], [first], T0)
    fading = anomaly("preemption", state=AnomalyState.RECOVERING)
    recovering = kept.update([fading], [fading], T0 + 60)
    assert recovering is not None
    assert recovering.state is IncidentState.RECOVERING
    resolved = kept.update([], [over("preemption")], T0 + 120)
    assert resolved is not None
    assert resolved.state is IncidentState.RESOLVED
    assert resolved.ended_unix == T0 + 120
    assert kept.open is None


def test_trouble_within_ten_minutes_is_the_same_incident_again() -> None:
    kept = log()
    first = anomaly("preemption")
    opened = kept.update([first], [first], T0)
    kept.update([], [over("preemption")], T0 + 100)
    again = kept.update([anomaly("queue_growth")], [anomaly("queue_growth")], T0 + 699)
    assert opened is not None
    assert again is not None
    assert again.id == opened.id
    assert again.state is IncidentState.REOPENED
    assert again.reopened == 1
    assert again.ended_unix is None


def test_trouble_later_than_that_is_another_incident() -> None:
    kept = log()
    first = anomaly("preemption")
    opened = kept.update([first], [first], T0)
    kept.update([], [over("preemption")], T0 + 100)
    later = kept.update([first], [first], T0 + 701)
    assert opened is not None
    assert later is not None
    assert later.id != opened.id
    assert later.state is IncidentState.OPEN
    assert len(kept.incidents) == 2


def test_a_notice_left_over_does_not_hold_it_open() -> None:
    kept = log()
    first = anomaly("kv_high")
    kept.update([first], [first], T0)
    milder = anomaly("kv_high", Severity.NOTICE)
    resolved = kept.update([milder], [milder], T0 + 60)
    assert resolved is not None
    assert resolved.state is IncidentState.RESOLVED


def test_the_onset_is_the_earliest_evidence_and_not_the_alarm() -> None:
    kept = log()
    early = anomaly("preemption", onset=-25)
    opened = kept.update([early], [early], T0)
    assert opened is not None
    assert opened.onset_unix == T0 - 25
    assert opened.opened_unix == T0


def test_the_timeline_tells_what_happened_in_order() -> None:
    kept = log()
    first = anomaly("preemption")
    kept.update([first], [first], T0)
    kept.update([], [over("preemption")], T0 + 100)
    lines = [entry.text for entry in kept.incidents[-1].timeline]
    assert lines == ["opened", "preemption firing warning: preemption seen", "preemption over", "resolved"]


def test_the_log_is_bounded() -> None:
    kept = log()
    first = anomaly("preemption")
    for i in range(KEPT + 10):
        kept.update([first], [first], T0 + i * 10_000)
        kept.update([], [over("preemption")], T0 + i * 10_000 + 10)
    assert len(kept.incidents) == KEPT
