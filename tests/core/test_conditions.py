"""Single conditions on hand-made worlds: what holds, what does not, and what cannot be known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from inferguard_core.diagnose import EpisodeMemory, remember
from inferguard_core.diagnose.conditions.table import CONDITIONS
from inferguard_core.frame import IncidentState
from inferguard_core.signals import Signal
from tests.core.diagnose_worlds import (
    CHANGE,
    FAST,
    HEALTHY,
    HEALTHY_SGLANG,
    UNIX,
    Change,
    World,
    scenes,
    trouble,
)

if TYPE_CHECKING:
    from inferguard_core.verdict import Condition

S = Signal
C = Change


def known(
    world: World, *kinds: str, interval: float = 1.0, until: float = CHANGE + 60.0
) -> dict[str, Condition]:
    memory = EpisodeMemory()
    for scene in scenes(world, tuple(trouble(k) for k in kinds), interval=interval, until=until):
        memory = remember(memory, scene)
    return dict(memory.conditions)


def test_every_condition_of_the_table_is_judged_under_its_own_id() -> None:
    judged = known(HEALTHY)
    assert {name: c.id for name, c in judged.items()} == {name: name for name in CONDITIONS}


def test_a_healthy_engine_shows_no_condition_of_trouble() -> None:
    held = {name for name, c in known(HEALTHY).items() if c.holds}
    calm = {
        "kv_slack",
        "kv_low",
        "below_cap",
        "takes_all",
        "tokens_held_normal",
        "prompts_repeated",
        "hits_kept",
        "itl_flat",
    }
    assert held - calm <= {"prompt_rate_at_peak"}


def test_a_page_without_anything_makes_everything_unknown_or_a_plain_no() -> None:
    judged = known(World({}))
    assert [c.id for c in judged.values() if c.holds] == []


@pytest.mark.parametrize("interval", [1.0, 2.0, 5.0])
def test_arrivals_that_double_are_seen_with_both_numbers(interval: float) -> None:
    """2 a second before; after: 2 complete and 3 a second join the queue, so 5 arrive."""

    class Growing(World):
        def _value(self, signal: Signal, number: float | Change, t: float) -> float:
            return max(0.0, 3.0 * (t - CHANGE)) if signal is S.WAITING else super()._value(signal, number, t)

    world = Growing(HEALTHY.numbers, HEALTHY.latency, HEALTHY.latency_rate)
    found = known(world, interval=interval)["arrivals_doubled"]
    assert found.holds
    assert "2.0/s → 5.0/s" in found.text


def test_three_arrivals_more_in_a_quiet_minute_are_chance() -> None:
    """0.05 a second doubles to 0.1: two requests in half a minute, as often happens."""
    world = HEALTHY.but(finished=C(0.05, 0.1), http_2xx=C(0.05, 0.1))
    assert known(world)["arrivals_doubled"].holds is False


def test_kv_held_at_nine_tenths_dates_from_when_it_rose() -> None:
    found = known(HEALTHY.but(kv_usage=C(0.3, 0.95)))["kv_full"]
    assert found.holds
    assert found.onset_unix == pytest.approx(UNIX + CHANGE, abs=10.0)


def test_sglang_that_retracts_is_not_said_to_have_a_free_pool() -> None:
    world = HEALTHY_SGLANG.but(preemptions=C(0.0, 0.1), kv_usage=C(0.3, 0.6))
    judged = known(world)
    assert judged["preempting"].holds
    assert judged["kv_full"].holds is None


def test_one_preemption_is_how_an_engine_makes_room() -> None:
    assert known(HEALTHY.but(preemptions=C(0.0, 1 / 60)))["preempting"].holds is False


def test_the_configured_limit_tells_whether_the_batch_is_full() -> None:
    world = HEALTHY.but(running=C(10, 16), waiting=C(0, 9))
    roomy = replace(world, info={"max_num_seqs": "64"})
    tight = replace(world, info={"max_num_seqs": "16"})
    assert (known(tight)["at_cap"].holds, known(tight)["below_cap"].holds) == (True, False)
    assert (known(roomy)["at_cap"].holds, known(roomy)["below_cap"].holds) == (False, True)


def test_without_a_limit_a_batch_at_the_most_ever_seen_cannot_be_called_roomy() -> None:
    assert known(HEALTHY.but(running=C(10, 16), waiting=C(0, 9)))["below_cap"].holds is None


def test_a_hit_rate_of_few_tokens_is_unknown() -> None:
    """20 tokens a second: 600 in half a minute, where 2,000 are asked for."""
    world = HEALTHY.but(prefix_queries=20.0, prefix_hits=C(14, 0))
    assert known(world)["hit_rate_fell"].holds is None


def test_prompts_that_come_on_top_dilute_the_hit_rate_without_a_hit_lost() -> None:
    world = HEALTHY.but(prefix_queries=C(2_000, 6_000), prompt_tokens_computed=C(600, 4_600))
    judged = known(world)
    assert judged["hit_rate_fell"].holds
    assert judged["hits_kept"].holds
    assert judged["hits_fell_first"].holds is False


def test_the_cache_is_off_only_where_the_engine_says_so() -> None:
    off = replace(HEALTHY, info={"enable_prefix_caching": "False"})
    untold = replace(HEALTHY.but(prefix_hits=None), info={})
    assert known(off)["cache_off"].holds is True
    assert known(HEALTHY)["cache_off"].holds is False
    assert known(untold)["cache_off"].holds is None


def test_an_engine_started_a_minute_ago_that_was_never_seen_warm_is_cold() -> None:
    young = HEALTHY.but(process_start=UNIX + CHANGE - 5)
    memory = EpisodeMemory()
    for scene in scenes(young, (trouble("prefix_hit_drop"),), onset=2.0, opened=8.0, until=12.0):
        memory = remember(memory, scene)
    assert memory.conditions["cache_cold"].holds
    assert known(HEALTHY)["cache_cold"].holds is False


def test_sglang_responses_are_no_witness_of_clients_that_hang_up() -> None:
    """SGLang counts a response when it begins: calls answered and not finished are simply running."""
    assert known(HEALTHY.but(finished=C(2.0, 1.0)))["aborted"].holds
    assert (
        known(
            replace(HEALTHY_SGLANG, numbers={**HEALTHY_SGLANG.numbers, S.HTTP_2XX: 2.0}).but(finished=C(2, 1))
        )["aborted"].holds
        is False
    )


def test_itl_tail_needs_a_flat_middle() -> None:
    tail = ((0.018, 0.93), (0.9, 0.07))
    slow = ((0.9, 1.0),)
    before = ((0.018, 1.0),)
    only_tail = replace(HEALTHY, latency={S.TTFT: (FAST, FAST), S.ITL: (before, tail)})
    all_slow = replace(HEALTHY, latency={S.TTFT: (FAST, FAST), S.ITL: (before, slow)})
    assert known(only_tail)["itl_tail_up"].holds is True
    assert known(all_slow)["itl_tail_up"].holds is False


def test_an_engine_that_does_not_answer_leaves_load_unknown() -> None:
    judged = known(HEALTHY.but(waiting=C(0, 50)), "endpoint_down")
    assert judged["down"].holds
    assert judged["not_serving"].holds
    assert {judged[n].holds for n in ("queued", "kv_full", "kv_slack", "at_cap")} == {None}


def test_what_was_seen_counts_for_five_minutes_and_ease_only_while_it_lasts() -> None:
    class Passing(World):
        def _value(self, signal: Signal, number: float | Change, t: float) -> float:
            if signal is S.KV_USAGE:
                return 0.95 if CHANGE <= t < CHANGE + 60 else 0.3
            return super()._value(signal, number, t)

    world = Passing(HEALTHY.numbers, HEALTHY.latency, HEALTHY.latency_rate)
    soon, late = known(world, until=CHANGE + 200), known(world, until=CHANGE + 400)
    assert (soon["kv_full"].holds, soon["kv_slack"].holds) == (True, False)
    assert (late["kv_full"].holds, late["kv_slack"].holds) == (False, True)


def test_a_recovering_incident_keeps_what_was_judged_while_it_was_open() -> None:
    memory = EpisodeMemory()
    pressed = HEALTHY.but(kv_usage=C(0.3, 0.95), waiting=C(0, 9))
    for scene in scenes(pressed):
        memory = remember(memory, scene)
    open_conditions = memory.conditions
    for scene in scenes(HEALTHY, opened=CHANGE + 61, until=CHANGE + 70, state=IncidentState.RECOVERING):
        memory = remember(memory, scene)
    assert memory.conditions == open_conditions


def test_the_same_scene_twice_is_remembered_once() -> None:
    scene = next(iter(scenes(HEALTHY)))
    once = remember(EpisodeMemory(), scene)
    assert remember(once, scene) is once
