"""How many requests at once: L*, the bounds of a throttle, and CONCUR's window of agents."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.actions import ActionHistory, advise
from inferguard_core.actions.concurrency import concur_window
from inferguard_core.actions.load import bounded, measure
from inferguard_core.reading import Histogram
from inferguard_core.signals import Signal
from tests.core.advice_scenes import PRESSED, diagnosis, scene_of, steady

S = Signal
NONE = ActionHistory()


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
