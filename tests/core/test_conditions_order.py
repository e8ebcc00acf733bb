"""Conditions that tell what came first: a cause from what it led to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from inferguard_core.diagnose import EpisodeMemory, diagnose, remember
from inferguard_core.signals import SIGNALS, Signal, SignalKind
from tests.core.diagnose_worlds import CHANGE, FAST, HEALTHY, HEALTHY_SGLANG, Change, World, scenes, trouble

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.frame import Anomaly
    from inferguard_core.verdict import Condition, Diagnosis

S = Signal
C = Change
QUEUE = trouble("queue_growth")
BURSTY = ((0.018, 0.93), (0.9, 0.07))


@dataclass(frozen=True)
class Later(World):
    """A world in which some numbers change only `after` seconds later than the others."""

    later: Mapping[Signal, Change] = field(default_factory=dict)
    after: float = 90.0

    def _value(self, signal: Signal, number: float | Change, t: float) -> float:
        if signal not in self.later:
            return super()._value(signal, number, t)
        change, at = self.later[signal], CHANGE + self.after
        if SIGNALS[signal].kind is SignalKind.COUNTER:
            return change.before * min(t, at) + change.after * max(0.0, t - at)
        return change.before if t < at else change.after


def later(world: World, after: float = 90.0, **changes: Change) -> Later:
    late = {S(name): change for name, change in changes.items()}
    return Later(
        world.numbers, world.latency, world.latency_rate, world.engine, world.info, world.ranks, late, after
    )


def lived(
    world: World, *anomalies: Anomaly, until: float = CHANGE + 60.0
) -> tuple[dict[str, Condition], Diagnosis]:
    memory, told = EpisodeMemory(), None
    for scene in scenes(world, anomalies, interval=2.0, until=until):
        memory = remember(memory, scene)
        told = diagnose(scene, memory)
    assert told is not None
    return dict(memory.conditions), told


FLOODED = HEALTHY.but(
    prompt_tokens=C(2_000, 9_000),
    prompt_tokens_computed=C(600, 7_600),
    prefix_queries=C(2_000, 9_000),
    waiting=C(0, 12),
    running=C(20, 10),
    kv_usage=C(0.3, 0.4),
)
"""Prompts of thousands of tokens, more than can be computed, while the pool has room."""


def test_a_pool_that_fills_behind_a_prefill_limit_is_not_what_is_exhausted() -> None:
    world = later(FLOODED, kv_usage=C(0.4, 0.95))
    judged, told = lived(world, QUEUE, until=CHANGE + 150.0)
    assert judged["kv_full"].holds
    assert judged["prefill_first"].holds
    assert "kv_exhausted" not in {s.cause for s in told.ranked if s.confidence >= 0.5}


def test_a_pool_that_is_full_from_the_first_is_what_is_exhausted() -> None:
    world = FLOODED.but(kv_usage=C(0.3, 0.95), prompt_tokens_computed=C(600, 1_500), running=C(20, 60))
    judged, told = lived(world, QUEUE, until=CHANGE + 150.0)
    assert judged["prefill_first"].holds is False
    assert told.cause == "kv_exhausted"


TAILED = replace(
    HEALTHY.but(
        prompt_tokens=C(2_000, 6_000), prompt_tokens_computed=C(600, 4_600), prefix_queries=C(2_000, 6_000)
    ),
    latency={S.TTFT: (FAST, FAST), S.ITL: (FAST, BURSTY)},
)
SLOW = trouble("itl_high")


@pytest.mark.parametrize(
    ("usage", "first"), [(C(0.3, 0.95), True), (C(0.3, 0.4), False)], ids=["from the first", "never"]
)
def test_a_full_pool_at_once_explains_a_tail(usage: Change, first: bool) -> None:
    judged, told = lived(TAILED.but(kv_usage=usage), SLOW)
    assert judged["itl_tail_up"].holds
    assert bool(judged["pressure_first"].holds) is first
    assert (told.cause == "prefill_interference") is not first


def test_a_full_pool_a_minute_after_the_tail_is_a_consequence_of_the_same_prompts() -> None:
    judged, told = lived(later(TAILED, kv_usage=C(0.4, 0.95)), SLOW, until=CHANGE + 150.0)
    assert judged["kv_full"].holds
    assert judged["pressure_first"].holds is False
    assert told.cause == "prefill_interference"


def test_a_middle_slower_by_two_fifths_is_flat_beside_a_tail_of_six_times() -> None:
    middle = ((0.04, 0.49), (0.06, 0.41), (0.4, 0.1))
    world = replace(TAILED, latency={S.TTFT: (FAST, FAST), S.ITL: (((0.04, 1.0),), middle)})
    judged, _ = lived(world, SLOW)
    assert judged["itl_tail_up"].holds


RESERVED = HEALTHY_SGLANG.but(
    waiting=C(0, 12), running=C(20, 10), kv_usage=C(0.3, 0.6), prefix_hits=C(1_400, 800)
)


def test_requests_held_back_from_room_are_not_held_by_a_cache_that_lost_hits() -> None:
    judged, told = lived(RESERVED, QUEUE, until=CHANGE + 90.0)
    assert judged["held_back"].holds
    assert judged["hit_rate_fell"].holds
    assert told.cause == "conservative_admission"


def test_a_full_pool_holds_nobody_back() -> None:
    judged, _ = lived(RESERVED.but(kv_usage=C(0.3, 0.97)), QUEUE, until=CHANGE + 90.0)
    assert judged["held_back"].holds is False


def test_a_low_new_token_ratio_denies_no_reservation() -> None:
    """It was 0.15; requests with ignore_eos are reserved whole all the same."""
    assert lived(RESERVED, QUEUE)[0]["ratio_high"].holds is None
    assert lived(RESERVED.but(new_token_ratio=0.6), QUEUE)[0]["ratio_high"].holds


def test_hits_that_go_long_after_the_pool_filled_are_its_consequence() -> None:
    world = later(
        HEALTHY.but(kv_usage=C(0.3, 0.97), waiting=C(0, 12), prefix_hits=C(1_400, 900)),
        after=60.0,
        prefix_hits=C(1_400, 100),
    )
    judged, told = lived(world, QUEUE, until=CHANGE + 130.0)
    assert judged["hits_gone"].holds
    assert judged["filled_first"].holds
    assert judged["hits_fell_first"].holds is False
    assert told.cause == "kv_exhausted"


def test_hits_that_go_as_the_pool_fills_may_be_what_fills_it() -> None:
    world = HEALTHY.but(kv_usage=C(0.3, 0.97), waiting=C(0, 12), prefix_hits=C(1_400, 100))
    judged, _ = lived(world, QUEUE, until=CHANGE + 130.0)
    assert judged["hits_gone"].holds
    assert judged["filled_first"].holds is False


def test_a_pool_that_fills_later_was_empty_when_the_hit_rate_fell() -> None:
    world = later(HEALTHY.but(prefix_hits=C(1_400, 0)), kv_usage=C(0.3, 0.6))
    judged, _ = lived(world, trouble("prefix_hit_drop"), until=CHANGE + 150.0)
    assert judged["kv_low"].holds is False
    assert judged["fell_low"].holds


def test_a_hit_rate_that_is_back_has_lost_nothing_however_few_prompts_come() -> None:
    """A third of the hits, of a third of the prompts."""
    few = C(2_000, 650)
    world = HEALTHY.but(prefix_queries=few, prefix_hits=C(1_400, 450))
    judged, _ = lived(world, trouble("prefix_hit_drop"))
    assert judged["hits_kept"].holds


@pytest.mark.parametrize(("hits", "diluted"), [(1_400.0, True), (100.0, False)])
def test_prompts_on_top_dilute_and_do_not_take_the_hits(hits: float, diluted: bool) -> None:
    world = HEALTHY.but(
        prefix_queries=C(2_000, 6_000), prefix_hits=C(1_400, hits), prompt_tokens_computed=C(600, 4_600)
    )
    judged, _ = lived(world, QUEUE, until=CHANGE + 90.0)
    assert judged["diluted"].holds is diluted


def test_who_hangs_up_before_a_queue_forms_is_what_fills_it() -> None:
    world = later(
        HEALTHY.but(
            finished_abort=C(0.0, 1.0), prompt_tokens=C(2_000, 4_000), prompt_tokens_computed=C(600, 2_600)
        ),
        after=40.0,
        waiting=C(0, 12),
    )
    first, _ = lived(world, trouble("request_errors"), until=CHANGE + 90.0)
    at_once, _ = lived(
        HEALTHY.but(finished_abort=C(0.0, 1.0), waiting=C(0, 12)),
        trouble("request_errors", onset=CHANGE + 30.0),
        until=CHANGE + 90.0,
    )
    assert first["gave_up_first"].holds
    assert at_once["gave_up_first"].holds is False
