"""Each cause in a synthetic world built from its description, seen at one, two and five seconds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inferguard_core.diagnose import SIGNATURES
from inferguard_core.frame import Severity
from inferguard_core.signals import Signal
from tests.core.diagnose_worlds import FAST, HEALTHY, HEALTHY_SGLANG, Change, concluded, trouble

S = Signal
C = Change
QUEUE = trouble("queue_growth")
BURSTY = ((0.018, 0.93), (0.9, 0.07))

WORLDS = {
    "arrival_surge": (
        # Twice and a half the arrivals; the engine completes a little more than before, its most; the rest queues.
        HEALTHY.but(
            finished=C(2.0, 2.4),
            http_2xx=C(2.0, 2.4),
            waiting=C(0, 160),
            running=C(10, 40),
            kv_usage=C(0.3, 0.85),
        ),
        (QUEUE,),
    ),
    "long_contexts": (
        # Four requests hold what ten did three times over.
        HEALTHY.but(
            running=C(10, 4),
            kv_usage=C(0.3, 0.95),
            waiting=C(0, 9),
            finished=C(2.0, 0.4),
            http_2xx=C(2.0, 0.4),
        ),
        (QUEUE,),
    ),
    "prefix_thrash": (
        # More agents: arrivals up by two thirds, hits gone, everything computed again.
        replace(
            HEALTHY.but(
                finished=C(2.0, 3.4),
                http_2xx=C(2.0, 3.4),
                prompt_tokens=C(2_000, 3_400),
                prefix_queries=C(2_000, 3_400),
                prefix_hits=C(1_400, 200),
                prompt_tokens_computed=C(600, 3_200),
                kv_usage=C(0.3, 0.7),
                running=C(10, 18),
            ),
            latency_rate={S.TTFT: C(2.0, 3.4), S.ITL: 400.0},
        ),
        (trouble("prefix_thrash"),),
    ),
    "prefix_broken": (
        # The same requests with another head each: a larger pool, so nothing is evicted early.
        HEALTHY.but(
            prefix_hits=C(1_400, 100), prompt_tokens_computed=C(600, 1_900), kv_capacity_tokens=1_000_000.0
        ),
        (trouble("prefix_hit_drop"),),
    ),
    "kv_exhausted": (
        # The same lengths, three times as many at once, and some are thrown out again.
        HEALTHY.but(
            running=C(10, 32),
            kv_usage=C(0.3, 0.97),
            waiting=C(0, 12),
            preemptions=C(0, 0.5),
            finished=C(2.0, 1.8),
        ),
        (trouble("preemption"), QUEUE),
    ),
    "sequence_cap": (
        HEALTHY.but(running=C(10, 16), waiting=C(0, 30), kv_usage=C(0.3, 0.5)),
        (QUEUE,),
    ),
    "compute_bound": (
        # Long uncached prompts: few run at a time, the prompt rate is as high as it gets.
        replace(
            HEALTHY.but(
                running=C(10, 5),
                waiting=C(0, 30),
                prompt_tokens=C(2_000, 9_000),
                prefix_queries=C(2_000, 9_000),
                prefix_hits=C(1_400, 6_300),
                kv_usage=C(0.3, 0.4),
            ),
            latency={S.TTFT: (FAST, ((4.0, 1.0),)), S.ITL: (FAST, FAST)},
        ),
        (QUEUE, trouble("ttft_high")),
    ),
    "prefill_interference": (
        replace(
            HEALTHY.but(
                prompt_tokens=C(2_000, 9_000),
                prompt_tokens_computed=C(600, 2_700),
                prefix_queries=C(2_000, 9_000),
                prefix_hits=C(1_400, 6_300),
            ),
            latency={S.TTFT: (FAST, FAST), S.ITL: (((0.018, 1.0),), BURSTY)},
        ),
        (trouble("itl_high"),),
    ),
    "conservative_admission": (
        HEALTHY_SGLANG.but(
            running=C(10, 4), waiting=C(0, 20), kv_usage=C(0.3, 0.4), new_token_ratio=C(0.15, 0.7)
        ),
        (QUEUE,),
    ),
    "offload_pressure": (HEALTHY.but(swapped=C(0, 6)), (trouble("swap"),)),
    "spec_collapse": (
        replace(
            HEALTHY.but(spec_draft_tokens=300.0, spec_accepted_tokens=C(210, 60)),
            latency={S.TTFT: (FAST, FAST), S.ITL: (FAST, ((0.09, 1.0),))},
        ),
        (trouble("spec_acceptance_drop"),),
    ),
    "engine_stalled": (
        HEALTHY.but(
            finished=C(2, 0), http_2xx=C(2, 0), generation_tokens=C(400, 0), kv_usage=0.95, waiting=C(0, 9)
        ),
        (trouble("stall", severity=Severity.CRITICAL),),
    ),
    "engine_restarted": (HEALTHY, (trouble("engine_restart"),)),
    "engine_down": (HEALTHY, (trouble("endpoint_down", severity=Severity.CRITICAL),)),
    "abort_storm": (HEALTHY.but(finished=C(2.0, 1.0)), (trouble("request_errors"),)),
    "error_storm": (HEALTHY.but(http_5xx=C(0, 1.0)), (trouble("request_errors"),)),
    "rank_imbalance": (
        replace(
            HEALTHY.but(kv_usage=C(0.3, 0.96), waiting=C(0, 6), running=C(10, 32)),
            ranks={
                "0": {S.KV_USAGE: 0.96, S.RUNNING: 26.0, S.WAITING: 6.0},
                "1": {S.KV_USAGE: 0.2, S.RUNNING: 6.0, S.WAITING: 0.0},
            },
        ),
        (trouble("rank_imbalance"), QUEUE),
    ),
}


@pytest.mark.parametrize("interval", [1.0, 2.0, 5.0])
@pytest.mark.parametrize("cause", WORLDS)
def test_a_world_is_told_by_its_cause(cause: str, interval: float) -> None:
    world, anomalies = WORLDS[cause]
    told = concluded(world, *anomalies, interval=interval)
    assert told.cause == cause, [(c.cause, c.confidence, [x.text for x in c.speaks_for]) for c in told.ranked]
    assert told.confidence >= 0.5


def test_every_cause_but_a_repeated_crash_has_a_world() -> None:
    """`shape_crash` needs two episodes and has tests of its own."""
    assert set(WORLDS) | {"shape_crash"} == set(SIGNATURES)


@pytest.mark.parametrize("cause", WORLDS)
def test_what_speaks_for_a_cause_carries_a_number_or_a_summary(cause: str) -> None:
    world, anomalies = WORLDS[cause]
    told = concluded(world, *anomalies)
    assert all("(" in c.text for c in told.ranked[0].speaks_for)


@pytest.mark.parametrize("cause", [c for c in WORLDS if SIGNATURES[c].wrong_levers])
def test_each_cause_names_a_wrong_lever_with_the_number_that_says_so(cause: str) -> None:
    world, anomalies = WORLDS[cause]
    told = concluded(world, *anomalies)
    assert told.wrong_lever is not None
    assert "(" in told.wrong_lever.because
