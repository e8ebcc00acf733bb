"""Latency against its objective and its own past."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.baseline import Baseline
from inferguard_core.baselines import Normal
from inferguard_core.detect.finding import Finding
from inferguard_core.detect.latency import itl_high, ttft_high
from inferguard_core.frame import Severity
from inferguard_core.signals import Signal
from tests.core.readings import buckets, reading, window
from tests.core.rule_views import LIMITS, learnt, situation

if TYPE_CHECKING:
    from inferguard_core.detect.finding import Finding
    from inferguard_core.reading import Histogram

S = Signal


class TestTtft:
    def look(self, fast: int, slow: int, baseline: Baseline | None = None) -> Finding:
        """Requests in the last 30 s: `fast` at up to 0.1 s, `slow` at up to 5 s."""
        view = window(
            {
                0: reading({}, {S.TTFT: buckets(100, 0, 0, 0, 0, 0)}),
                30: reading({}, {S.TTFT: buckets(100 + fast, 0, 0, 0, slow, 0)}),
            }
        )
        baselines = {} if baseline is None else {Normal.TTFT_P95: baseline}
        return ttft_high(view, LIMITS, situation(S.TTFT, baselines=baselines))

    def test_all_fast_is_cool(self) -> None:
        assert (self.look(100, 0).hot, self.look(100, 0).cool) == (False, True)

    def test_most_requests_over_the_objective_is_critical(self) -> None:
        found = self.look(40, 60)
        assert found.hot
        assert found.severity is Severity.CRITICAL

    def test_a_fifth_over_the_objective_burns_slowly(self) -> None:
        found = self.look(80, 20)
        assert found.hot
        assert found.severity is Severity.WARNING

    def test_what_is_over_by_now_is_told_of_the_minutes_in_which_it_still_burns(self) -> None:
        # Sixty late first tokens two minutes ago, forty in time since: none of the last 30 s, 60 of 100 in 3 min.
        view = window(
            {
                0: reading({}, {S.TTFT: buckets(100, 0, 0, 0, 0, 0)}),
                60: reading({}, {S.TTFT: buckets(100, 0, 0, 0, 60, 0)}),
                150: reading({}, {S.TTFT: buckets(100, 0, 0, 0, 60, 0)}),
                180: reading({}, {S.TTFT: buckets(140, 0, 0, 0, 60, 0)}),
            }
        )
        found = ttft_high(view, LIMITS, situation(S.TTFT))
        assert (found.hot, found.severity) == (True, Severity.WARNING)
        assert found.summary.startswith("60% over 1 s in 3 min")
        assert {e.value for e in found.evidence if "_over_" in e.signal} == {0.6}
        assert "in 3 min" not in self.look(40, 60).summary

    def test_few_requests_prove_nothing(self) -> None:
        assert self.look(0, 19).hot is None

    def test_a_multiple_of_its_own_baseline_is_hot_though_within_the_objective(self) -> None:
        known = Baseline(60, 300)
        for t in range(60):
            known.learn(t, 0.1)
        view = window(
            {
                0: reading({}, {S.TTFT: buckets(0, 0, 0, 0, 0, 0)}),
                30: reading({}, {S.TTFT: buckets(0, 50, 0, 0, 0, 0)}),
            }
        )
        found = ttft_high(view, LIMITS, situation(S.TTFT, baselines={Normal.TTFT_P95: known}))
        assert found.hot
        assert found.severity is Severity.WARNING

    def test_what_it_reaches_once_in_twenty_is_no_news(self) -> None:
        """The same quantile as above, and an endpoint whose gusts reach 0.4 s every tenth minute."""
        gusty = Baseline(60, 300)
        for t in range(60):
            gusty.learn(t, 0.4 if t % 10 == 0 else 0.1)
        view = window(
            {
                0: reading({}, {S.TTFT: buckets(0, 0, 0, 0, 0, 0)}),
                30: reading({}, {S.TTFT: buckets(0, 50, 0, 0, 0, 0)}),
            }
        )
        assert ttft_high(view, LIMITS, situation(S.TTFT, baselines={Normal.TTFT_P95: gusty})).hot is False

    def test_an_untrusted_baseline_is_not_used(self) -> None:
        young = Baseline(60, 300)
        for t in range(59):
            young.learn(t, 0.001)
        assert self.look(100, 0, young).hot is False

    def test_a_regress_too_small_to_be_waited_for_is_nothing(self) -> None:
        """0.02 s grown to 0.1 s is five times its past and a tenth of the objective."""
        view = window(
            {
                0: reading({}, {S.TTFT: buckets(0, 0, 0, 0, 0, 0)}),
                30: reading({}, {S.TTFT: buckets(50, 0, 0, 0, 0, 0)}),
            }
        )
        found = ttft_high(view, LIMITS, situation(S.TTFT, baselines={Normal.TTFT_P95: learnt(0.02)}))
        assert found.hot is False

    def test_two_slow_requests_of_twenty_prove_no_regress(self) -> None:
        view = window(
            {
                0: reading({}, {S.TTFT: buckets(0, 0, 0, 0, 0, 0)}),
                30: reading({}, {S.TTFT: buckets(18, 0, 2, 0, 0, 0)}),
            }
        )
        found = ttft_high(view, LIMITS, situation(S.TTFT, baselines={Normal.TTFT_P95: learnt(0.1)}))
        assert found.hot is False

    def test_the_objective_that_no_edge_has_is_snapped_down_and_said_so(self) -> None:
        limits = replace(LIMITS, ttft_objective_s=0.7)
        view = window(
            {
                0: reading({}, {S.TTFT: buckets(0, 0, 0, 0, 0, 0)}),
                30: reading({}, {S.TTFT: buckets(0, 0, 60, 0, 0, 0)}),
            }
        )
        found = ttft_high(view, limits, situation(S.TTFT))
        assert found.hot
        assert "over 0.5 s (objective 0.7 s)" in found.summary
        assert "ttft_over_0.5s" in {e.signal for e in found.evidence}


class TestItl:
    def look(self, newest: Histogram, at_45: Histogram, at_0: Histogram, normal: float) -> Finding:
        view = window(
            {
                0: reading({}, {S.ITL: at_0}),
                45: reading({}, {S.ITL: at_45}),
                60: reading({}, {S.ITL: newest}),
            }
        )
        return itl_high(view, LIMITS, situation(S.ITL, baselines={Normal.ITL_P95: learnt(normal)}))

    edges = (0.02, 0.1, 0.2, float("inf"))
    none = buckets(0, 0, 0, 0, edges=edges)

    def seen(self, fast: int, slow: int) -> Histogram:
        """Tokens at up to 0.02 s and at up to 0.1 s, which the objective of 0.2 s allows."""
        return buckets(fast, slow, 0, 0, edges=self.edges)

    def test_slow_tokens_of_a_minute_that_go_on_are_hot(self) -> None:
        newest, at_45 = self.seen(0, 2000), self.seen(0, 1500)
        found = self.look(newest, at_45, self.none, 0.02)
        assert found.hot

    def test_a_hiccup_that_is_over_is_not(self) -> None:
        """All slow tokens of the minute came in its first 45 s."""
        found = self.look(self.seen(500, 1500), self.seen(0, 1500), self.none, 0.02)
        assert found.hot is False

    def test_tokens_of_one_request_prove_nothing(self) -> None:
        found = self.look(self.seen(0, 150), self.seen(0, 100), self.none, 0.02)
        assert found.hot is None


@given(st.integers(0, 100), st.integers(0, 100))
def test_more_late_requests_never_make_it_milder(one: int, other: int) -> None:
    few, many = sorted((one, other))

    def look(late: int) -> Finding:
        view = window(
            {
                0: reading({}, {S.TTFT: buckets(0, 0, 0, 0, 0, 0)}),
                30: reading({}, {S.TTFT: buckets(100 - late, 0, 0, late, 0, 0)}),
            }
        )
        return ttft_high(view, LIMITS, situation(S.TTFT, baselines={Normal.TTFT_P95: learnt(0.1)}))

    assert bool(look(few).hot) <= bool(look(many).hot)
    assert look(few).severity <= look(many).severity
    assert bool(look(few).cool) >= bool(look(many).cool)
