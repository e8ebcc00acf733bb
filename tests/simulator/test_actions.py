"""What the simulated deployment does when it is told to act: its own engine is really changed by it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inferguard_tui.simulator.actions import carry_out
from inferguard_tui.simulator.cache_scenarios import CACHE_SCENARIOS
from inferguard_tui.simulator.clients import CHAT, COMPLETIONS
from inferguard_tui.simulator.dialect import Dialect
from inferguard_tui.simulator.engine import Condition, SimulatedEngine
from inferguard_tui.simulator.faults import Stall
from inferguard_tui.simulator.gateway import DRAIN_S, RECYCLE_S
from inferguard_tui.simulator.scenario import Scenario
from inferguard_tui.simulator.scenarios import SCENARIOS

both = pytest.mark.parametrize("dialect", [Dialect.VLLM_V1, Dialect.SGLANG])
BUSY = Scenario(
    "busy", "", (CHAT, replace(COMPLETIONS, rate=replace(COMPLETIONS.rate, points=((0.0, 6.0),))))
)


def engine(scenario: Scenario = BUSY, dialect: Dialect = Dialect.VLLM_V1) -> SimulatedEngine:
    made = SimulatedEngine(scenario, engine=dialect, seed=1)
    made.advance(20.0)
    return made


@both
def test_a_throttle_holds_requests_at_the_gateway_and_loses_none(dialect: Dialect) -> None:
    one = engine(dialect=dialect)
    assert not carry_out(one, "throttle_concurrency", {"target_concurrency": 5.0})
    one.advance(40.0)
    assert len(one.process.open) == 5
    assert len(one.gateway.held) > 10
    assert not carry_out(one, "throttle_concurrency", {"target_concurrency": 500.0})
    one.advance(200.0)
    assert not one.gateway.held
    assert sum(second.failed for second in one.ledger.between(0, 200)) == 0


def test_an_admission_rate_spaces_them_out() -> None:
    one = engine()
    assert not carry_out(one, "throttle_concurrency", {"admit_per_second": 2.0})
    before = sum(second.first_tokens for second in one.ledger.between(0, 30))
    one.advance(30.0)
    one.advance(90.0)
    let_in = sum(second.first_tokens for second in one.ledger.between(30, 90))
    assert 110 <= let_in <= 125
    assert before > 0


@both
def test_a_drain_finishes_what_runs_and_restarts(dialect: Dialect) -> None:
    one = engine(dialect=dialect)
    boots, running = one.host.boots, len(one.process.open)
    assert running > 0
    assert not carry_out(one, "drain_and_recycle", {})
    one.advance(one.now + DRAIN_S + RECYCLE_S + 1.0)
    assert one.host.boots == boots + 1
    assert one.condition is Condition.SERVING
    one.advance(one.now + 20.0)
    assert not one.gateway.held
    assert sum(second.finished for second in one.ledger.between(one.now - 10, one.now)) > 10


def test_a_drain_ends_a_stall_that_would_go_on() -> None:
    one = engine(replace(BUSY, faults=(Stall(5.0, 10_000.0),)))
    assert one.condition is Condition.STALLED
    assert not carry_out(one, "drain_and_recycle", {})
    one.advance(one.now + DRAIN_S + RECYCLE_S + 20.0)
    assert one.condition is Condition.SERVING
    assert sum(second.finished for second in one.ledger.between(one.now - 10, one.now)) > 10


def test_one_rank_alone_is_not_restarted() -> None:
    one = engine()
    assert "rank" in carry_out(one, "drain_and_recycle", {"rank": "1"})
    assert one.gateway.drained_by is None


@both
def test_a_flush_forgets_every_prefix_and_no_request(dialect: Dialect) -> None:
    one = engine(dialect=dialect)
    pool = one.process.scheduler.pool
    held = pool.held
    assert pool.reusable > 0
    assert not carry_out(one, "flush_session_radix", {"hit_rate": 0.1})
    assert (pool.reusable, pool.held) == (0, held)
    assert pool.blank + pool.held == pool.total
    one.advance(60.0)
    assert pool.blank + pool.reusable + pool.held == pool.total
    assert sum(second.failed for second in one.ledger.between(0, 60)) == 0


def test_a_shorter_window_comes_with_the_next_process() -> None:
    scenario = next(s for s in CACHE_SCENARIOS if s.size.speculative_tokens)
    one = engine(scenario)
    drafted = scenario.size.speculative_tokens
    assert "below" in carry_out(one, "shrink_speculation_window", {"target_window": float(drafted)})
    assert not carry_out(one, "shrink_speculation_window", {"target_window": 1.0})
    one.advance(one.now + DRAIN_S + RECYCLE_S + 30.0)
    steps: list[int] = []
    one.on_step.append(lambda step: steps.append(step.draft_tokens - step.drafts))
    one.advance(one.now + 5.0)
    assert steps
    assert set(steps) == {0}


def test_a_quarantine_refuses_the_shape_and_ends_the_crashes() -> None:
    scenario = SCENARIOS["shape_crash"]
    (deadly,) = scenario.faults
    crashes = []
    for act in (False, True):
        one = SimulatedEngine(scenario, seed=1)
        if act:
            over = deadly.prompt_tokens - 1  # type: ignore[union-attr]
            assert not carry_out(one, "quarantine_shape", {"prompt_tokens_over": float(over)})
        one.advance(scenario.seconds)
        crashes.append(one.host.boots - 1)
        assert (one.gateway.refused > 0) is act
    assert crashes[0] >= 2
    assert crashes[1] == 0


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        ("recommend_compaction", {}),
        ("format_disks", {}),
        ("throttle_concurrency", {}),
        ("throttle_concurrency", {"target_concurrency": 0.0}),
        ("throttle_concurrency", {"target_concurrency": "many"}),
        ("throttle_concurrency", {"admit_per_second": float("nan")}),
        ("quarantine_shape", {"shape": "x"}),
        ("shrink_speculation_window", {"target_window": True}),
    ],
)
def test_what_it_cannot_do_it_says(action: str, parameters: dict[str, object]) -> None:
    assert carry_out(engine(), action, parameters)
