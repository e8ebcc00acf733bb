"""A diagnosis as a whole: unclear and what to measure, both engines' ways of showing a cause, and what outlasts what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inferguard_core.diagnose import EpisodeMemory, diagnose, remember
from inferguard_core.signals import Signal
from tests.core.diagnose_worlds import (
    CHANGE,
    FAST,
    HEALTHY,
    HEALTHY_SGLANG,
    Change,
    World,
    concluded,
    scenes,
    trouble,
)

S = Signal
C = Change
QUEUE = trouble("queue_growth")


def test_slow_decoding_with_nothing_else_is_unclear_and_says_where_to_look() -> None:
    told = concluded(HEALTHY, trouble("decode_drift"))
    assert told.cause == "unclear"
    assert (told.failure_mode, told.risk_level) == ("unknown", "unknown")
    assert told.actuation_recommendation == "do_not_actuate"
    assert told.wrong_lever is None
    assert any("nvidia-smi" in line for line in told.measure_next)


def test_what_is_missing_is_named_with_what_would_show_it() -> None:
    """A V0 page without token counters of the prefix cache: the hit rate cannot be known from it."""
    world = HEALTHY.but(prefix_hits=None, prefix_queries=None, prompt_tokens_computed=C(600, 1_800))
    told = concluded(replace(world, info={}), trouble("ttft_high"))
    assert told.cause == "unclear"
    assert all(c.cause != "prefix_thrash" or c.confidence < 0.5 for c in told.ranked)


def test_at_most_three_causes_are_told_best_first() -> None:
    told = concluded(
        HEALTHY.but(
            swapped=C(0, 4), http_5xx=C(0, 2), kv_usage=C(0.3, 0.97), preemptions=C(0, 1), waiting=C(0, 9)
        ),
        trouble("swap"),
        trouble("preemption"),
        trouble("request_errors"),
    )
    scores = [c.confidence for c in told.ranked]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)
    assert told.cause == told.ranked[0].cause


@pytest.mark.parametrize("interval", [1.0, 2.0, 5.0])
def test_sglang_that_retracts_is_exhausted_although_its_usage_swings(interval: float) -> None:
    world = HEALTHY_SGLANG.but(
        kv_usage=C(0.3, 0.6),
        preemptions=C(0, 0.08),
        waiting=C(0, 15),
        running=C(10, 9),
        new_token_ratio=C(0.5, 0.3),
    )
    told = concluded(world, QUEUE, trouble("preemption"), interval=interval)
    assert told.cause == "kv_exhausted"
    assert told.failure_mode == "preemption_storm"


@pytest.mark.parametrize("interval", [1.0, 2.0, 5.0])
def test_sglang_that_evicts_as_fast_as_prompts_come_thrashes(interval: float) -> None:
    """100,000 tokens evicted at 4,000 a second are gone in 25 s; before it took 167 s."""
    agents = HEALTHY_SGLANG.but(
        prefix_hits=C(1_400, 100),
        prompt_tokens_computed=C(600, 3_300),
        prefix_queries=C(2_000, 3_400),
        prompt_tokens=C(2_000, 3_400),
        evicted_tokens=C(600, 4_000),
        finished=C(2, 3.4),
    )
    world = replace(agents, latency_rate={S.TTFT: C(2.0, 3.4), S.ITL: 400.0})
    told = concluded(world, trouble("prefix_hit_drop"), interval=interval)
    assert told.cause == "prefix_thrash"
    assert any("pool rewritten every 25.0 s, before every 167 s" in c.text for c in told.ranked[0].speaks_for)


def test_prefix_caching_that_is_off_cannot_thrash() -> None:
    world = HEALTHY.but(prefix_hits=C(1_400, 100), prompt_tokens_computed=C(600, 1_900))
    told = concluded(replace(world, info={"enable_prefix_caching": "False"}), trouble("prefix_hit_drop"))
    assert told.cause not in {"prefix_thrash", "prefix_broken"}


def test_kv_pressure_without_any_pressure_is_not_named() -> None:
    told = concluded(HEALTHY.but(waiting=C(0, 20)), QUEUE)
    assert "kv_exhausted" not in [c.cause for c in told.ranked]


def test_a_sleeping_engine_is_not_stalled() -> None:
    told = concluded(HEALTHY.but(awake=C(1, 0)), trouble("stall"))
    assert told.cause != "engine_stalled"


def test_a_queue_behind_a_frozen_engine_is_not_a_cause() -> None:
    world = HEALTHY.but(waiting=C(0, 60), kv_usage=C(0.3, 0.97), running=C(10, 32), preemptions=C(0, 1))
    told = concluded(world, QUEUE, trouble("stall"))
    assert [c.cause for c in told.ranked] == ["engine_stalled"]


def test_overload_that_outlives_its_arrivals_keeps_its_cause() -> None:
    """The crowd is gone after a minute; the queue and the full pool stay for two."""

    class Crowd(World):
        def _value(self, signal: Signal, number: float | Change, t: float) -> float:
            if signal is S.WAITING:
                return max(0.0, min(t, CHANGE + 60) - CHANGE) * 3.0
            return super()._value(signal, number, t)

    world = Crowd(
        HEALTHY.but(running=C(10, 40), kv_usage=C(0.3, 0.85)).numbers,
        {S.TTFT: (FAST, FAST)},
        {S.TTFT: 2.0},
    )
    memory, told = EpisodeMemory(), []
    for scene in scenes(world, (QUEUE,), until=CHANGE + 180):
        memory = remember(memory, scene)
        told.append(diagnose(scene, memory).cause)
    assert set(told[40:]) == {"arrival_surge"}


def test_a_wrong_lever_is_left_out_where_its_number_is_unknown() -> None:
    told = concluded(HEALTHY.but(kv_capacity_tokens=None), trouble("request_errors"))
    assert told.wrong_lever is None


def test_evidence_names_the_exposed_metric_it_was_read_from() -> None:
    told = concluded(
        HEALTHY.but(kv_usage=C(0.3, 0.97), waiting=C(0, 9), preemptions=C(0, 1)), trouble("preemption")
    )
    assert any(row.signal == "kv_usage" and row.source == "test:kv_usage" for row in told.evidence)
