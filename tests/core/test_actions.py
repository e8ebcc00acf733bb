"""What is advised for which cause, with which numbers; expected numbers are worked out by hand beside them."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.actions import ActionHistory, Graded, advise
from inferguard_core.actions.concurrency import concur_window
from inferguard_core.actions.load import bounded, measure
from inferguard_core.reading import Engine, Histogram
from inferguard_core.signals import Signal
from inferguard_core.verdict import ActionType as A
from inferguard_core.verdict import CauseScore, Condition, Evidence, Forecast
from tests.core.advice_scenes import CAUSES, INCIDENT, diagnosis, scene_of, steady

S = Signal
NONE = ActionHistory()
PRESSED = {
    S.RUNNING: 40.0,
    S.WAITING: 12.0,
    S.KV_USAGE: 0.8,
    S.KV_CAPACITY_TOKENS: 100_000.0,
    S.FINISHED: lambda t: 5.0 * t,
    S.PREFIX_QUERIES: lambda t: 1000.0 * t,
    S.PREFIX_HITS: lambda t: 50.0 * t,
}

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


class TestThrottle:
    def test_runs_as_many_as_the_pool_holds(self) -> None:
        # 0.8 · 100,000 ÷ 40 = 2,000 tokens a request; the pool holds 50, more than nine tenths of 40: 36.
        given_now = advise(scene_of(steady(PRESSED)), diagnosis("kv_exhausted"), (), NONE)[0]
        assert given_now.parameters == {
            "target_concurrency": 36.0,
            "running_now": 40.0,
            "pool_holds": 50.0,
            "tokens_held_per_request": 2000,
        }

    def test_requests_that_will_grow_count_as_what_they_will_hold(self) -> None:
        # Now 0.8 · 100,000 ÷ 40 = 2,000 each; finished ones had 1,000 + 6,000 ÷ 2 = 4,000: 25 of them fit.
        readings = steady(PRESSED)
        first, last = min(readings), max(readings)
        for t, n in ((first, 0.0), (last, 30.0)):
            lengths = {
                S.REQUEST_PROMPT_TOKENS: Histogram((inf,), (n,), 1_000.0 * n),
                S.REQUEST_GENERATION_TOKENS: Histogram((inf,), (n,), 6_000.0 * n),
            }
            readings[t] = replace(readings[t], histograms=lengths)
        cold = {
            t: replace(r, values={k: v for k, v in r.values.items() if k is not S.PREFIX_HITS})
            for t, r in readings.items()
        }
        given_now = advise(scene_of(cold), diagnosis("kv_exhausted"), (), NONE)[0]
        assert given_now.parameters["tokens_held_per_request"] == 4000
        assert given_now.parameters["target_concurrency"] == 25.0

    def test_never_below_half(self) -> None:
        # Finished ones had 20,000 tokens: 5 fit, but half of 40 is the largest step.
        readings = steady(PRESSED)
        for t, n in ((min(readings), 0.0), (max(readings), 30.0)):
            length = Histogram((inf,), (n,), 20_000.0 * n)
            lengths = {S.REQUEST_PROMPT_TOKENS: length, S.REQUEST_GENERATION_TOKENS: length}
            readings[t] = replace(readings[t], histograms=lengths)
        given_now = advise(scene_of(readings), diagnosis("kv_exhausted"), (), NONE)[0]
        assert given_now.parameters["target_concurrency"] == 20.0

    def test_without_usage_it_says_what_is_missing(self) -> None:
        levels = {s: v for s, v in PRESSED.items() if s is not S.KV_USAGE}
        given_now = advise(scene_of(steady(levels)), diagnosis("kv_exhausted"), (), NONE)[0]
        assert given_now.parameters == {}
        assert any("not computed" in c for c in given_now.caveats)

    def test_without_a_pool_size_the_ratio_still_tells(self) -> None:
        levels = {s: v for s, v in PRESSED.items() if s is not S.KV_CAPACITY_TOKENS}
        given_now = advise(scene_of(steady(levels)), diagnosis("kv_exhausted"), (), NONE)[0]
        assert given_now.parameters["target_concurrency"] == 36.0
        assert "tokens_held_per_request" not in given_now.parameters

    def test_one_request_cannot_be_throttled(self) -> None:
        given_now = advise(
            scene_of(steady({**PRESSED, S.RUNNING: 1.0})), diagnosis("kv_exhausted"), (), NONE
        )[0]
        assert "target_concurrency" not in given_now.parameters
        assert any("no whole number" in c for c in given_now.caveats)

    def test_a_surge_is_admitted_below_what_completes(self) -> None:
        # 5 requests/s complete: 4.5/s let the queue drain.
        given_now = advise(scene_of(steady(PRESSED)), diagnosis("arrival_surge"), (), NONE)[0]
        assert given_now.parameters["admit_per_second"] == 4.5

    def test_a_surge_with_nothing_completing_has_no_rate(self) -> None:
        given_now = advise(
            scene_of(steady({**PRESSED, S.FINISHED: 7.0})), diagnosis("arrival_surge"), (), NONE
        )[0]
        assert "admit_per_second" not in given_now.parameters
        assert any("not computed" in c for c in given_now.caveats)


@given(
    wanted=st.floats(0, 1e12),
    running=st.one_of(st.none(), st.floats(0, 1e6), st.just(float("inf"))),
)
def test_a_throttle_stays_within_half_and_nine_tenths(wanted: float, running: float | None) -> None:
    target = bounded(wanted, running)
    if target is not None:
        assert running is not None
        assert 0.5 * running <= target <= 0.9 * running
        assert target < running


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


class TestConcur:
    @pytest.mark.parametrize(
        ("window", "pool_full", "hit_rate", "then"),
        [
            (24, True, 0.1, 12),
            (25, True, 0.19, 12),
            (1, True, 0.0, 1),
            (24, True, 0.2, 26),
            (24, False, 0.0, 26),
        ],
    )
    def test_the_law(self, window: float, pool_full: bool, hit_rate: float, then: float) -> None:
        assert concur_window(window, pool_full=pool_full, hit_rate=hit_rate) == then

    def thrash(self, **changes: object) -> dict[S, object]:
        return {**PRESSED, S.RUNNING: 16.0, S.WAITING: 8.0, **{S(k): v for k, v in changes.items()}}

    def test_a_collapsed_cache_halves_the_agents(self) -> None:
        # 16 + 8 in flight at a hit rate of 0.05.
        given_now = advise(scene_of(steady(self.thrash())), diagnosis("prefix_thrash"), (), NONE)[0]
        assert given_now.parameters["target_agents"] == 12.0
        assert given_now.parameters["target_concurrency"] == 12.0

    def test_the_level_last_seen_healthy_is_the_floor(self) -> None:
        # 20 in flight for the 100 s before the onset, then 24: half of 24 would go below what was well.
        levels = self.thrash(running=lambda t: 12.0 if t < 100 else 16.0)
        view = scene_of(steady(levels, seconds=200), onset_t=100.0)
        given_now = advise(view, diagnosis("prefix_thrash"), (), NONE)[0]
        assert given_now.parameters["target_agents"] == 20.0

    def test_usage_of_live_requests_alone_does_not_hide_a_full_pool(self) -> None:
        # Usage 0.2, but 20,000 tokens/s write the pool of 100,000 over in 5 s.
        levels = self.thrash(
            kv_usage=0.2,
            prompt_tokens_computed=lambda t: 19_000.0 * t,
            generation_tokens=lambda t: 1_000.0 * t,
        )
        load = measure(scene_of(steady(levels)))
        assert load.turnover_s == pytest.approx(5.0)
        given_now = advise(scene_of(steady(levels)), diagnosis("prefix_thrash"), (), NONE)[0]
        assert given_now.parameters["target_agents"] == 12.0

    def test_a_healthy_level_close_to_the_present_is_no_floor(self) -> None:
        # 22 of 24 were in flight while all was well: to hold there would change nothing.
        levels = self.thrash(running=lambda t: 14.0 if t < 100 else 16.0)
        view = scene_of(steady(levels, seconds=200), onset_t=100.0)
        given_now = advise(view, diagnosis("prefix_thrash"), (), NONE)[0]
        assert given_now.parameters["target_agents"] == 12.0

    def test_with_reuse_left_it_only_holds(self) -> None:
        levels = self.thrash(prefix_hits=lambda t: 250.0 * t)
        given_now = advise(scene_of(steady(levels)), diagnosis("prefix_thrash"), (), NONE)[0]
        assert given_now.parameters["target_agents"] == 24.0
        assert "target_concurrency" not in given_now.parameters

    def test_a_throttle_that_was_followed_grows_by_two(self) -> None:
        first = advise(scene_of(steady(self.thrash())), diagnosis("prefix_thrash"), (), NONE)
        later = steady(self.thrash(running=10.0, waiting=2.0, prefix_hits=lambda t: 600.0 * t), seconds=200)
        then = advise(scene_of(later), diagnosis("prefix_thrash"), first, NONE)
        assert then[0].parameters["target_agents"] == 14.0
        assert next(a for a in then if a.id == first[0].id).superseded_by == then[0].id

    def test_a_throttle_that_nobody_followed_does_not_grow(self) -> None:
        first = advise(scene_of(steady(self.thrash())), diagnosis("prefix_thrash"), (), NONE)
        later = steady(self.thrash(prefix_hits=lambda t: 600.0 * t), seconds=200)
        then = advise(scene_of(later), diagnosis("prefix_thrash"), first, NONE)
        assert then[0].parameters["target_agents"] == 24.0


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
