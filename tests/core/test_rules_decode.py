"""Decoding against this engine's own healthy decoding, and speculation that does not pay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.baselines import Normal, batch_class
from inferguard_core.detect.decode import decode_drift, throughput_drop
from inferguard_core.detect.speculation import spec_acceptance_drop
from inferguard_core.frame import Severity
from inferguard_core.reading import Histogram
from inferguard_core.signals import Signal
from tests.core.rule_views import LIMITS, gauges, learnt, observed, situation

if TYPE_CHECKING:
    from inferguard_core.detect.finding import Finding

S = Signal
INF = float("inf")


class TestDrift:
    def look(self, itl: float, seconds: int = 400, normal: float = 0.02, since: int = 0) -> Finding:
        """Eight requests decode all the time, from second `since` on at `itl` seconds a token, before at 0.02."""

        def at(t: int) -> Histogram:
            """Eight seconds between tokens pass each second, whatever a token takes."""
            count = 8 * min(t, since) / 0.02 + 8 * max(0, t - since) / itl
            return Histogram((INF,), (count,), 8.0 * t)

        view = observed(seconds, {S.ITL: at})
        return decode_drift(view, LIMITS, situation(S.ITL, baselines={batch_class(8): learnt(normal)}))

    @pytest.mark.parametrize(
        ("itl", "hot", "severity"),
        [
            (0.020, False, Severity.NOTICE),
            (0.023, False, Severity.NOTICE),
            (0.025, True, Severity.NOTICE),
            (0.032, True, Severity.WARNING),
        ],
    )
    def test_a_lasting_step_by_its_size(self, itl: float, hot: bool, severity: Severity) -> None:
        found = self.look(itl)
        assert found.hot is hot
        assert found.severity is severity

    def test_a_minute_is_no_lasting_step(self) -> None:
        assert self.look(0.04, since=340).hot is False

    def test_back_in_the_band_is_cool(self) -> None:
        assert self.look(0.0205).cool

    def test_a_batch_size_never_seen_in_health_says_nothing(self) -> None:
        view = observed(400, {S.ITL: lambda t: Histogram((INF,), (8 * t / 0.05,), 8.0 * t)})
        known = {batch_class(64): learnt(0.02)}
        assert decode_drift(view, LIMITS, situation(S.ITL, baselines=known)).hot is None


class TestThroughput:
    def look(self, rate: float, running: float = 10.0, *, usual: float = 200.0, **changes) -> Finding:
        view = gauges(61, generation_tokens=lambda t: rate * t, running=running)
        known = {
            Normal.GENERATION_RATE: learnt(usual),
            Normal.GENERATION_PER_RUNNING: learnt(usual / 10.0),
            Normal.RUNNING: learnt(10.0),
        }
        return throughput_drop(
            view, LIMITS, situation(S.GENERATION_TOKENS, S.RUNNING, baselines=known, **changes)
        )

    @pytest.mark.parametrize(("rate", "hot"), [(200.0, False), (150.0, False), (125.0, True), (10.0, True)])
    def test_a_third_less_from_as_many_requests(self, rate: float, hot: bool) -> None:
        assert self.look(rate).hot is hot

    def test_fewer_requests_give_fewer_tokens(self) -> None:
        assert self.look(100.0, running=5.0).hot is False

    def test_a_larger_batch_is_slower_for_each_and_faster_for_all(self) -> None:
        assert self.look(400.0, running=40.0).hot is False

    def test_a_stall_has_its_own_name(self) -> None:
        assert self.look(0.0, active=frozenset({"stall"})).hot is False

    def test_without_a_past_nothing_is_said(self) -> None:
        view = gauges(61, generation_tokens=lambda t: t, running=10.0)
        assert throughput_drop(view, LIMITS, situation(S.GENERATION_TOKENS, S.RUNNING)).hot is None


class TestSpeculation:
    def look(self, share: float, normal: float | None = 0.7, drafted: float = 10.0) -> Finding:
        view = gauges(
            61, spec_draft_tokens=lambda t: drafted * t, spec_accepted_tokens=lambda t: drafted * share * t
        )
        known = {} if normal is None else {Normal.SPEC_ACCEPTANCE: learnt(normal)}
        return spec_acceptance_drop(
            view, LIMITS, situation(S.SPEC_DRAFT_TOKENS, S.SPEC_ACCEPTED_TOKENS, baselines=known)
        )

    @pytest.mark.parametrize(
        ("share", "hot", "cool"), [(0.7, False, True), (0.52, False, False), (0.45, True, False)]
    )
    def test_a_third_below_its_past_and_half_way_back(self, share: float, hot: bool, cool: bool) -> None:
        """The trigger is 0.49; half way from there to 0.7 is 0.595."""
        assert (self.look(share).hot, self.look(share).cool) == (hot, cool)

    def test_below_three_tenths_it_never_pays(self) -> None:
        assert self.look(0.25, normal=None).hot
        assert self.look(0.35, normal=None).hot is False

    def test_few_drafts_say_nothing(self) -> None:
        assert self.look(0.0, drafted=3.0).hot is None

    def test_a_drafter_that_stopped_is_unknown(self) -> None:
        view = gauges(61, spec_draft_tokens=5000.0, spec_accepted_tokens=100.0)
        found = spec_acceptance_drop(view, LIMITS, situation(S.SPEC_DRAFT_TOKENS, S.SPEC_ACCEPTED_TOKENS))
        assert found.hot is None

    def test_an_engine_that_tells_only_its_own_rate_is_held_against_its_past(self) -> None:
        view = gauges(61, spec_accept_rate=0.2)
        known = {Normal.SPEC_ACCEPTANCE: learnt(0.8)}
        assert spec_acceptance_drop(view, LIMITS, situation(S.SPEC_ACCEPT_RATE, baselines=known)).hot
        assert spec_acceptance_drop(view, LIMITS, situation(S.SPEC_ACCEPT_RATE)).hot is None


@given(st.floats(0.01, 0.2), st.floats(0.01, 0.2))
def test_slower_decoding_never_makes_it_milder(one: float, other: float) -> None:
    fast, slow = sorted((one, other))
    milder, worse = TestDrift().look(fast), TestDrift().look(slow)
    assert bool(milder.hot) <= bool(worse.hot)
    assert milder.severity <= worse.severity


@given(st.floats(0, 400), st.floats(0, 400))
def test_fewer_tokens_never_make_it_milder(one: float, other: float) -> None:
    few, many = sorted((one, other))
    assert bool(TestThroughput().look(many).hot) <= bool(TestThroughput().look(few).hot)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_lower_acceptance_never_makes_it_milder(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert bool(TestSpeculation().look(high).hot) <= bool(TestSpeculation().look(low).hot)
    assert bool(TestSpeculation().look(high).cool) >= bool(TestSpeculation().look(low).cool)
