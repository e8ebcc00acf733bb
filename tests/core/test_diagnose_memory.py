"""What is remembered between polls and between episodes: the time before, and crashes alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from inferguard_core.detect.finding import Situation
from inferguard_core.diagnose import EpisodeMemory, diagnose, remember
from inferguard_core.frame import Incident, IncidentState, Severity
from inferguard_core.history import History
from inferguard_core.scene import Scene
from inferguard_core.signals import Signal
from inferguard_core.window import Window
from tests.core.diagnose_worlds import FAST, HEALTHY, LIMITS, UNIX, Change, scenes, silent, trouble

if TYPE_CHECKING:
    from inferguard_core.verdict import Diagnosis

S = Signal
C = Change
SHORT, LONG = ((300.0, 1.0),), ((300.0, 0.98), (50_000.0, 0.02))


def test_the_level_before_is_that_of_the_time_before_however_long_the_incident_lasts() -> None:
    memory = EpisodeMemory()
    for scene in scenes(HEALTHY.but(running=C(10, 40)), interval=5.0, until=2_500.0):
        memory = remember(memory, scene)
    assert memory.prelude is not None
    assert memory.prelude.before["running"].value == 10.0
    assert memory.prelude.before["finish_rate"].value == pytest.approx(2.0)


def test_a_monitor_that_came_in_mid_incident_knows_no_time_before() -> None:
    memory = EpisodeMemory()
    for scene in scenes(HEALTHY, onset=3.0, opened=5.0, until=30.0):
        memory = remember(memory, scene)
    assert memory.prelude is not None
    assert memory.prelude.before == {}
    assert memory.conditions["arrivals_doubled"].holds is None


def test_another_incident_starts_with_an_empty_memory() -> None:
    first = next(iter(scenes(HEALTHY.but(kv_usage=C(0.3, 0.95)), opened=260.0, until=261.0)))
    memory = remember(EpisodeMemory(), first)
    assert memory.conditions["kv_full"].holds
    later = next(iter(scenes(HEALTHY, opened=300.0, until=301.0)))
    other = replace(later, incident=replace(later.incident, id="x/2"))
    assert remember(memory, other).conditions["kv_full"].holds is False


def test_diagnose_without_a_prepared_memory_says_the_same() -> None:
    scene = next(
        iter(scenes(HEALTHY.but(kv_usage=C(0.3, 0.95), waiting=C(0, 9)), (trouble("queue_growth"),)))
    )
    assert diagnose(scene, EpisodeMemory()) == diagnose(scene, remember(EpisodeMemory(), scene))


def crashing(*, shape: bool, traffic: bool = True, times: int = 2, first: int = 0) -> Diagnosis:
    """A server that dies `times` times, 300 s apart, after a minute with a long prompt among the short ones.

    `first` of them die without one.
    """
    history, memory, told = History(), EpisodeMemory(), None
    for i in range(300 * times + 30):
        t, age, life = float(i), i % 300, i // 300
        rate = 2.0 if traffic else 0.0
        world = HEALTHY.but(
            finished=rate, generation_tokens=400.0 * rate, prompt_tokens=500.0 * rate, running=5.0 * rate
        )
        lengths = LONG if shape and age > 240 and life >= first else SHORT
        world = replace(
            world.but(process_start=UNIX + 300.0 * life),
            latency={S.TTFT: (FAST, FAST), S.REQUEST_PROMPT_TOKENS: (SHORT, SHORT)},
        )
        reading = world.reading(float(age))
        if lengths is LONG:
            longs = world.reading(float(age)).histograms[S.REQUEST_PROMPT_TOKENS]
            counts = (*longs.counts[:-2], longs.counts[-2] + 1.0, longs.counts[-1] + 1.0)
            reading = replace(
                reading,
                histograms={**reading.histograms, S.REQUEST_PROMPT_TOKENS: replace(longs, counts=counts)},
            )
        history.append(t, UNIX + t, reading)
        if life and age < 30:
            newest = history.newest
            assert newest is not None
            incident = Incident(
                f"x/{life}", "x", IncidentState.OPEN, Severity.CRITICAL, Severity.CRITICAL,
                UNIX + 300.0 * life, UNIX + 300.0 * life, None, (), 0, "",
            )  # fmt: skip
            anomalies = (trouble("engine_restart", onset=300.0 * life),)
            scene = Scene(
                "x", UNIX + t, Window(history, newest), reading,
                Situation(world.engine, 1.0, spellings=reading.spellings),
                silent("endpoint_down", "stall"), anomalies, incident, LIMITS,
            )  # fmt: skip
            memory = remember(memory, scene)
            told = diagnose(scene, memory)
    assert told is not None
    return told


def test_two_crashes_after_the_same_outlying_shape_are_a_shape_crash() -> None:
    told = crashing(shape=True)
    assert told.cause == "shape_crash"
    assert any("prompt > 10,000 tokens, 2 of 2" in c.text for c in told.ranked[0].speaks_for)


def test_two_crashes_without_a_common_shape_are_restarts() -> None:
    assert crashing(shape=False).cause == "engine_restarted"


@pytest.mark.parametrize(
    ("times", "suspected"), [(2, True), (3, False)], ids=["before one of two", "before one of three"]
)
def test_a_shape_before_half_of_the_crashes_is_a_suspicion(times: int, suspected: bool) -> None:
    """The request that killed it never finished: not to have seen it before the others denies nothing yet."""
    told = crashing(shape=True, times=times, first=times - 1)
    assert told.cause == "engine_restarted"
    ranked = {score.cause: score for score in told.ranked}
    assert ("shape_crash" in ranked) is suspected
    if suspected:
        assert ranked["shape_crash"].unknown == ("same_shape",)


def test_one_crash_is_a_restart() -> None:
    assert crashing(shape=True, times=1).cause == "engine_restarted"


def test_a_restart_after_a_drain_is_no_trouble_of_the_engine() -> None:
    """Traffic until a quarter minute before, then nothing runs or waits: someone emptied it first."""
    history, told, memory = History(), None, EpisodeMemory()
    for i in range(230):
        t = float(i)
        world = HEALTHY.but(process_start=UNIX if i < 200 else UNIX + 200.0, running=10.0 if i < 185 else 0.0)
        reading = world.reading(min(t, 185.0) if i < 200 else t - 200.0)
        history.append(t, UNIX + t, reading)
        newest = history.newest
        assert newest is not None
        if i >= 200:
            incident = Incident(
                "x/1", "x", IncidentState.OPEN, Severity.WARNING, Severity.WARNING,
                UNIX + 200.0, UNIX + 200.0, None, (), 0, "",
            )  # fmt: skip
            scene = Scene(
                "x", UNIX + t, Window(history, newest), reading,
                Situation(world.engine, 1.0, spellings=reading.spellings),
                silent("endpoint_down", "stall"), (trouble("engine_restart"),), incident, LIMITS,
            )  # fmt: skip
            memory = remember(memory, scene)
            told = diagnose(scene, memory)
    assert memory.conditions["drained"].holds
    assert told is not None
    assert told.cause == "unclear"
