"""What is sent of an export, and when nothing is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from inferguard_core.replay.export import MULTITURN, Export, read_export
from inferguard_core.replay.plan import Choice, Plan, make_plan
from inferguard_core.sources.bad_input import BadInput
from tests.replay.exports import session, turn

EXAMPLES = Path(__file__).parents[1] / "fixtures" / "isb1"


def of(*cells) -> Export:
    return Export(MULTITURN, "b", cells)


def planned(exported: Export, choice: Choice | None = None) -> Plan:
    plan = make_plan(exported, choice or Choice())
    assert isinstance(plan, Plan), plan
    return plan


def refused(exported: Export, choice: Choice | None = None) -> str:
    plan = make_plan(exported, choice or Choice())
    assert isinstance(plan, BadInput)
    return plan.message


@pytest.mark.parametrize(
    ("field", "option"),
    [
        ("runtime_stack_id", "--runtime-stack-id"),
        ("hardware_profile_id", "--hardware-profile-id"),
        ("canonical_model_id", "--canonical-model-id"),
    ],
)
def test_a_mixture_is_refused_with_the_option_that_ends_it(field: str, option: str) -> None:
    exported = of(session("a"), replace(session("b"), **{field: "other:one"}))
    said = refused(exported)
    assert option in said
    assert "other:one" in said
    assert [c.trace_id for c in planned(exported, Choice(**{field: "other:one"})).cells] == ["b"]


def test_a_filter_that_leaves_nothing_says_what_is_there() -> None:
    exported = read_export(EXAMPLES / "trace_replay.json")
    assert isinstance(exported, Export)
    said = refused(exported, Choice(runtime_stack_id="dynamo:vllm"))
    assert "--runtime-stack-id dynamo:vllm" in said
    assert "standalone:sglang" in said


def test_cells_that_repeat_a_session_are_sent_once_and_counted() -> None:
    plan = planned(of(session("a"), session("a"), session("b"), session("a")))
    assert [c.trace_id for c in plan.cells] == ["a", "b"]
    assert any(w.startswith("2 cells repeat") for w in plan.warnings)


def test_waits_over_the_limit_are_refused_unless_they_are_ignored() -> None:
    exported = of(session("a", turn(0), turn(1, wait_s=121.0)))
    assert "121 s" in refused(exported)
    assert planned(exported, Choice(max_wait_s=121.0)).waits_s == 121.0
    assert planned(exported, Choice(ignore_waits=True)).waits_s == 0.0


def test_at_most_so_many_sessions_of_those_that_are_left() -> None:
    exported = of(session("a"), session("a"), session("b"), session("c"))
    assert [c.trace_id for c in planned(exported, Choice(max_sessions=2)).cells] == ["a", "b"]


def test_missing_assets_are_warned_of_with_what_they_declare() -> None:
    exported = read_export(EXAMPLES / "trace_replay.json")
    assert isinstance(exported, Export)
    plan = planned(exported, Choice(runtime_stack_id="standalone:vllm"))
    assert plan.missing_assets == 1
    assert any("4096 tokens, not counted as sent" in warning for warning in plan.warnings)


def test_a_turn_of_which_nothing_can_be_sent_is_no_load() -> None:
    assert "named by path only" in refused(of(session("a", replace(turn(), messages=()))))


def test_equal_load_has_an_equal_fingerprint_and_other_load_another() -> None:
    base = planned(of(session("a"), session("b")))
    assert base.fingerprint == planned(of(session("a"), session("b"))).fingerprint
    others = [
        of(session("a")),
        of(session("b"), session("a")),
        of(session("a"), session("b", turn(text="hello then"))),
        of(session("a"), session("b", turn(tokens=9))),
        of(session("a"), session("b", turn(wait_s=1.0))),
    ]
    assert len({base.fingerprint, *(planned(other).fingerprint for other in others)}) == 6
