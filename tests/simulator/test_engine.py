"""The engine as a whole: repeatable, lawful, and telling the truth about faults."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from inferguard_tui.simulator.clients import CHAT, COMPLETIONS
from inferguard_tui.simulator.demo_scenarios import HEALTHY, INCIDENT
from inferguard_tui.simulator.dialect import Dialect
from inferguard_tui.simulator.engine import Condition, SimulatedEngine
from inferguard_tui.simulator.faults import Crash, SlowApi, Stall
from inferguard_tui.simulator.scenario import Episode, Scenario
from inferguard_tui.simulator.traffic import Lengths, Rate

BUSY = Scenario("busy", "", (CHAT, COMPLETIONS), history_s=5.0)


def samples(text: str) -> dict[str, float]:
    """Sums over label sets, by sample name."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


def pages(dialect: Dialect, seed: int, times: list[float], scenario: Scenario = INCIDENT) -> list[str]:
    engine = SimulatedEngine(scenario, engine=dialect, seed=seed)
    shown = []
    for t in times:
        engine.advance(t)
        shown.append(engine.exposition())
    return shown


@pytest.mark.parametrize("dialect", list(Dialect))
def test_the_same_seed_gives_the_same_bytes(dialect: Dialect) -> None:
    times = [2.0 * n for n in range(1, 31)]
    assert pages(dialect, 5, times) == pages(dialect, 5, times)


@pytest.mark.parametrize("dialect", [Dialect.VLLM_V1, Dialect.VLLM_V0])
def test_the_way_time_is_cut_changes_nothing(dialect: Dialect) -> None:
    engine = SimulatedEngine(INCIDENT, engine=dialect, seed=5)
    for n in range(1, 3001):
        engine.advance(n * 0.02)
    assert engine.exposition() == pages(dialect, 5, [60.0])[0]


@pytest.mark.parametrize("dialect", list(Dialect))
def test_seeds_differ(dialect: Dialect) -> None:
    assert len({pages(dialect, seed, [30.0])[0] for seed in range(4)}) == 4


@pytest.mark.parametrize("dialect", list(Dialect))
def test_counters_never_fall(dialect: Dialect) -> None:
    before: dict[tuple[str, str], float] = {}
    for text in pages(dialect, 1, [1.0 * n for n in range(1, 90)]):
        for family in text_string_to_metric_families(text):
            if family.type not in ("counter", "histogram"):
                continue
            for sample in family.samples:
                key = (sample.name, repr(sorted(sample.labels.items())))
                assert sample.value >= before.get(key, 0.0), key
                before[key] = sample.value


def test_little_s_law_holds_between_gauges_and_histograms() -> None:
    """L, averaged over sampled gauges, equals lambda times W, taken from counters, in a long steady run."""
    engine = SimulatedEngine(replace(HEALTHY, history_s=60.0), seed=2)
    start = samples(engine.exposition())
    in_system, ticks = 0.0, 3600
    for n in range(1, ticks + 1):
        engine.advance(n * 0.5)
        process = engine.process
        in_system += len(process.scheduler.running) + len(process.scheduler.waiting)
    end = samples(engine.exposition())
    finished = end["vllm:request_success_total"] - start["vllm:request_success_total"]
    spent = end["vllm:e2e_request_latency_seconds_sum"] - start["vllm:e2e_request_latency_seconds_sum"]
    assert finished > 3000
    arrival_rate, time_in_system = finished / (ticks * 0.5), spent / finished
    assert in_system / ticks == pytest.approx(arrival_rate * time_in_system, rel=0.03)


@pytest.mark.parametrize("dialect", list(Dialect))
def test_the_page_counts_the_tokens_that_were_made(dialect: Dialect) -> None:
    engine = SimulatedEngine(replace(BUSY, history_s=0.0), engine=dialect, seed=1)
    made, first, finished = [0], [0], []
    engine.on_step.append(
        lambda step: (
            made.append(step.generated),
            first.append(len(step.first_tokens)),
            finished.extend(step.finished),
        )
    )
    engine.advance(120.0)
    shown = samples(engine.exposition())
    if dialect is Dialect.SGLANG:
        assert shown["sglang:generation_tokens_total"] == sum(r.generated for r in finished)
        assert shown["sglang:num_requests_total"] == len(finished)
        assert shown["sglang:inter_token_latency_seconds_count"] == sum(made) - sum(first)
    else:
        assert shown["vllm:generation_tokens_total"] == sum(made)
        assert shown["vllm:request_success_total"] == len(finished)
        assert shown["vllm:time_to_first_token_seconds_count"] == sum(first)


def test_the_usage_shown_is_held_blocks_over_all_blocks() -> None:
    engine = SimulatedEngine(INCIDENT, seed=1)
    # The gauge is of the last step's end; a step in flight may have taken blocks since.
    held: list[int] = []
    engine.on_step.append(lambda _: held.append(engine.process.scheduler.pool.held))
    for t in range(1, 60):
        engine.advance(float(t))
        assert samples(engine.exposition())["vllm:kv_cache_usage_perc"] == held[-1] / 8192


def test_healthy_stays_healthy_for_an_hour() -> None:
    engine = SimulatedEngine(HEALTHY, seed=11)
    preempted = [0]
    engine.on_step.append(lambda step: preempted.append(len(step.preempted)))
    engine.advance(3600.0)
    shown = samples(engine.exposition())
    assert sum(preempted) == 0
    assert shown["vllm:request_success_total"] > 8000
    assert (
        shown["vllm:time_to_first_token_seconds_sum"] / shown["vllm:time_to_first_token_seconds_count"] < 0.5
    )


STALLED = replace(BUSY, faults=(Stall(at=10.0, seconds=20.0),))


@pytest.mark.parametrize("dialect", list(Dialect))
def test_a_stall_freezes_the_scheduler_while_connections_pile_up(dialect: Dialect) -> None:
    engine = SimulatedEngine(STALLED, engine=dialect, seed=1)
    engine.advance(11.0)
    early = samples(engine.exposition())
    engine.advance(29.0)
    late = samples(engine.exposition())
    assert engine.condition is Condition.STALLED
    moved = {name for name in early if late[name] != early[name] and not math.isnan(late[name])}
    if dialect is Dialect.SGLANG:
        assert late["sglang:http_requests_active"] >= early["sglang:http_requests_active"] + 10
        assert moved <= {
            "sglang:http_requests_active",
            "sglang:http_requests_total",
            "sglang:http_responses_total",
        }
    else:
        assert late["process_open_fds"] >= early["process_open_fds"] + 10
        assert all(name.startswith("process_") for name in moved)


def test_a_stalled_engine_goes_on_where_it_stood() -> None:
    engine = SimulatedEngine(STALLED, seed=1)
    engine.advance(29.9)
    frozen = samples(engine.exposition())
    engine.advance(40.0)
    after = samples(engine.exposition())
    assert engine.condition is Condition.SERVING
    assert after["vllm:generation_tokens_total"] > frozen["vllm:generation_tokens_total"]
    gap = 'vllm:inter_token_latency_seconds_bucket{engine="0",le="20.0"'
    assert gap in engine.exposition()
    # Each decoding request saw one gap as long as the stall.
    assert after["vllm:inter_token_latency_seconds_sum"] > frozen["vllm:inter_token_latency_seconds_sum"] + 20


def test_sglang_s_heartbeat_counts_every_second_it_lives_and_none_of_a_stall() -> None:
    engine = SimulatedEngine(STALLED, engine=Dialect.SGLANG, seed=1)
    name = "sglang:scheduler_stage_seconds_total"
    beats = {}
    for t in (2.0, 8.0, 12.0, 28.0, 40.0):
        engine.advance(t)
        beats[t] = samples(engine.exposition())[name]
    assert beats[8.0] - beats[2.0] == pytest.approx(6.0, abs=0.3)
    assert beats[28.0] == beats[12.0]
    assert beats[40.0] - beats[8.0] == pytest.approx(32.0, abs=0.3)


@pytest.mark.parametrize("dialect", list(Dialect))
def test_after_a_crash_a_new_process_counts_from_zero(dialect: Dialect) -> None:
    engine = SimulatedEngine(replace(BUSY, faults=(Crash(at=10.0, seconds=5.0),)), engine=dialect, seed=1)
    engine.advance(9.9)
    before = samples(engine.exposition())
    engine.advance(12.0)
    assert engine.condition is Condition.DOWN
    engine.advance(15.2)
    assert engine.condition is Condition.SERVING
    after = samples(engine.exposition())
    engine_prefix = "sglang:num_requests_total" if dialect is Dialect.SGLANG else "vllm:prompt_tokens_total"
    assert after.get(engine_prefix, 0.0) < before[engine_prefix] / 2
    if dialect is not Dialect.SGLANG:
        assert after["process_start_time_seconds"] - before["process_start_time_seconds"] == pytest.approx(
            20.0
        )


def test_a_slow_api_delays_answers_and_not_the_engine() -> None:
    engine = SimulatedEngine(replace(BUSY, faults=(SlowApi(at=5.0, seconds=10.0, delay_s=1.5),)), seed=1)
    engine.advance(6.0)
    assert engine.api_delay_s == 1.5
    assert engine.exposition() == pages(Dialect.VLLM_V1, 1, [6.0], BUSY)[0]
    engine.advance(15.0)
    assert engine.api_delay_s == 0.0


def test_clients_without_patience_hang_up_and_vllm_counts_them_only_in_http() -> None:
    """40 finished requests fewer than answered calls are 40 clients that hung up."""
    crowd = replace(COMPLETIONS, rate=Rate.between(0.0, 5.0, 60.0), output=Lengths(400, 0.2), patience_s=2.0)
    engine = SimulatedEngine(Scenario("hasty", "", (crowd,), history_s=0.0), seed=1)
    engine.advance(120.0)
    shown = samples(engine.exposition())
    assert engine.process.open == {}
    assert shown["http_requests_total"] - shown["vllm:request_success_total"] > 20
    assert (
        'finished_reason="abort",model_name="meta-llama/Llama-3.3-70B-Instruct"} 0.0' in engine.exposition()
    )


def test_sglang_counts_clients_that_hang_up() -> None:
    crowd = replace(COMPLETIONS, rate=Rate.between(0.0, 5.0, 60.0), output=Lengths(400, 0.2), patience_s=2.0)
    engine = SimulatedEngine(Scenario("hasty", "", (crowd,), history_s=0.0), engine=Dialect.SGLANG, seed=1)
    engine.advance(120.0)
    shown = samples(engine.exposition())
    gone = shown["sglang:http_requests_total"] - 1 - shown["sglang:num_requests_total"]
    assert shown["sglang:num_aborted_requests_total"] == gone > 20


def test_labels_tell_a_crash_as_an_episode_with_its_measured_end() -> None:
    episode = Episode(onset=10.0, cause_ends=35.0, kinds=(("endpoint_down",),), cause=("engine_down",))
    scenario = replace(BUSY, faults=(Crash(at=10.0, seconds=25.0),), episodes=(episode,))
    engine = SimulatedEngine(scenario, seed=1)
    engine.advance(9.0)
    assert engine.episodes() == []
    engine.advance(32.0)
    assert engine.episodes()[0]["end"] == 32.0
    engine.advance(60.0)
    (told,) = engine.episodes()
    assert told["onset"] == 10.0
    assert told["end"] == pytest.approx(35.0, abs=0.1)
    assert told["kinds"] == [["endpoint_down"]]
    assert engine.labels()["events"][0] == {"t": 10.0, "event": "crash"}


def test_a_crash_too_short_for_three_polls_demands_no_alarm() -> None:
    episode = Episode(onset=10.0, cause_ends=14.0, kinds=(("endpoint_down",),), cause=("engine_down",))
    engine = SimulatedEngine(
        replace(BUSY, faults=(Crash(at=10.0, seconds=4.0),), episodes=(episode,)), seed=1
    )
    engine.advance(60.0)
    assert engine.episodes() == []
    assert engine.harmless()[0]["also"] == ["endpoint_down"]
