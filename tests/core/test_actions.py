"""What is advised for which cause, with which numbers; expected numbers are worked out by hand beside them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.actions import ActionHistory, Graded, advise
from inferguard_core.reading import Engine
from inferguard_core.signals import Signal
from inferguard_core.verdict import ActionType as A
from inferguard_core.verdict import CauseScore, Condition, Evidence, Forecast
from tests.core.advice_scenes import CAUSES, INCIDENT, PRESSED, diagnosis, scene_of, steady

S = Signal
NONE = ActionHistory()
FIRST = {
    "arrival_surge": (A.THROTTLE_CONCURRENCY,),
    "long_contexts": (A.RECOMMEND_COMPACTION,),
    "prefix_thrash": (A.THROTTLE_CONCURRENCY, A.RECOMMEND_COMPACTION),
    "kv_exhausted": (A.THROTTLE_CONCURRENCY,),
    "offload_pressure": (A.DRAIN_AND_RECYCLE,),
    "spec_collapse": (A.SHRINK_SPECULATION_WINDOW,),
    "engine_stalled": (A.DRAIN_AND_RECYCLE,),
    "shape_crash": (A.QUARANTINE_SHAPE,),
    "abort_storm": (A.THROTTLE_CONCURRENCY,),
    "rank_imbalance": (A.DRAIN_AND_RECYCLE,),
}


@pytest.mark.parametrize("engine", [Engine.VLLM, Engine.SGLANG])
@pytest.mark.parametrize("cause", [*CAUSES, "unclear", "something_new"])
def test_each_cause_has_its_actions_and_no_other(cause: str, engine: Engine) -> None:
    given_now = advise(scene_of(steady(PRESSED, engine=engine)), diagnosis(cause), (), NONE)
    assert tuple(a.action_type for a in given_now) == FIRST.get(cause, ())


@pytest.mark.parametrize("cause", CAUSES)
def test_every_advisory_is_advice_with_grounds(cause: str) -> None:
    for advisory in advise(scene_of(steady(PRESSED)), diagnosis(cause), (), NONE):
        assert advisory.advisory_only
        assert advisory.source == "rule"
        assert advisory.incident_id == INCIDENT
        assert advisory.reason
        assert advisory.preconditions
        assert advisory.caveats
        assert 0 <= advisory.confidence <= 1


@given(
    running=st.floats(0, 5000),
    usage=st.floats(0, 1),
    pool=st.floats(0, 1e9),
    waiting=st.floats(0, 5000),
    hits=st.floats(0, 1),
    finished=st.floats(0, 100),
    cause=st.sampled_from([*CAUSES, "unclear"]),
    engine=st.sampled_from([Engine.VLLM, Engine.SGLANG]),
    missing=st.sets(st.sampled_from([S.RUNNING, S.WAITING, S.KV_USAGE, S.KV_CAPACITY_TOKENS, S.FINISHED])),
)
def test_whatever_is_measured_or_missing_nothing_raises_and_throttles_are_below_the_present(
    running: float,
    usage: float,
    pool: float,
    waiting: float,
    hits: float,
    finished: float,
    cause: str,
    engine: Engine,
    missing: set[S],
) -> None:
    levels = {
        S.RUNNING: running,
        S.WAITING: waiting,
        S.KV_USAGE: usage,
        S.KV_CAPACITY_TOKENS: pool,
        S.FINISHED: lambda t: finished * t,
        S.PREFIX_QUERIES: lambda t: 1000 * t,
        S.PREFIX_HITS: lambda t: 1000 * hits * t,
    }
    view = scene_of(steady({s: v for s, v in levels.items() if s not in missing}, engine=engine, seconds=8))
    given_now = advise(view, diagnosis(cause), (), NONE)
    assert bool(given_now) <= (cause != "unclear")
    for advisory in given_now:
        if (target := advisory.parameters.get("target_concurrency")) is not None:
            assert 0.5 * running <= float(target) <= 0.9 * running


def test_an_endpoint_that_never_answered_is_no_obstacle() -> None:
    for cause in CAUSES:
        advise(scene_of({}), diagnosis(cause), (), NONE)


class TestFlush:
    def test_is_never_the_first_answer(self) -> None:
        given_now = advise(scene_of(steady(PRESSED)), diagnosis("prefix_thrash"), (), NONE)
        assert A.FLUSH_SESSION_RADIX not in {a.action_type for a in given_now}

    def test_comes_last_when_two_minutes_of_throttle_did_not_bring_reuse_back(self) -> None:
        first = advise(scene_of(steady(PRESSED)), diagnosis("prefix_thrash"), (), NONE)
        then = advise(scene_of(steady(PRESSED, seconds=220)), diagnosis("prefix_thrash"), first, NONE)
        current = [a.action_type for a in then if a.superseded_by is None]
        assert current == [A.THROTTLE_CONCURRENCY, A.RECOMMEND_COMPACTION, A.FLUSH_SESSION_RADIX]
        assert any("drain" in p or "development" in p for p in then[-1].preconditions)

    def test_not_while_there_is_reuse(self) -> None:
        first = advise(scene_of(steady(PRESSED)), diagnosis("prefix_thrash"), (), NONE)
        warm = {**PRESSED, S.PREFIX_HITS: lambda t: 700.0 * t}
        then = advise(scene_of(steady(warm, seconds=220)), diagnosis("prefix_thrash"), first, NONE)
        assert A.FLUSH_SESSION_RADIX not in {a.action_type for a in then}


class TestCompaction:
    @pytest.mark.parametrize("cause", ["long_contexts", "prefix_thrash"])
    def test_always_says_that_no_engine_can_do_it_and_what_to_do_instead(self, cause: str) -> None:
        given_now = advise(scene_of(steady(PRESSED)), diagnosis(cause), (), NONE)
        compaction = next(a for a in given_now if a.action_type is A.RECOMMEND_COMPACTION)
        words = " ".join(compaction.caveats)
        assert "cannot load a compacted cache" in words
        assert "fp8 KV" in words
        assert compaction.horizon_seconds is None

    def test_names_the_length_from_which_all_who_are_here_would_fit(self) -> None:
        """100,000 tokens by 40 that run and 12 that wait."""
        (given_now, *_) = advise(scene_of(steady(PRESSED)), diagnosis("long_contexts"), (), NONE)
        assert given_now.parameters["compact_above_tokens"] == pytest.approx(100_000 / 52, rel=0.005)

    def test_names_none_where_all_fit_as_they_are(self) -> None:
        alone = scene_of(steady({**PRESSED, S.WAITING: 0.0}))
        (given_now, *_) = advise(alone, diagnosis("long_contexts"), (), NONE)
        assert "compact_above_tokens" not in given_now.parameters

    def test_linear_layers_are_beyond_it(self) -> None:
        view = scene_of(steady(PRESSED), models=("Qwen/Qwen3.5-35B-A3B",))
        given_now = advise(view, diagnosis("long_contexts"), (), NONE)[0]
        assert any("linear layers" in c for c in given_now.caveats)


class TestReplica:
    def test_one_restart_may_be_a_deployment(self) -> None:
        once = scene_of(steady(PRESSED), restarts_recent=1)
        twice = scene_of(steady(PRESSED), restarts_recent=2)
        assert advise(once, diagnosis("engine_restarted"), (), NONE) == ()
        assert advise(twice, diagnosis("engine_restarted"), (), NONE)[0].action_type is A.DRAIN_AND_RECYCLE

    def test_a_replica_is_not_drained_while_a_request_shape_is_suspected(self) -> None:
        """What it would send elsewhere takes the next replica down."""
        twice = scene_of(steady(PRESSED), restarts_recent=2)
        suspicion = CauseScore("shape_crash", 0.4)
        told = diagnosis("engine_restarted")
        suspected = replace(told, ranked=(*told.ranked, suspicion))
        assert advise(twice, suspected, (), NONE) == ()

    def test_a_frozen_engines_gauges_are_not_quoted(self) -> None:
        given_now = advise(scene_of(steady(PRESSED)), diagnosis("engine_stalled"), (), NONE)[0]
        assert given_now.parameters == {}

    @pytest.mark.parametrize(
        ("ranks", "sick"),
        [
            ({"r0": (0.3, 5, 0), "r1": (0.9, 5, 0), "r2": (0.35, 5, 0)}, "r1"),
            ({"r0": (0.9, 5, 7), "r1": (0.0, 0, 0), "r2": (0.9, 5, 9)}, "r1"),
        ],
    )
    def test_the_rank_out_of_step_is_named(self, ranks: dict[str, tuple[float, ...]], sick: str) -> None:
        readings = steady(PRESSED)
        last = max(readings)
        apart = {n: dict(zip((S.KV_USAGE, S.RUNNING, S.WAITING), v, strict=True)) for n, v in ranks.items()}
        readings[last] = replace(readings[last], ranks=apart)
        given_now = advise(scene_of(readings), diagnosis("rank_imbalance"), (), NONE)[0]
        assert given_now.parameters["rank"] == sick

    def test_no_room_on_the_others_is_said(self) -> None:
        # 0.9 + 0.85 on the one that stays.
        readings = steady(PRESSED)
        last = max(readings)
        ranks = {"r0": {S.KV_USAGE: 0.9}, "r1": {S.KV_USAGE: 0.85}}
        readings[last] = replace(readings[last], ranks=ranks)
        given_now = advise(scene_of(readings), diagnosis("rank_imbalance"), (), NONE)[0]
        assert given_now.parameters["others_usage_after"] == 1.75
        assert any("no room" in c for c in given_now.caveats)

    @pytest.mark.parametrize(
        ("shape", "name", "tokens"),
        [
            ("prompt > 5,000 tokens", "prompt_tokens_over", 5_000.0),
            ("output > 1,000 tokens", "output_tokens_over", 1_000.0),
            ("prompt burst > 131,072 tokens", "prompt_tokens_over", 131_072.0),
        ],
    )
    def test_a_shape_is_quoted_from_the_diagnosis(self, shape: str, name: str, tokens: float) -> None:
        row = Evidence("crashes_with_shape", 2.0, "1", 2.0, n=2, source=shape)
        condition = Condition("same_shape", holds=True, text="", evidence=(row,))
        found = diagnosis("shape_crash")
        found = replace(found, ranked=(CauseScore("shape_crash", 0.8, speaks_for=(condition,)),))
        given_now = advise(scene_of(steady(PRESSED)), found, (), NONE)[0]
        assert given_now.parameters == {"shape": shape, name: tokens}
        assert given_now.evidence == (row,)

    def test_an_unknown_shape_is_said_to_be_unknown(self) -> None:
        given_now = advise(scene_of(steady(PRESSED)), diagnosis("shape_crash"), (), NONE)[0]
        assert given_now.parameters == {}
        assert any("shape not named" in c for c in given_now.caveats)


class TestTriggers:
    def test_pressure_with_preemption_throttles_beside_another_cause(self) -> None:
        view = scene_of(steady(PRESSED), kinds=("kv_high", "preemption"))
        given_now = advise(view, diagnosis("long_contexts", ranked=["kv_exhausted"]), (), NONE)
        assert [a.action_type for a in given_now] == [A.RECOMMEND_COMPACTION, A.THROTTLE_CONCURRENCY]
        assert given_now[1].confidence == 0.6

    def test_not_when_its_own_cause_is_not_even_ranked(self) -> None:
        view = scene_of(steady(PRESSED), kinds=("kv_high", "preemption"))
        assert advise(view, diagnosis("sequence_cap"), (), NONE) == ()

    def test_unclear_stays_without_actions_whatever_fires(self) -> None:
        view = scene_of(steady(PRESSED), kinds=("kv_high", "preemption", "swap", "spec_acceptance_drop"))
        assert advise(view, diagnosis("unclear", ranked=["kv_exhausted", "offload_pressure"]), (), NONE) == ()


class TestHorizon:
    def test_harm_is_now(self) -> None:
        assert advise(scene_of(steady(PRESSED)), diagnosis("kv_exhausted"), (), NONE)[0].horizon_seconds == 0

    def test_before_harm_the_forecast_tells(self) -> None:
        forecast = Forecast(0.8, 0.01, 20.0, 15.0, 30.0, 0.7, "likely", "trend", 20.0, 40)
        view = replace(scene_of(steady(PRESSED), kinds=()), forecast=forecast)
        assert advise(view, diagnosis("kv_exhausted"), (), NONE)[0].horizon_seconds == 20.0
        assert (
            advise(replace(view, forecast=None), diagnosis("kv_exhausted"), (), NONE)[0].horizon_seconds
            is None
        )


class TestConfidence:
    def test_without_a_record_it_is_the_diagnosis_and_uncalibrated(self) -> None:
        given_now = advise(scene_of(steady(PRESSED)), diagnosis("kv_exhausted", 0.72), (), NONE)[0]
        assert (given_now.confidence, given_now.calibrated) == (0.72, False)

    @pytest.mark.parametrize(("total", "calibrated"), [(9, False), (10, True)])
    def test_a_record_counts_from_ten_outcomes_on(self, total: int, calibrated: bool) -> None:
        record = ActionHistory({(A.THROTTLE_CONCURRENCY, "kv_exhausted"): Graded(total, total)})
        given_now = advise(scene_of(steady(PRESSED)), diagnosis("kv_exhausted", 0.5), (), record)[0]
        assert given_now.calibrated is calibrated
        # Ten of ten under a uniform prior: 11 ÷ 12.
        assert given_now.confidence == pytest.approx(11 / 12 if calibrated else 0.5)
