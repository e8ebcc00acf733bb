"""What is concluded over a whole incident: simulated engines on virtual time, and a recording of a real one."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from inferguard_core.detect.limits import Limits
from inferguard_core.events import ActionEvent, AnomalyEvent, DiagnosisEvent, Event
from inferguard_core.frame import AnomalyState
from inferguard_core.poll import ProofLevel
from inferguard_core.sources.recording import RecordingFile
from inferguard_core.watch import EndpointWatch
from inferguard_tui.simulator.dialect import Dialect
from inferguard_tui.simulator.engine import SimulatedEngine
from inferguard_tui.simulator.scenarios import SCENARIOS
from inferguard_tui.simulator.source import SimulatedSource

if TYPE_CHECKING:
    from collections.abc import Sequence

RECORDING = Path(__file__).parents[1] / "fixtures" / "recordings" / "vllm-0.32-kv_pressure.jsonl.gz"


async def play(
    scenario: str, until_s: float, interval_s: float = 2.0, dialect: Dialect = Dialect.VLLM_V1
) -> tuple[EndpointWatch, list[Event]]:
    engine = SimulatedEngine(SCENARIOS[scenario], engine=dialect, seed=1)
    source = SimulatedSource(engine, interval_s=interval_s)
    watch = EndpointWatch("http://sim", "sim", interval_s, ProofLevel.SIMULATED, Limits())
    events: list[Event] = []
    while not watch.newest or watch.newest.t < until_s:
        events.extend(watch.observe(await source.poll()))
    return watch, events


@cache
def recorded() -> tuple[EndpointWatch, tuple[Event, ...]]:
    opened = RecordingFile.open(RECORDING)
    assert isinstance(opened, RecordingFile)
    watch = EndpointWatch("http://a", "a", 1.0, ProofLevel.RECORDED, Limits())
    return watch, tuple(event for poll in opened.polls() for event in watch.observe(poll))


def causes(events: Sequence[Event]) -> list[str]:
    return [e.diagnosis.cause for e in events if isinstance(e, DiagnosisEvent)]


async def test_a_cause_that_leads_only_while_trouble_eases_does_not_take_over() -> None:
    _, events = await play("compute_bound", 328)
    eased = next(
        e.t
        for e in events
        if isinstance(e, AnomalyEvent)
        and e.anomaly.kind == "queue_growth"
        and e.anomaly.state is AnomalyState.RECOVERING
    )
    told = [e for e in events if isinstance(e, DiagnosisEvent)]
    assert told[-1].diagnosis.cause == "compute_bound"
    assert {e.diagnosis.cause for e in told if e.t > eased} <= {"compute_bound"}


async def test_the_second_crash_with_the_same_shape_is_told_from_a_restart() -> None:
    _, events = await play("shape_crash", 300)
    assert list(dict.fromkeys(causes(events))) == ["engine_down", "engine_restarted", "shape_crash"]
    advised = [e.advisory.action_type.value for e in events if isinstance(e, ActionEvent)]
    assert advised[0] == "quarantine_shape"


async def test_a_named_cause_is_given_up_for_another_and_not_for_none() -> None:
    """Prefill goes first on SGLang, so that its pool fills behind the limit that it names at first."""
    _, events = await play("compute_bound", 300, dialect=Dialect.SGLANG)
    told = causes(events)
    assert "compute_bound" in told
    assert "unclear" not in told[told.index("compute_bound") :]


async def test_a_healthy_engine_has_no_case() -> None:
    watch, events = await play("healthy", 300)
    assert watch.casebook.diagnosis is None
    assert watch.casebook.advisories == ()
    assert causes(events) == []


def test_an_action_is_advised_once_and_not_with_every_poll() -> None:
    _, events = recorded()
    ids = [e.advisory.id for e in events if isinstance(e, ActionEvent)]
    assert ids
    assert len(ids) == len(set(ids))


def test_no_advice_comes_before_a_cause() -> None:
    _, events = recorded()
    kinds = [type(e) for e in events if isinstance(e, DiagnosisEvent | ActionEvent)]
    assert kinds[0] is DiagnosisEvent


def test_the_impact_is_counted_from_the_onset() -> None:
    watch, _ = recorded()
    impact, incident = watch.casebook.impact, watch.log.open
    assert impact is not None
    assert incident is not None
    assert impact.since_unix == incident.onset_unix
    assert impact.peak_waiting is not None
    assert impact.peak_waiting >= 16


async def test_a_fix_is_measured_on_the_load_that_hurt_not_on_what_is_left_of_it() -> None:
    engine = SimulatedEngine(SCENARIOS["incident"], engine=Dialect.VLLM_V1, seed=1)
    source = SimulatedSource(engine, interval_s=2.0)
    watch = EndpointWatch("http://sim", "sim", 2.0, ProofLevel.SIMULATED, Limits())
    proposed: list[int] = []
    while not watch.newest or watch.newest.t < 400.0:
        watch.observe(await source.poll())
        fix = watch.casebook.fix
        proposed += [int(c.proposed) for c in fix.changes if c.flag == "--max-num-seqs"] if fix else ()
    assert proposed[-1] >= max(proposed) / 2
