"""Each scenario of a cause shows that cause's physics, measured on the scheduler or read off the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from inferguard_tui.simulator.dialect import Dialect
from inferguard_tui.simulator.engine import SimulatedEngine
from inferguard_tui.simulator.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable

VLLM, SGLANG, V0 = Dialect.VLLM_V1, Dialect.SGLANG, Dialect.VLLM_V0
both = pytest.mark.parametrize("dialect", [VLLM, SGLANG])


def started(name: str, dialect: Dialect, seed: int = 1, load: float = 1.0) -> SimulatedEngine:
    return SimulatedEngine(SCENARIOS[name].scaled(load), engine=dialect, seed=seed)


def sampled(
    engine: SimulatedEngine, start: int, end: int, look: Callable[[SimulatedEngine], Any]
) -> list[Any]:
    """What `look` sees at each second from `start` to `end`."""
    seen = []
    for t in range(start, end):
        engine.advance(float(t))
        seen.append(look(engine))
    return seen


def shown(engine: SimulatedEngine) -> dict[str, float]:
    """Sums over label sets, by sample name; HTTP answers also by status, finished requests by reason."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(engine.exposition()):
        for sample in family.samples:
            for label in ("status", "status_code", "finished_reason"):
                if label in sample.labels:
                    key = f"{sample.name} {sample.labels[label]}"
                    found[key] = found.get(key, 0.0) + sample.value
            found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


@both
def test_prefix_thrash_evicts_and_forgets(dialect: Dialect) -> None:
    engine = started("prefix_thrash", dialect)
    looked: list[tuple[int, int]] = []
    engine.on_step.append(
        lambda step: looked.extend(
            (r.cached_tokens, r.prompt_tokens) for r in step.admitted if not r.preemptions
        )
    )
    engine.advance(330.0)
    evicted, before = engine.process.scheduler.pool.evictions, looked.copy()
    engine.advance(400.0)
    evicted_then, looked[:] = engine.process.scheduler.pool.evictions, []
    engine.advance(520.0)
    evicting = (engine.process.scheduler.pool.evictions - evicted_then) / 120
    hit_before = sum(h for h, _ in before) / sum(q for _, q in before)
    hit = sum(h for h, _ in looked) / sum(q for _, q in looked)
    assert hit_before > 0.6
    assert hit < 0.2
    assert evicting > 10 * max(1.0, evicted / 330)


@both
def test_prefix_broken_loses_every_hit_in_a_pool_with_room(dialect: Dialect) -> None:
    engine = started("prefix_broken", dialect)
    hits: list[float] = []
    engine.on_step.append(lambda step: hits.extend(r.cached_tokens / r.prompt_tokens for r in step.admitted))
    engine.advance(329.0)
    assert sum(hits) / len(hits) > 0.9
    engine.advance(331.0)
    hits.clear()
    usage = sampled(engine, 331, 480, lambda e: e.process.scheduler.pool.usage)
    assert max(hits) == 0.0
    assert max(usage) < 0.6


@both
def test_sequence_cap_fills_the_batch_and_not_the_pool(dialect: Dialect) -> None:
    engine = started("sequence_cap", dialect)
    seen = sampled(
        engine,
        180,
        250,
        lambda e: (
            len(e.process.scheduler.running),
            len(e.process.scheduler.waiting),
            e.process.scheduler.pool.usage,
        ),
    )
    cap = engine.scenario.size.max_num_seqs
    assert sorted(running for running, _, _ in seen)[len(seen) // 2] == cap
    assert min(waiting for _, waiting, _ in seen) > 0
    assert max(usage for _, _, usage in seen) < 0.8


def test_compute_bound_computes_as_many_prompt_tokens_as_the_cost_model_allows() -> None:
    """A full budget of 2048 tokens takes 12 ms and 60 us a token: 15.2 thousand tokens a second, less decode."""
    engine = started("compute_bound", VLLM)
    engine.advance(150.0)
    computed = [0]
    engine.on_step.append(lambda step: computed.append(step.prefill_tokens))
    seen = sampled(
        engine, 150, 200, lambda e: (len(e.process.scheduler.waiting), e.process.scheduler.pool.usage)
    )
    assert 13_000 < sum(computed) / 50 < 15_200
    assert min(waiting for waiting, _ in seen) > 0
    assert max(usage for _, usage in seen) < 0.8
    assert len(engine.process.scheduler.running) < engine.scenario.size.max_num_seqs


def test_conservative_admission_queues_before_a_pool_with_room() -> None:
    engine = started("conservative_admission", SGLANG)
    preempted = [0]
    engine.on_step.append(lambda step: preempted.append(len(step.preempted)))
    seen = sampled(
        engine,
        150,
        200,
        lambda e: (
            len(e.process.scheduler.waiting),
            e.process.scheduler.pool.usage,
            len(e.process.scheduler.running),
        ),
    )
    assert min(waiting for waiting, _, _ in seen) > 5
    assert sorted(usage for _, usage, _ in seen)[len(seen) // 2] < 0.85
    assert max(running for _, _, running in seen) < engine.scenario.size.max_num_seqs
    assert sum(preempted) == 0


@both
def test_long_contexts_fill_the_pool_with_few_requests(dialect: Dialect) -> None:
    engine = started("long_contexts", dialect)

    def tokens_each(e: SimulatedEngine) -> float:
        scheduler = e.process.scheduler
        return scheduler.pool.held * scheduler.pool.block_size / max(1, len(scheduler.running))

    before = sampled(engine, 100, 330, tokens_each)
    during = sampled(engine, 380, 430, tokens_each)
    assert sum(during) / len(during) > 2 * sum(before) / len(before)
    assert engine.process.scheduler.pool.usage > 0.8


@both
def test_rank_imbalance_presses_one_core_of_four(dialect: Dialect) -> None:
    engine = started("rank_imbalance", dialect)
    engine.advance(200.0)
    usages = [rank.scheduler.pool.usage for rank in engine.process.ranks]
    assert len(usages) == 4
    assert usages[0] > 0.8
    assert max(usages[1:]) < 0.3
    name = "vllm:kv_cache_usage_perc" if dialect is VLLM else "sglang:token_usage"
    label = "engine" if dialect is VLLM else "dp_rank"
    page = {
        sample.labels[label]: sample.value
        for family in text_string_to_metric_families(engine.exposition())
        for sample in family.samples
        if sample.name == name
    }
    assert page.keys() == {"0", "1", "2", "3"}
    assert max(page, key=lambda rank: page[rank]) == "0"


def test_offload_pressure_moves_requests_to_the_host_and_back() -> None:
    engine = started("offload_pressure", V0)
    moved = [0]
    engine.on_step.append(lambda step: moved.append(step.swapped_blocks))
    engine.advance(90.0)
    assert sum(moved) == 0
    engine.advance(260.0)
    assert sum(moved) > 1000
    assert engine.process.scheduler.swapped_requests == 0


@both
def test_spec_collapse_throws_most_drafts_away(dialect: Dialect) -> None:
    engine = started("spec_collapse", dialect)
    drafts: list[tuple[int, int]] = []
    engine.on_step.append(lambda step: drafts.append((sum(step.accepted_by_position), step.draft_tokens)))
    engine.advance(320.0)
    before = sum(a for a, _ in drafts) / sum(d for _, d in drafts)
    engine.advance(360.0)
    drafts.clear()
    engine.advance(480.0)
    after = sum(a for a, _ in drafts) / sum(d for _, d in drafts)
    # Of four positions, each counts only if all before it do: (p + p^2 + p^3 + p^4) / 4.
    assert before == pytest.approx(sum(0.82**k for k in range(1, 5)) / 4, abs=0.03)
    assert after == pytest.approx(sum(0.15**k for k in range(1, 5)) / 4, abs=0.02)


def test_prefill_interference_widens_the_tail_of_gaps_and_not_the_median() -> None:
    engine = started("prefill_interference", VLLM)
    gaps: list[float] = []
    engine.on_step.append(lambda step: gaps.extend(g for g, n in step.gaps.items() for _ in range(n)))
    engine.advance(320.0)
    calm = sorted(gaps)
    engine.advance(340.0)
    gaps.clear()
    engine.advance(460.0)
    broken = sorted(gaps)
    assert broken[len(broken) // 2] < 1.6 * calm[len(calm) // 2]
    assert broken[int(0.95 * len(broken))] > 3 * calm[int(0.95 * len(calm))]


def test_abort_storm_answers_calls_that_the_engine_never_finishes() -> None:
    """The difference of calls answered 2xx and finished requests is the clients that hung up."""
    engine = started("abort_storm", VLLM)
    engine.advance(330.0)
    before = shown(engine)
    engine.advance(440.0)
    after = shown(engine)

    def gone(page: dict[str, float]) -> float:
        return page["http_requests_total 2xx"] - page["vllm:request_success_total"]

    assert gone(before) < 20
    assert gone(after) - gone(before) > 100
    assert after["vllm:request_success_total abort"] == 0


def test_error_storm_is_an_error_finish_and_a_5xx_each() -> None:
    engine = started("error_storm", VLLM)
    engine.advance(149.0)
    assert shown(engine)["vllm:request_success_total error"] == 0
    engine.advance(262.0)
    page = shown(engine)
    assert page["vllm:request_success_total error"] > 50
    assert page["http_requests_total 5xx"] == page["vllm:request_success_total error"]


def test_error_storm_on_sglang_is_a_500() -> None:
    engine = started("error_storm", SGLANG)
    engine.advance(149.0)
    assert "sglang:http_responses_total 500" not in shown(engine)
    engine.advance(262.0)
    assert shown(engine)["sglang:http_responses_total 500"] > 50


def test_a_core_frozen_while_idle_looks_idle_and_only_descriptors_climb() -> None:
    engine = started("engine_frozen_idle", VLLM)
    (before, *_, after) = sampled(engine, 165, 215, shown)
    assert before["vllm:num_requests_running"] == after["vllm:num_requests_running"] == 0
    assert after["vllm:num_requests_waiting"] == 0
    assert after["vllm:generation_tokens_total"] == before["vllm:generation_tokens_total"]
    assert after["process_open_fds"] > before["process_open_fds"] + 25


@both
def test_shape_crash_kills_the_server_again_and_again_but_only_by_its_shape(dialect: Dialect) -> None:
    engine = started("shape_crash", dialect)
    engine.advance(560.0)
    crashes = sum(second.restarts for second in engine.ledger.between(0.0, 560.0))
    assert crashes >= 2
    plain = SimulatedEngine(SCENARIOS["steady"], engine=dialect, seed=1)
    plain.advance(560.0)
    assert sum(second.restarts for second in plain.ledger.between(0.0, 560.0)) == 0


def test_single_requests_of_the_deadly_shape_finish_and_show_in_the_histogram() -> None:
    engine = started("shape_crash", VLLM)
    engine.advance(130.0)
    long_before = engine.exposition().count("vllm:request_prompt_tokens_bucket")
    assert long_before > 0
    finished: list[int] = []
    engine.on_step.append(lambda step: finished.extend(r.prompt_tokens for r in step.finished))
    engine.advance(390.0)
    assert sum(1 for tokens in finished if tokens >= 12_000) >= 3


@both
def test_slow_decode_doubles_the_median_gap(dialect: Dialect) -> None:
    engine = started("slow_decode", dialect, load=0.6)
    gaps: list[float] = []
    engine.on_step.append(lambda step: gaps.extend(g for g, n in step.gaps.items() for _ in range(n)))
    engine.advance(410.0)
    before = sorted(gaps)[len(gaps) // 2]
    engine.advance(430.0)
    gaps.clear()
    engine.advance(500.0)
    assert sorted(gaps)[len(gaps) // 2] > 2.0 * before
