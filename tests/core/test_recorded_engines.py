"""What is said of real engines: our own recordings of vLLM and SGLang under faults, as trimmed in fixtures.

Expected onsets are those of the fault injector, which are labels and not our output.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from inferguard_core.detect.limits import Limits
from inferguard_core.events import AnomalyEvent, Event, IncidentEvent
from inferguard_core.frame import AnomalyState, Severity
from inferguard_core.poll import ProofLevel
from inferguard_core.sources.recording import Recording, RecordingFile
from inferguard_core.watch import EndpointWatch

WHOLE = Path(__file__).parents[3] / "shared" / "recordings"
"""Recordings too large to carry along."""
RECORDINGS = Path(__file__).parents[1] / "fixtures" / "recordings"
KV_PRESSURE_ONSET = 40.23
FROZEN_AT, THAWED_AT = 43.57, 68.57
KILLED_AT = 47.1


def load(name: str) -> Recording:
    path = RECORDINGS / f"{name}.jsonl.gz"
    if not path.exists():
        path = WHOLE / path.name
    if not path.exists():
        pytest.skip(f"{path} is not there")
    opened = RecordingFile.open(path)
    assert isinstance(opened, RecordingFile)
    return opened.load()


def play(name: str, every: int = 1) -> tuple[EndpointWatch, list[Event]]:
    recording = load(name)
    header = recording.header
    watch = EndpointWatch(header.endpoint, "engine", header.interval_s * every, ProofLevel.RECORDED, Limits())
    events: list[Event] = []
    for poll in recording.polls[::every]:
        events.extend(watch.observe(poll))
    return watch, events


def first(events: list[Event], kind: str, at_least: Severity = Severity.WARNING) -> AnomalyEvent:
    return next(
        e
        for e in events
        if isinstance(e, AnomalyEvent)
        and e.anomaly.kind == kind
        and e.anomaly.severity >= at_least
        and e.anomaly.state is AnomalyState.FIRING
    )


@pytest.mark.parametrize("every", [1, 2, 5])
def test_a_healthy_engine_gives_no_warning(every: int) -> None:
    _, events = play("vllm-0.32-healthy", every)
    loud = [e for e in events if isinstance(e, AnomalyEvent) and e.anomaly.severity > Severity.NOTICE]
    assert loud == []


@pytest.mark.parametrize("kind", ["preemption", "queue_growth"])
def test_kv_pressure_is_seen_within_fifteen_seconds(kind: str) -> None:
    _, events = play("vllm-0.32-kv_pressure")
    assert KV_PRESSURE_ONSET <= first(events, kind).t <= KV_PRESSURE_ONSET + 15


def test_retractions_and_the_queue_of_a_pressed_sglang_are_seen() -> None:
    _, events = play("sglang-0.5.23-kv_pressure")
    assert first(events, "queue_growth").t >= KV_PRESSURE_ONSET
    assert first(events, "preemption").t >= KV_PRESSURE_ONSET


def test_all_of_an_episode_is_one_incident() -> None:
    watch, events = play("vllm-0.32-kv_pressure")
    ids = {e.incident.id for e in events if isinstance(e, IncidentEvent)}
    assert len(ids) == 1
    assert watch.log.open is not None
    assert {"preemption", "queue_growth"} <= set(watch.log.open.anomalies)


def test_a_frozen_core_that_looks_idle_is_a_stall_and_ends_with_its_thaw() -> None:
    _, events = play("vllm-0.32-stall")
    fired = first(events, "stall", Severity.CRITICAL)
    assert FROZEN_AT < fired.t < THAWED_AT
    assert abs(fired.anomaly.onset_unix - (fired.unix - (fired.t - FROZEN_AT))) < 3
    over = [e for e in events if isinstance(e, AnomalyEvent) and e.anomaly.kind == "stall"][-1]
    assert over.anomaly.state is AnomalyState.OK
    assert over.t > THAWED_AT


def test_a_killed_server_is_down_after_three_polls_and_everything_else_holds() -> None:
    watch, events = play("vllm-0.32-crash")
    down = first(events, "endpoint_down", Severity.CRITICAL)
    assert KILLED_AT < down.t < KILLED_AT + 5
    assert [e.anomaly.kind for e in events if isinstance(e, AnomalyEvent)] == ["endpoint_down"]
    assert watch.seen is not None
    assert watch.seen.poll.t < KILLED_AT + 2


def test_evidence_names_the_metric_and_the_window() -> None:
    _, events = play("vllm-0.32-kv_pressure")
    for event in events:
        if isinstance(event, AnomalyEvent) and event.anomaly.kind != "endpoint_down":
            assert event.anomaly.evidence
            for row in event.anomaly.evidence:
                assert row.source.startswith("vllm:")
                assert row.window_s is not None
                assert row.window_s > 0


def test_playing_twice_says_the_same() -> None:
    assert play("vllm-0.32-kv_pressure")[1] == play("vllm-0.32-kv_pressure")[1]


@pytest.mark.parametrize(
    ("name", "began", "ended"),
    [("vllm-0.32-prefix_thrash", 80.33, 130.35), ("sglang-0.5.23-prefix_thrash", 81.96, 133.02)],
)
def test_sessions_that_do_not_fit_the_pool_are_a_thrash(name: str, began: float, ended: float) -> None:
    _, events = play(name)
    fired = first(events, "prefix_thrash")
    assert began < fired.t < ended
    assert abs((fired.anomaly.onset_unix - fired.unix) + fired.t - began) < 5
    loud = [e.t for e in events if isinstance(e, AnomalyEvent) and e.anomaly.severity >= Severity.WARNING]
    assert min(loud) >= began


def test_clients_that_hang_up_are_seen_though_the_engine_counts_no_abort() -> None:
    _, events = play("vllm-0.32-client_aborts")
    fired = first(events, "request_errors")
    assert 40.47 < fired.t < 60
    assert "hung up" in fired.anomaly.summary


@pytest.mark.parametrize("name", ["vllm-0.32-healthy", "sglang-0.5.23-healthy"])
def test_a_healthy_recording_gives_not_even_a_notice(name: str) -> None:
    assert [e for e in play(name)[1] if isinstance(e, AnomalyEvent)] == []
