"""What becomes of an advisory while its incident lasts: kept, renewed, superseded; its id tells which it is."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.actions import ActionHistory, advise
from inferguard_core.actions.advise import SUPERSEDED_KEPT
from inferguard_core.signals import Signal
from inferguard_core.verdict import ActionType as A
from inferguard_core.verdict import Advisory
from tests.core.advice_scenes import CAUSES, INCIDENT, diagnosis, scene_of, steady

S = Signal
NONE = ActionHistory()


def at(
    seconds: int, running: float, earlier: tuple[Advisory, ...] = (), cause: str = "kv_exhausted"
) -> tuple[Advisory, ...]:
    levels = {S.RUNNING: running, S.WAITING: 9.0, S.KV_USAGE: 0.9, S.KV_CAPACITY_TOKENS: 1e5}
    return advise(scene_of(steady(levels, seconds=seconds)), diagnosis(cause), earlier, NONE)


def test_the_id_is_incident_action_and_ordinal() -> None:
    assert at(30, 40)[0].id == f"{INCIDENT}/throttle_concurrency/1"


def test_the_same_advice_keeps_its_record() -> None:
    first = at(30, 40)
    assert at(300, 40, first) == first


def test_a_small_move_renews_nothing() -> None:
    first = at(30, 40)
    # 0.9 · 46 = 41 instead of 36: a seventh.
    assert at(300, 46, first) == first


def test_a_large_move_makes_a_successor_and_points_to_it() -> None:
    first = at(30, 40)
    then = at(300, 80, first)
    assert [a.id.rpartition("/")[2] for a in then] == ["2", "1"]
    assert then[1] == replace(first[0], superseded_by=then[0].id)
    assert then[0].parameters["target_concurrency"] == 72.0


def test_a_number_stands_for_a_minute_first() -> None:
    first = at(30, 40)
    assert at(80, 80, first) == first


def test_a_number_that_was_missing_is_news_at_once() -> None:
    first = at(30, 1)
    assert "target_concurrency" not in first[0].parameters
    then = at(31, 40, first)
    assert then[0].parameters["target_concurrency"] == 36.0
    assert then[1].superseded_by == then[0].id


def test_another_cause_supersedes_what_it_does_not_repeat() -> None:
    first = at(30, 40)
    then = at(60, 40, first, cause="long_contexts")
    assert then[0].action_type is A.RECOMMEND_COMPACTION
    assert then[1].superseded_by == then[0].id


def test_an_unclear_diagnosis_leaves_the_record_as_it_is() -> None:
    first = at(30, 40)
    assert at(60, 40, first, cause="unclear") == first


def test_advice_of_another_incident_is_not_carried_on() -> None:
    other = replace(at(30, 40)[0], incident_id="another", id="another/throttle_concurrency/1")
    assert [a.incident_id for a in at(60, 40, (other,))] == [INCIDENT]


def test_the_past_is_bounded_and_ordinals_go_on() -> None:
    told: tuple[Advisory, ...] = ()
    for n in range(30):
        told = tuple(replace(a, created_unix=a.created_unix - 100) for a in told)
        told = at(30, 40 * (1 + n % 2), told)
    assert len(told) == 1 + SUPERSEDED_KEPT
    assert told[0].id.endswith("/30")


@given(causes=st.lists(st.sampled_from([*CAUSES, "unclear"]), max_size=8), running=st.floats(0, 200))
def test_ids_are_unique_and_stable_and_pointers_lead_somewhere(causes: list[str], running: float) -> None:
    told: tuple[Advisory, ...] = ()
    for cause in causes:
        again = at(5, running, told, cause)
        assert again == at(5, running, told, cause)
        assert at(5, running, again, cause) == again
        known = {a.id: replace(a, superseded_by=None) for a in told}
        assert all(
            replace(a, superseded_by=None) == known.get(a.id, replace(a, superseded_by=None)) for a in again
        )
        told = again
    ids = [a.id for a in told]
    assert len(set(ids)) == len(ids)
    assert all(a.superseded_by in ids for a in told if a.superseded_by is not None)
