"""The scenarios do what they say, for both engines and several seeds."""

from __future__ import annotations

import pytest

from inferguard_tui.simulator.actions import carry_out
from inferguard_tui.simulator.dialect import Dialect
from inferguard_tui.simulator.engine import SimulatedEngine
from inferguard_tui.simulator.scenarios import SCENARIOS


class Trace:
    """KV usage, queue and preemptions of a run, sampled each second."""

    def __init__(self, name: str, dialect: Dialect, seed: int, seconds: int) -> None:
        self.engine = SimulatedEngine(SCENARIOS[name], engine=dialect, seed=seed)
        self.preempted_at: list[float] = []
        self.engine.on_step.append(
            lambda step: self.preempted_at.extend([step.started_at] * len(step.preempted))
        )
        self.usage: list[float] = []
        self.waiting: list[int] = []
        for t in range(seconds):
            self.engine.advance(float(t))
            scheduler = self.engine.process.scheduler
            self.usage.append(scheduler.pool.usage)
            self.waiting.append(len(scheduler.waiting))


both = pytest.mark.parametrize("dialect", [Dialect.VLLM_V1, Dialect.SGLANG])
seeds = pytest.mark.parametrize("seed", [0, 1, 2])


def test_the_named_scenarios_are_there() -> None:
    assert {"healthy", "pressure_ramp", "incident", "recovery", "self_repair"} <= set(SCENARIOS)
    assert all(name == scenario.name for name, scenario in SCENARIOS.items())


@both
@seeds
def test_an_incident_is_visible_within_forty_seconds_and_ends(dialect: Dialect, seed: int) -> None:
    trace = Trace("incident", dialect, seed, 260)
    assert max(trace.usage[:8]) < 0.3
    assert max(trace.usage[8:40]) > 0.97
    assert 20 < trace.preempted_at[0] < 40
    assert trace.waiting[40] > 20
    (episode,) = trace.engine.episodes()
    if dialect is Dialect.VLLM_V1:
        assert ["preemption"] in episode["kinds"]
    assert 120 < episode["end"] < 255
    assert max(trace.waiting[int(episode["end"]) + 1 :]) < 10


@both
@seeds
def test_the_ramp_climbs_slowly_before_it_hurts(dialect: Dialect, seed: int) -> None:
    trace = Trace("pressure_ramp", dialect, seed, 260)
    tenths = [sum(trace.usage[t : t + 40]) / 40 for t in (0, 60, 120, 180)]
    assert tenths == sorted(tenths)
    assert max(trace.waiting[:100]) < 10
    trace.engine.advance(360.0)
    (episode,) = trace.engine.episodes()
    assert 100 < episode["onset"] < 250


@both
@seeds
def test_recovery_starts_in_trouble_and_ends_in_health(dialect: Dialect, seed: int) -> None:
    trace = Trace("recovery", dialect, seed, 180)
    assert trace.usage[0] > 0.85
    assert trace.waiting[0] > 20
    assert max(trace.waiting[150:]) < 5
    assert max(trace.usage[150:]) < 0.8
    (episode,) = trace.engine.episodes()
    assert episode["onset"] == 0.0
    assert 30 < episode["end"] < 150


@both
@seeds
def test_self_repair_goes_on_until_a_throttle_ends_it(dialect: Dialect, seed: int) -> None:
    """Nothing but the gateway changes: the same jobs go on, and about as much of them is finished."""
    left_alone = Trace("self_repair", dialect, seed, 160)
    assert max(left_alone.waiting[140:]) > 15
    engine = SimulatedEngine(SCENARIOS["self_repair"], engine=dialect, seed=seed)
    engine.advance(60.0)
    assert carry_out(engine, "throttle_concurrency", {"target_concurrency": 67.0}) == ""
    waiting = []
    for t in range(61, 160):
        engine.advance(float(t))
        waiting.append(len(engine.process.scheduler.waiting))
        assert len(engine.process.open) <= 67 or t < 90
    assert sum(waiting[60:]) < 3 * len(waiting[60:])
    done = [
        sum(second.finished for second in one.ledger.between(110, 160)) for one in (engine, left_alone.engine)
    ]
    assert done[0] > 0.9 * done[1]


def test_quiet_costs_next_to_nothing_and_is_never_in_trouble() -> None:
    trace = Trace("quiet", Dialect.VLLM_V1, 0, 600)
    assert max(trace.usage) < 0.1
    assert not trace.preempted_at
