"""The simulated source: a poll costs an interval of virtual time and none of ours."""

from __future__ import annotations

from dataclasses import replace

from inferguard_core.poll import FailureKind, ProofLevel, Source
from inferguard_tui.simulator.demo_scenarios import HEALTHY, INCIDENT
from inferguard_tui.simulator.dialect import Dialect
from inferguard_tui.simulator.engine import SimulatedEngine
from inferguard_tui.simulator.faults import Crash, SlowApi
from inferguard_tui.simulator.source import SimulatedSource


async def test_each_poll_is_one_interval_later() -> None:
    source: Source = SimulatedSource(SimulatedEngine(INCIDENT, seed=1), interval_s=5.0)
    polls = [await source.poll() for _ in range(4)]
    assert [poll.t for poll in polls] == [0.0, 5.0, 10.0, 15.0]
    assert [poll.unix - polls[0].unix for poll in polls] == [0.0, 5.0, 10.0, 15.0]
    assert len({poll.body for poll in polls}) == 4
    assert all(poll.size == len(poll.body.encode()) for poll in polls if poll.body)
    assert source.proof is ProofLevel.SIMULATED
    await source.close()


async def test_facts_come_with_the_first_poll_and_after_a_restart() -> None:
    scenario = replace(HEALTHY, faults=(Crash(at=3.0, seconds=3.0),))
    source = SimulatedSource(SimulatedEngine(scenario, engine=Dialect.SGLANG, seed=1), interval_s=2.0)
    polls = [await source.poll() for _ in range(6)]
    assert [poll.facts is not None for poll in polls] == [True, False, False, True, False, False]
    assert polls[0].facts is not None
    assert polls[0].facts.version == "0.5.23"
    assert polls[0].facts.models[0].max_model_len == 32768


async def test_a_server_that_is_down_is_a_refused_connection() -> None:
    scenario = replace(HEALTHY, faults=(Crash(at=1.0, seconds=10.0),))
    source = SimulatedSource(SimulatedEngine(scenario, seed=1), interval_s=2.0)
    polls = [await source.poll() for _ in range(3)]
    assert polls[0].failure is None
    assert polls[1].body is None
    assert polls[1].failure is not None
    assert polls[1].failure.kind is FailureKind.REFUSED


async def test_an_answer_later_than_the_deadline_is_a_time_out() -> None:
    scenario = replace(HEALTHY, faults=(SlowApi(at=1.0, seconds=10.0, delay_s=3.0),))
    source = SimulatedSource(SimulatedEngine(scenario, seed=1), interval_s=2.0, timeout_s=2.0)
    await source.poll()
    late = await source.poll()
    assert late.failure is not None
    assert late.failure.kind is FailureKind.TIMED_OUT
