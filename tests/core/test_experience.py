"""Outcomes feed the next advice: counted only where something was really applied and judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from inferguard_core.actions import ActionHistory, Graded, advise
from inferguard_core.actions.experience import experienced
from inferguard_core.actions.track_record import Deed
from inferguard_core.followup import Execution, Grade, Outcome
from inferguard_core.memory.case import Applied, Known
from inferguard_core.memory.shown import applied
from inferguard_core.memory.sqlite import SqliteMemory
from inferguard_core.memory.track import deeds, done, judged
from inferguard_core.reading import Engine
from inferguard_core.verdict import ActionType, Fix, FlagChange
from tests.core.advice_scenes import ENDPOINT, PRESSED, diagnosis, scene_of, steady
from tests.core.memory_cases import T0, URL, case, stored

if TYPE_CHECKING:
    from pathlib import Path

THROTTLE = ActionType.THROTTLE_CONCURRENCY
FIX = Fix("kv_exhausted", (FlagChange("--gpu-memory-utilization", "0.9", "0.95"),), "", "", "", "")


def execution(
    outcome: Outcome = Outcome.APPLIED, grade: Grade | None = Grade.HELPED, target: float = 40.0
) -> Execution:
    payload = {"parameters": {"target_concurrency": target}}
    return Execution(
        "e1", "a1", THROTTLE, "gpu-07:8000/1", URL, "live", outcome, T0, "kim", payload, grade=grade
    )


def deed(grade: Grade, target: float, endpoint: str = ENDPOINT) -> Deed:
    return Deed(THROTTLE.value, "kv_exhausted", endpoint, grade, {"target_concurrency": target})


def test_only_what_was_applied_and_judged_is_counted() -> None:
    assert deeds(case(executions=(execution(Outcome.DRY_RUN),))) == {}
    assert deeds(case(executions=(execution(Outcome.UNKNOWN),))) == {}
    assert deeds(case(executions=(execution(grade=None),))) == {}
    assert deeds(case(fix=FIX, grade=Grade.HELPED)) == {}
    (one,) = deeds(case(executions=(execution(),))).values()
    assert (one.what, one.cause, one.grade, one.parameters) == (
        "throttle_concurrency", "kv_exhausted", Grade.HELPED, {"target_concurrency": 40.0})  # fmt: skip


def test_a_persons_judgement_goes_before_a_verification_and_neither_counts_twice() -> None:
    said = Applied("throttle_concurrency", Known.SAID, "kim", T0)
    both = case(executions=(execution(grade=Grade.HELPED),), applied=(said,), grade=Grade.WORSE)
    (one,) = deeds(both).values()
    assert (one.grade, judged(both)) == (Grade.WORSE, Grade.WORSE)
    assert done(both) == "throttle_concurrency (said by kim); throttle_concurrency (applied, kim)"


def test_an_unjudged_deed_counts_for_nothing() -> None:
    assert ActionHistory.of([deed(Grade.UNKNOWN, 40.0)]).graded == {}


def test_an_advisory_says_how_often_it_has_helped() -> None:
    record = ActionHistory.of([deed(Grade.HELPED, 9e9), deed(Grade.HELPED, 9e9), deed(Grade.NO_CHANGE, 9e9)])
    assert record.graded["throttle_concurrency", "kv_exhausted"] == Graded(2, 3)
    (advisory,) = advise(scene_of(steady(PRESSED)), diagnosis("kv_exhausted"), (), record)
    assert (advisory.helped, advisory.tried, advisory.calibrated) == (2, 3, False)


def test_a_compaction_learns_the_length_from_which_it_helped() -> None:
    name, what = "compact_above_tokens", ActionType.RECOMMEND_COMPACTION
    helped = Deed(what.value, "long_contexts", ENDPOINT, Grade.HELPED, {name: 1500.0})
    (first, *_) = advise(
        scene_of(steady(PRESSED)), diagnosis("long_contexts"), (), ActionHistory.of([helped] * 3)
    )
    assert (first.action_type, first.parameters[name]) == (what, 1500.0)
    assert first.parameters[f"{name}_computed"] == 1920.0
    assert (first.helped, first.tried) == (3, 3)


def test_a_number_that_helped_here_is_proposed_where_it_is_the_safer_one() -> None:
    scene = scene_of(steady(PRESSED))
    (plain,) = advise(scene, diagnosis("kv_exhausted"), (), ActionHistory())
    computed = plain.parameters["target_concurrency"]
    assert isinstance(computed, float)
    safer = [deed(Grade.HELPED, computed * share) for share in (0.7, 0.8, 0.9)]
    (learnt,) = advise(scene, diagnosis("kv_exhausted"), (), ActionHistory.of(safer))
    assert learnt.parameters["target_concurrency"] == float(f"{computed * 0.8:.3g}")
    assert learnt.parameters["target_concurrency_computed"] == computed
    assert any("helped here 3 times" in caveat for caveat in learnt.caveats)
    for unfit in (
        safer[:1],
        [replace_endpoint(one) for one in safer],
        [deed(Grade.HELPED, computed * 2), deed(Grade.HELPED, computed * 3)],
        [deed(Grade.NO_CHANGE, computed * 0.8)] * 3,
    ):
        (same,) = advise(scene, diagnosis("kv_exhausted"), (), ActionHistory.of(unfit))
        assert same.parameters == plain.parameters


def replace_endpoint(one: Deed) -> Deed:
    return one._replace(endpoint="http://elsewhere")


def test_a_fix_says_how_often_its_flags_have_helped() -> None:
    record = ActionHistory({("--gpu-memory-utilization", "kv_exhausted"): Graded(2, 3)})
    told = experienced(FIX, record)
    assert told is not None
    assert told.notes == ("--gpu-memory-utilization: 2 of 3 helped where it was applied for this cause",)
    assert experienced(FIX, ActionHistory()) == FIX


def test_a_fix_is_applied_when_the_engine_shows_another_value_than_before() -> None:
    def shown(value: str | None, known: tuple[Applied, ...] = ()) -> tuple[str, ...]:
        config = {} if value is None else {"gpu_memory_utilization": value}
        return tuple(one.what for one in applied(FIX, Engine.VLLM, config, known, T0))

    assert shown("0.950") == ("--gpu-memory-utilization 0.95",)
    assert shown("0.9") == shown("0.92") == shown(None) == ()
    assert shown("0.95", (Applied("--gpu-memory-utilization 0.95", Known.SAID, "kim", T0),)) == ()
    unknown_before = replace(FIX, changes=(FlagChange("--gpu-memory-utilization", None, "0.95"),))
    assert applied(unknown_before, Engine.VLLM, {"gpu_memory_utilization": "0.95"}, (), T0) == ()


async def test_the_record_is_the_same_from_the_store_and_a_new_judgement_replaces_the_old(
    tmp_path: Path,
) -> None:
    memory = SqliteMemory(tmp_path / "state.db")
    said = Applied("--gpu-memory-utilization 0.95", Known.SAID, "kim", T0)
    await stored(
        memory,
        case("1", executions=(execution(target=40.0),)),
        case("2", T0 + 1e4, executions=(execution(grade=Grade.NO_CHANGE),)),
        case("3", T0 + 2e4, applied=(said,), grade=Grade.HELPED),
    )
    record = await memory.track_record()
    assert record.graded == {
        ("throttle_concurrency", "kv_exhausted"): Graded(1, 2),
        ("--gpu-memory-utilization", "kv_exhausted"): Graded(1, 1),
    }
    await stored(SqliteMemory(tmp_path / "state.db"), case("3", T0 + 2e4, applied=(said,), grade=Grade.WORSE))
    assert (await memory.track_record()).graded["--gpu-memory-utilization", "kv_exhausted"] == Graded(0, 1)
