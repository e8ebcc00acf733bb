"""Latency against its objective and its own past."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inferguard_core.baseline import Baseline
from inferguard_core.baselines import Normal
from inferguard_core.detect.latency import itl_high, ttft_high

from inferguard_core.detect.finding import Finding
from inferguard_core.detect.limits import Limits
from inferguard_core.frame import Severity
from inferguard_core.signals import Signal
from tests.core.readings import buckets, reading, window
from tests.core.rule_views import LIMITS, gauges, situation

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_core.window import Window

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
        baselines = {} if baseline is None else {S.TTFT: baseline}
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
        found = ttft_high(view, LIMITS, situation(S.TTFT, baselines={S.TTFT: known}))
        assert found.hot
        assert found.severity is Severity.WARNING

    def test_an_untrusted_baseline_is_not_used(self) -> None:
        young = Baseline(60, 300)
        for t in range(59):
            young.learn(t, 0.001)
        assert self.look(100, 0, young).hot is False
