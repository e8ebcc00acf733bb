"""Reuse of prompts: a hit rate below its past, and a pool that forgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.baselines import Normal
from inferguard_core.detect.prefix import prefix_hit_drop, prefix_thrash
from inferguard_core.frame import Severity
from inferguard_core.signals import Signal
from tests.core.rule_views import LIMITS, gauges, learnt, situation

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_core.detect.finding import Finding

S = Signal
SIGNALS = (S.PREFIX_HITS, S.PREFIX_QUERIES, S.KV_USAGE, S.PROMPT_TOKENS_COMPUTED, S.GENERATION_TOKENS)


def after(at: int, before: float, then: float) -> Callable[[int], float]:
    """A counter that rises by `before` a second up to `at` and by `then` after it."""
    return lambda t: before * min(t, at) + then * max(0, t - at)


class TestHitDrop:
    def look(self, share: float, normal: float | None = 0.8, *, tokens: float = 100.0, **changes) -> Finding:
        """A minute at `share` of `tokens` a second, after a minute at 0.8."""
        view = gauges(
            121,
            prefix_queries=lambda t: tokens * t,
            prefix_hits=after(60, tokens * 0.8, tokens * share),
            prompt_tokens_computed=after(60, tokens * 0.2, tokens * (1 - share)),
        )
        known = {} if normal is None else {Normal.PREFIX_HIT_RATE: learnt(normal), **changes.pop("also", {})}
        return prefix_hit_drop(view, LIMITS, situation(*SIGNALS, baselines=known, **changes))

    @pytest.mark.parametrize(
        ("share", "hot", "cool"),
        [
            (0.8, False, True),
            (0.72, False, True),
            (0.65, False, False),
            (0.55, True, False),
            (0.0, True, False),
        ],
    )
    def test_it_needs_a_fall_of_a_fifth_and_of_a_third(self, share: float, hot: bool, cool: bool) -> None:
        assert (self.look(share).hot, self.look(share).cool) == (hot, cool)

    def test_a_low_baseline_leaves_nothing_to_lose(self) -> None:
        assert self.look(0.0, normal=0.15).hot is False

    def test_alone_it_is_a_notice(self) -> None:
        assert self.look(0.3).severity is Severity.NOTICE

    def test_with_more_prompt_tokens_computed_it_is_a_harm(self) -> None:
        """20 tokens a second before, 100 now."""
        found = self.look(0.0, also={Normal.PROMPT_COMPUTED_RATE: learnt(20.0)})
        assert found.severity is Severity.WARNING
        assert "100 prompt tokens/s computed, was 20" in found.summary

    def test_with_slow_first_tokens_it_is_a_harm(self) -> None:
        assert self.look(0.3, active=frozenset({"ttft_high"})).severity is Severity.WARNING

    def test_few_tokens_say_nothing(self) -> None:
        assert self.look(0.0, tokens=30.0).hot is None

    def test_without_a_baseline_it_is_silent(self) -> None:
        assert self.look(0.0, normal=None).hot is None

    def test_it_began_when_the_hits_stopped(self) -> None:
        assert self.look(0.0).since_s == pytest.approx(60, abs=5)


class TestThrash:
    def look(self, share: float = 0.0, normal: float = 0.8, capacity: float = 1e9, **levels) -> Finding:
        view = gauges(
            121,
            prefix_queries=lambda t: 1000.0 * t,
            prefix_hits=after(100, 800.0, 1000.0 * share),
            prompt_tokens_computed=after(100, 200.0, 1000.0 * (1 - share)),
            generation_tokens=lambda t: 50.0 * t,
            kv_capacity_tokens=capacity,
            **levels,
        )
        known = {
            Normal.PREFIX_HIT_RATE: learnt(normal),
            Normal.PROMPT_COMPUTED_RATE: learnt(200.0),
        }
        return prefix_thrash(view, LIMITS, situation(*SIGNALS, S.KV_CAPACITY_TOKENS, baselines=known))

    def test_lost_hits_on_a_crowded_pool(self) -> None:
        found = self.look(kv_usage=0.6)
        assert found.hot
        assert found.severity is Severity.WARNING

    def test_lost_hits_while_the_engine_evicts(self) -> None:
        assert self.look(kv_usage=0.1, evicted_tokens=lambda t: 30.0 * t).hot

    def test_lost_hits_in_a_pool_renewed_within_a_minute(self) -> None:
        """1,050 new tokens a second renew 30,000 in 29 s and 100,000 in 95 s."""
        found = self.look(kv_usage=0.1, capacity=30_000.0)
        assert found.hot
        assert "renewed every 28.6 s" in found.summary
        assert self.look(kv_usage=0.1, capacity=100_000.0).hot is False

    def test_without_churn_it_is_another_trouble(self) -> None:
        found = self.look(kv_usage=0.1, evicted_tokens=0.0)
        assert (found.hot, found.cool) == (False, True)

    def test_prompts_that_were_never_found_again_are_not_lost(self) -> None:
        assert self.look(normal=0.3, kv_usage=0.6).hot is False

    def test_it_is_held_from_the_first_lost_hits_on(self) -> None:
        assert self.look(kv_usage=0.6).held_s == pytest.approx(20, abs=5)

    def test_five_times_the_work_is_held_shorter(self) -> None:
        assert self.look(kv_usage=0.6).for_s < LIMITS.thrash_for
        assert self.look(share=0.19, normal=0.41, kv_usage=0.6).for_s < LIMITS.thrash_for


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_lower_hit_rate_never_makes_it_milder(one: float, other: float) -> None:
    low, high = sorted((one, other))
    worse, milder = TestHitDrop().look(low), TestHitDrop().look(high)
    assert bool(milder.hot) <= bool(worse.hot)
    assert bool(milder.cool) >= bool(worse.cool)
    worse, milder = TestThrash().look(low, kv_usage=0.6), TestThrash().look(high, kv_usage=0.6)
    assert bool(milder.hot) <= bool(worse.hot)
    assert bool(milder.cool) >= bool(worse.cool)
