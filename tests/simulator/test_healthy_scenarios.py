"""Healthy scenarios do no harm, at every load that an evaluation gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inferguard_tui.simulator.dialect import Dialect
from inferguard_tui.simulator.engine import SimulatedEngine
from inferguard_tui.simulator.healthy_scenarios import HEALTHY_SCENARIOS, KV_95

if TYPE_CHECKING:
    from inferguard_tui.simulator.scenario import Scenario


@pytest.mark.parametrize("scenario", HEALTHY_SCENARIOS, ids=lambda scenario: scenario.name)
def test_nobody_waits_and_nothing_is_thrown_out(scenario: Scenario) -> None:
    for dialect in scenario.engines:
        engine = SimulatedEngine(scenario.scaled(1.1), engine=dialect, seed=5)
        engine.advance(700.0)
        lived = tuple(engine.ledger.between(0.0, 700.0))
        first = sum(second.first_tokens for second in lived)
        assert sum(second.preempted for second in lived) == 0
        assert sum(second.late for second in lived) <= 0.01 * first
        assert not any(second.queued for second in lived)
        assert engine.labels()["episodes"] == []


@pytest.mark.parametrize("dialect", [Dialect.VLLM_V1, Dialect.SGLANG])
def test_kv_95_is_nearly_full_all_the_time(dialect: Dialect) -> None:
    engine = SimulatedEngine(KV_95, engine=dialect, seed=2)
    usages = []
    for t in range(0, 600, 5):
        engine.advance(float(t))
        usages.append(engine.process.scheduler.pool.usage)
    assert 0.87 < sum(usages) / len(usages) < 0.97
    assert max(usages) > 0.93
