"""Several cores on one page: told apart by their label, fed by a router, summing to what was done."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from inferguard_tui.simulator.clients import COMPLETIONS
from inferguard_tui.simulator.dialect import Dialect
from inferguard_tui.simulator.engine import SimulatedEngine
from inferguard_tui.simulator.scenario import Scenario
from inferguard_tui.simulator.size import EngineSize
from inferguard_tui.simulator.traffic import Rate

LABEL = {Dialect.VLLM_V1: "engine", Dialect.SGLANG: "dp_rank"}
FINISHED = {
    Dialect.VLLM_V1: "vllm:prefix_cache_queries_total",
    Dialect.SGLANG: "sglang:prefill_effective_tokens_total",
}
dialects = pytest.mark.parametrize("dialect", list(LABEL))


def run(dialect: Dialect, *, pinned: int = -1) -> SimulatedEngine:
    clients = replace(COMPLETIONS, rate=Rate.constant(3.0), pinned=pinned)
    scenario = Scenario("two", "", (clients,), EngineSize(data_parallel=2), history_s=0.0)
    engine = SimulatedEngine(scenario, engine=dialect, seed=1)
    engine.advance(60.0)
    return engine


def by_core(engine: SimulatedEngine) -> dict[str, float]:
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(engine.exposition()):
        for sample in family.samples:
            if sample.name == FINISHED[engine.dialect]:
                core = sample.labels[LABEL[engine.dialect]]
                found[core] = found.get(core, 0.0) + sample.value
    return found


@dialects
def test_a_fair_router_shares_the_work(dialect: Dialect) -> None:
    work = by_core(run(dialect))
    assert work.keys() == {"0", "1"}
    assert max(work.values()) < 2 * min(work.values())


@dialects
def test_a_pinned_class_goes_to_its_core_alone(dialect: Dialect) -> None:
    work = by_core(run(dialect, pinned=1))
    assert work["0"] == 0.0
    assert work["1"] > 0.0


@dialects
def test_no_series_appears_twice(dialect: Dialect) -> None:
    seen = set()
    for family in text_string_to_metric_families(run(dialect).exposition()):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in seen
            seen.add(key)


@dialects
def test_a_single_core_has_no_rank_that_a_single_engine_would_not_show(dialect: Dialect) -> None:
    scenario = Scenario("one", "", (COMPLETIONS,), history_s=0.0)
    engine = SimulatedEngine(scenario, engine=dialect, seed=1)
    engine.advance(30.0)
    if dialect is Dialect.SGLANG:
        assert "sglang:num_running_reqs{" in engine.exposition()
        line = next(x for x in engine.exposition().splitlines() if x.startswith("sglang:num_running_reqs{"))
        assert "dp_rank" not in line
    else:
        assert 'engine="1"' not in engine.exposition()
