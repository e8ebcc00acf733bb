"""One endpoint under watch, fed with polls written by hand."""

from __future__ import annotations

import pytest

from inferguard_core.assemble import endpoint_frame
from inferguard_core.detect.limits import Limits
from inferguard_core.events import AnomalyEvent, Event
from inferguard_core.frame import AnomalyState, MeasureId, Severity, Status
from inferguard_core.poll import EndpointFacts, Failure, FailureKind, Poll, ProofLevel
from inferguard_core.reading import Engine
from inferguard_core.watch import EndpointWatch

T0 = 1_800_000_000.0
REFUSED = Failure(FailureKind.REFUSED, "gpu-07:8000 refuses connections")


def page(
    t: float = 0, *, kv: float = 0.2, running: float = 1, waiting: float = 0, start: float = 1000
) -> str:
    """A vLLM V1 page whose counters rise with `t`."""
    labels = '{engine="0",model_name="m"}'
    return f"""\
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{labels} {running}
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{labels} {waiting}
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{labels} {kv}
# TYPE vllm:num_preemptions_total counter
vllm:num_preemptions_total{labels} 0.0
# TYPE vllm:generation_tokens_total counter
vllm:generation_tokens_total{labels} {(t + 1) * 100}
# TYPE vllm:request_success_total counter
vllm:request_success_total{{engine="0",finished_reason="stop",model_name="m"}} {(t + 1) * 2}
# TYPE process_start_time_seconds gauge
process_start_time_seconds {start}
"""


def watch(interval_s: float = 1) -> EndpointWatch:
    return EndpointWatch("http://gpu-07:8000", "gpu-07:8000", interval_s, ProofLevel.LIVE, Limits())


def good(t: float, body: str | None = None, facts: EndpointFacts | None = None) -> Poll:
    return Poll(t, T0 + t, 12.0, body=page(t) if body is None else body, facts=facts)


def bad(t: float) -> Poll:
    return Poll(t, T0 + t, 1.0, failure=REFUSED)


def kinds(events: tuple[Event, ...]) -> list[tuple[str, AnomalyState]]:
    return [(e.anomaly.kind, e.anomaly.state) for e in events if isinstance(e, AnomalyEvent)]


def test_before_the_first_poll_it_is_waiting() -> None:
    frame = endpoint_frame(watch(), T0, None)
    assert frame.status is Status.WAITING
    assert frame.measures == {}


def test_a_good_page_shows_its_numbers() -> None:
    seen = watch()
    seen.observe(good(0))
    seen.observe(good(10))
    frame = endpoint_frame(seen, T0 + 10, 0.0)
    assert frame.status is Status.OK
    assert frame.engine is Engine.VLLM
    assert frame.models == ("m",)
    assert frame.measures[MeasureId.KV_USAGE].value == 0.2
    assert frame.measures[MeasureId.GENERATION_RATE].value == pytest.approx(100)
    assert frame.measures[MeasureId.GENERATION_RATE].window_s == 10
    assert frame.measures[MeasureId.GENERATION_RATE].source == "vllm:generation_tokens_total"


def test_what_is_not_exported_is_unknown_and_says_so() -> None:
    seen = watch()
    seen.observe(good(0))
    measure = endpoint_frame(seen, T0, 0.0).measures[MeasureId.TTFT_P95]
    assert measure.value is None
    assert "not exported" in measure.why_unknown


def test_rules_without_input_are_blind() -> None:
    seen = watch()
    seen.observe(good(0))
    assert {b.rule for b in endpoint_frame(seen, T0, 0.0).blind} == {
        "ttft_high",
        "itl_high",
        "swap",
        "decode_drift",
        "spec_acceptance_drop",
        "prefix_hit_drop",
        "prefix_thrash",
    }


def test_three_failures_are_down_and_two_good_polls_are_back() -> None:
    seen = watch()
    seen.observe(good(0))
    assert kinds(seen.observe(bad(1))) == []
    assert kinds(seen.observe(bad(2))) == []
    assert kinds(seen.observe(bad(3))) == [("endpoint_down", AnomalyState.FIRING)]
    frame = endpoint_frame(seen, T0 + 3, 3.0)
    assert frame.status is Status.NO_DATA
    assert frame.failure == REFUSED
    assert frame.age_s == 3.0
    assert kinds(seen.observe(good(4))) == []
    assert kinds(seen.observe(good(5))) == [("endpoint_down", AnomalyState.OK)]
    assert endpoint_frame(seen, T0 + 5, 0.0).status is Status.OK


def test_an_old_page_is_stale_before_it_is_declared_down() -> None:
    seen = watch()
    seen.observe(good(0))
    seen.observe(bad(5))
    assert endpoint_frame(seen, T0 + 5, 5.0).status is Status.STALE


def test_a_restart_is_told_once() -> None:
    seen = watch()
    for t in range(3):
        seen.observe(good(t))
    events = seen.observe(good(3, page(0, start=2000)))
    assert kinds(events) == [("engine_restart", AnomalyState.FIRING)]
    assert "1 running request lost" in events[0].anomaly.summary  # type: ignore[union-attr]
    later = [seen.observe(good(4 + t, page(t + 1, start=2000))) for t in range(5)]
    assert [k for events in later for k in kinds(events)] == [("engine_restart", AnomalyState.RECOVERING)]


def test_a_restart_shows_no_false_rate() -> None:
    seen = watch()
    for t in range(3):
        seen.observe(good(t))
    seen.observe(good(3, page(0, start=2000)))
    rate = endpoint_frame(seen, T0 + 3, 0.0).measures[MeasureId.GENERATION_RATE].value
    assert rate == pytest.approx(300 / 3)


def test_timers_hold_through_an_outage() -> None:
    """29 s of KV pressure, an hour of silence and one more second do not make a minute."""
    seen = watch()
    events: list[Event] = []
    for t in range(29):
        events.extend(seen.observe(good(t, page(t, kv=0.9))))
    events.extend(seen.observe(good(3600, page(3600, kv=0.9))))
    assert kinds(tuple(events)) == []
    for t in range(3601, 3640):
        events.extend(seen.observe(good(t, page(t, kv=0.9))))
    assert kinds(tuple(events)) == [("kv_high", AnomalyState.FIRING)]


def test_a_page_of_neither_engine_counts_as_a_failure_with_its_reason() -> None:
    seen = watch()
    seen.observe(good(0, "# TYPE node_load1 gauge\nnode_load1 0.5\n"))
    assert seen.failure is not None
    assert seen.failure.kind is FailureKind.NOT_METRICS
    frame = endpoint_frame(seen, T0, None)
    assert frame.status is Status.NO_DATA
    assert frame.at_unix == T0


def test_time_that_goes_back_is_refused_and_changes_nothing() -> None:
    seen = watch()
    seen.observe(good(10))
    seen.observe(good(5, page(5, kv=0.99)))
    frame = endpoint_frame(seen, T0 + 10, 0.0)
    assert frame.measures[MeasureId.KV_USAGE].value == 0.2
    assert frame.failure is not None
    assert "time went back" in frame.failure.message


def test_version_and_models_come_from_the_facts() -> None:
    seen = watch()
    seen.observe(good(0, facts=EndpointFacts(version="0.32.0")))
    assert endpoint_frame(seen, T0, 0.0).engine_version == "0.32.0"


def test_an_escape_sequence_in_a_model_name_does_not_reach_the_frame() -> None:
    seen = watch()
    seen.observe(good(0, page(0).replace('model_name="m"', 'model_name="evil\x1b]0;x\x07\x1b[2J"')))
    assert all("\x1b" not in m and "\x07" not in m for m in endpoint_frame(seen, T0, 0.0).models)


def test_a_healthy_engine_under_pressure_is_only_noticed() -> None:
    seen = watch()
    worst = Severity.OK
    for t in range(200):
        seen.observe(good(t, page(t, kv=0.97, running=40)))
        worst = max(worst, *(a.severity for a in seen.anomalies(T0 + t)), Severity.OK)
    assert worst is Severity.NOTICE
    assert seen.log.incidents == []


def test_a_value_left_out_of_one_page_makes_its_rules_hold_and_not_blind() -> None:
    seen = watch()
    for t in range(50):
        seen.observe(good(t, page(t, kv=0.9)))
    assert seen.lives["kv_high"].active
    seen.observe(good(50, page(50, kv=float("nan"))))
    frame = endpoint_frame(seen, T0 + 50, 0.0)
    assert seen.findings["kv_high"].hot is None
    assert "kv_high" not in {b.rule for b in frame.blind}
    assert "kv_high" in {a.kind for a in frame.anomalies}
    assert any("kv_cache_usage_perc" in doubt for doubt in frame.doubts)


@pytest.mark.parametrize("level", [-1.0, 1.7, float("nan"), float("inf")])
def test_an_impossible_usage_is_doubted_and_changes_nothing(level: float) -> None:
    seen = watch()
    for t in range(60):
        seen.observe(good(t, page(t, kv=level)))
    frame = endpoint_frame(seen, T0 + 60, 0.0)
    assert frame.anomalies == ()
    assert frame.doubts
    assert frame.measures[MeasureId.KV_USAGE].value is None


def test_a_counter_that_falls_alone_is_doubted() -> None:
    seen = watch()
    for t in range(5):
        seen.observe(good(t))
    body = page(5).replace(f'vllm:generation_tokens_total{{engine="0",model_name="m"}} {6 * 100}', "")
    body += 'vllm:generation_tokens_total{engine="0",model_name="m"} 7\n'
    events = seen.observe(good(5, body))
    assert any("fell without a restart" in doubt for doubt in seen.doubts)
    assert kinds(events) == []


def test_half_a_page_holds_what_it_lacks() -> None:
    seen = watch()
    for t in range(50):
        seen.observe(good(t, page(t, kv=0.9)))
    whole = page(50, kv=0.1)
    seen.observe(good(50, whole[: whole.index("# TYPE vllm:kv_cache_usage_perc")]))
    assert seen.lives["kv_high"].active
    assert seen.failure is None


def test_a_baseline_that_is_not_there_yet_is_stated() -> None:
    seen = watch()
    for t in range(10):
        seen.observe(good(t))
    learning = endpoint_frame(seen, T0 + 10, 0.0).learning
    assert learning["running"] == "learning 10/60"
    assert "decode" not in learning


def test_an_incident_keeps_its_extremes_from_its_onset_on() -> None:
    """The queue stood at 60 before the rule could be sure, and is at 40 when it is over."""
    seen = watch()
    for t in range(120):
        waiting = 0 if t < 60 else 60 if t < 63 else 40
        seen.observe(good(t, page(t, waiting=waiting, kv=0.95 if t == 61 else 0.5)))
    incident = endpoint_frame(seen, T0 + 120, 0.0).incident
    assert incident is not None
    assert incident.peaks[MeasureId.WAITING] == 60
    assert incident.peaks[MeasureId.KV_USAGE] == 0.95
    assert incident.onset_unix <= T0 + 61
