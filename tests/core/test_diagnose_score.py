"""Properties of the score and of the ranking that must hold whatever is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import assume, given
from hypothesis import strategies as st

from inferguard_core.diagnose import SIGNATURES, UNCLEAR
from inferguard_core.diagnose.conditions.table import CONDITIONS
from inferguard_core.diagnose.diagnosis import TOLD_FROM, actuation, also_ran, ranked, risk_level, scored
from inferguard_core.diagnose.signature import NAMED_FROM, score
from inferguard_core.frame import Severity
from inferguard_core.verdict import ActionType, CauseScore, Condition

if TYPE_CHECKING:
    import random

SEED_FAILURE_MODES = {
    "kv_saturation",
    "prefix_cache_miss",
    "queue_backup",
    "preemption_storm",
    "swap_thrash",
    "ttft_regression",
    "unknown",
}
CONTRACT = [
    "arrival_surge",
    "long_contexts",
    "prefix_thrash",
    "prefix_broken",
    "kv_exhausted",
    "sequence_cap",
    "compute_bound",
    "prefill_interference",
    "conservative_admission",
    "offload_pressure",
    "spec_collapse",
    "engine_stalled",
    "engine_restarted",
    "shape_crash",
    "engine_down",
    "abort_storm",
    "error_storm",
    "rank_imbalance",
]

holds = st.sampled_from([True, False, None])
known = st.fixed_dictionaries(dict.fromkeys(CONDITIONS, holds))
causes = st.sampled_from(list(SIGNATURES))


def conditions(told: dict[str, bool | None], onset: float | None = 1.0) -> dict[str, Condition]:
    return {name: Condition(name, h, name, (), onset if h else None) for name, h in told.items()}


def confidence(cause: str, told: dict[str, bool | None]) -> float:
    return score(SIGNATURES[cause], conditions(told)).confidence


def test_the_table_holds_every_cause_in_causal_order() -> None:
    assert list(SIGNATURES) == CONTRACT
    assert UNCLEAR not in SIGNATURES


def test_every_condition_of_a_signature_is_in_the_table_and_every_failure_mode_is_the_seeds() -> None:
    for signature in SIGNATURES.values():
        levers = [lever.condition for lever in signature.wrong_levers]
        named = {*signature.speaks_for, *signature.speaks_against, *signature.required, *levers}
        assert named <= set(CONDITIONS)
        assert signature.failure_mode in SEED_FAILURE_MODES


def test_every_condition_is_used() -> None:
    used = {
        name
        for s in SIGNATURES.values()
        for name in (
            *s.speaks_for,
            *s.speaks_against,
            *s.required,
            *(lever.condition for lever in s.wrong_levers),
        )
    }
    assert used == set(CONDITIONS)


@given(causes, known)
def test_a_score_lies_between_0_and_1(cause: str, told: dict[str, bool | None]) -> None:
    assert 0.0 <= confidence(cause, told) <= 1.0


@given(causes, known)
def test_removing_what_is_unknown_changes_nothing(cause: str, told: dict[str, bool | None]) -> None:
    without = {name: h for name, h in told.items() if h is not None}
    assert confidence(cause, without) == confidence(cause, told)


@given(causes, known, st.data())
def test_unknown_never_counts_as_against(
    cause: str, told: dict[str, bool | None], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(list(SIGNATURES[cause].speaks_for)))
    assert confidence(cause, {**told, name: None}) >= confidence(cause, {**told, name: False}) - 1e-12


@given(causes, known, st.data())
def test_more_evidence_for_a_cause_never_lowers_it(
    cause: str, told: dict[str, bool | None], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(list(SIGNATURES[cause].speaks_for)))
    assume(name not in SIGNATURES[cause].speaks_against)
    assert confidence(cause, {**told, name: True}) >= confidence(cause, told) - 1e-12


@given(causes, known, st.data())
def test_more_evidence_against_a_cause_never_raises_it(
    cause: str, told: dict[str, bool | None], data: st.DataObject
) -> None:
    signature = SIGNATURES[cause]
    against = [n for n in signature.speaks_against if n not in signature.speaks_for]
    assume(against)
    name = data.draw(st.sampled_from(against))
    assert confidence(cause, {**told, name: True}) <= confidence(cause, told) + 1e-12


@given(known)
def test_what_is_named_behind_the_ranked_is_the_best_of_the_rest(told: dict[str, bool | None]) -> None:
    every = {one.cause: one.confidence for one in scored(conditions(told))}
    behind = [one.cause for one in also_ran(scored(conditions(told)))]
    rest = set(every) - {one.cause for one in ranked(conditions(told))} - set(behind)
    assert len(behind) <= 2
    assert [every[cause] for cause in behind] == sorted((every[cause] for cause in behind), reverse=True)
    assert all(0.0 < every[cause] < TOLD_FROM for cause in behind)
    most = max((every[cause] for cause in rest), default=0.0)
    assert most == 0.0 or (len(behind) == 2 and most <= every[behind[-1]])


@given(causes, known, st.data())
def test_a_cause_whose_defining_condition_is_false_is_out(
    cause: str, told: dict[str, bool | None], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(SIGNATURES[cause].required))
    assert confidence(cause, {**told, name: False}) == 0.0


@given(causes, known, st.data())
def test_a_cause_whose_defining_condition_is_unknown_is_not_named(
    cause: str, told: dict[str, bool | None], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(SIGNATURES[cause].required))
    assert confidence(cause, {**told, name: None}) < NAMED_FROM


@given(known, st.randoms(use_true_random=False))
def test_the_ranking_does_not_depend_on_the_order_of_what_is_known(
    told: dict[str, bool | None], shuffle: random.Random
) -> None:
    items = list(told.items())
    shuffle.shuffle(items)
    first, second = ranked(conditions(told)), ranked(conditions(dict(items)))
    assert [(c.cause, c.confidence) for c in first] == [(c.cause, c.confidence) for c in second]


def test_half_of_the_weights_is_half_the_score() -> None:
    """kv_exhausted: an overflowing pool 3 holds; full 2 and normal lengths 1 do not; the queue is unknown."""
    told = {
        "pressed": True,
        "overflowing": True,
        "kv_full": False,
        "tokens_held_normal": False,
        "queued": None,
    }
    assert confidence("kv_exhausted", told) == 3 / 6


def test_equals_go_to_the_earlier_onset_and_then_upstream() -> None:
    early = Condition("failing", True, "", (), 5.0)
    late = Condition("swapping", True, "", (), 9.0)
    assert [c.cause for c in ranked({"failing": early, "swapping": late})] == [
        "error_storm",
        "offload_pressure",
    ]
    same = Condition("swapping", True, "", (), 5.0)
    assert [c.cause for c in ranked({"failing": early, "swapping": same})] == [
        "offload_pressure",
        "error_storm",
    ]


def test_clients_that_give_up_come_after_what_made_them_wait() -> None:
    pool = conditions({"pressed": True, "preempting": True, "kv_full": False, "queued": True}, onset=10.0)
    aborts = conditions({"aborted": True, "hung_up_after_waiting": True}, onset=40.0)
    assert [c.cause for c in ranked({**pool, **aborts})] == ["kv_exhausted", "abort_storm"]
    earlier = conditions({"aborted": True, "hung_up_after_waiting": True}, onset=5.0)
    assert ranked({**pool, **earlier})[0].cause == "abort_storm"


def test_only_a_sure_cause_with_a_reversible_action_may_be_acted_on_by_a_machine() -> None:
    def said(cause: str, sure: float) -> str:
        return actuation(SIGNATURES[cause], CauseScore(cause, sure))

    assert SIGNATURES["kv_exhausted"].actions[0] is ActionType.THROTTLE_CONCURRENCY
    assert said("kv_exhausted", 0.9) == "safe_to_actuate"
    assert said("kv_exhausted", 0.6) == "manual_review"
    assert said("engine_stalled", 1.0) == "manual_review"
    assert said("sequence_cap", 1.0) == "do_not_actuate"
    assert actuation(None, None) == "do_not_actuate"


def test_risk_follows_severity_but_for_an_engine_that_serves_nobody() -> None:
    assert risk_level(None, Severity.CRITICAL) == "unknown"
    assert risk_level(SIGNATURES["kv_exhausted"], Severity.CRITICAL) == "high"
    assert risk_level(SIGNATURES["kv_exhausted"], Severity.WARNING) == "medium"
    assert risk_level(SIGNATURES["sequence_cap"], Severity.NOTICE) == "low"
    assert risk_level(SIGNATURES["engine_down"], Severity.WARNING) == "high"
