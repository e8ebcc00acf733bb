"""Pressure and its harm: the pool, preemptions, the queue, swapping."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inferguard_core.detect.kv import family_factor, kv_high, kv_saturated
from inferguard_core.detect.preemption import preemption
from inferguard_core.detect.queue import queue_growth
from inferguard_core.detect.swap import swap
from inferguard_core.frame import Severity
from inferguard_core.signals import Signal
from tests.core.rule_views import LIMITS, gauges, situation

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_core.detect.finding import Finding
    from inferguard_core.window import Window

S = Signal


class TestKv:
    def look(self, usage: float, *active: str, models: tuple[str, ...] = ()) -> Finding:
        view = gauges(20, kv_usage=usage)
        return kv_high(view, LIMITS, situation(S.KV_USAGE, active=frozenset(active), models=models))

    def test_a_full_pool_without_harm_is_a_notice(self) -> None:
        found = self.look(0.97)
        assert found.hot
        assert found.severity is Severity.NOTICE

    @pytest.mark.parametrize(
        ("active", "severity"),
        [
            ((), Severity.NOTICE),
            (("preemption",), Severity.NOTICE),
            (("queue_growth",), Severity.WARNING),
            (("ttft_high",), Severity.WARNING),
            (("preemption", "queue_growth"), Severity.CRITICAL),
            (("preemption", "ttft_high"), Severity.CRITICAL),
        ],
    )
    def test_harm_makes_the_severity(self, active: tuple[str, ...], severity: Severity) -> None:
        assert self.look(0.9, *active).severity is severity

    @pytest.mark.parametrize(
        ("models", "factor"),
        [
            ((), 1.0),
            (("openai/gpt-oss-120b",), 1.0),
            (("deepseek-ai/DeepSeek-R1-0528",), 0.5),
            (("deepseek-ai/DeepSeek-R1-Distill-Llama-70B",), 1.0),
            (("deepseek-ai/DeepSeek-R1-0528-Qwen3-8B",), 1.0),
            (("Qwen/Qwen3.5-397B-A17B",), 0.7),
            (("openai/gpt-oss-20b", "Qwen/Qwen3.5-397B-A17B"), 0.7),
        ],
    )
    def test_the_family_factor(self, models: tuple[str, ...], factor: float) -> None:
        assert family_factor(models, LIMITS) == factor

    def test_a_family_factor_alone_never_warns(self) -> None:
        found = self.look(0.5, "queue_growth", "preemption", models=("deepseek-ai/DeepSeek-R1",))
        assert found.hot
        assert found.severity is Severity.NOTICE

    def test_the_median_forgives_a_spike(self) -> None:
        view = gauges(20, kv_usage=lambda t: 0.99 if t == 15 else 0.3)
        assert not kv_high(view, LIMITS, situation(S.KV_USAGE)).hot

    def test_between_trigger_and_clear_it_is_neither(self) -> None:
        found = self.look(0.80)
        assert (found.hot, found.cool) == (False, False)

    def test_saturation_is_a_notice_until_something_is_hurt(self) -> None:
        view = gauges(20, kv_usage=0.99)
        assert kv_saturated(view, LIMITS, situation(S.KV_USAGE)).severity is Severity.NOTICE
        hurt = situation(S.KV_USAGE, active=frozenset({"preemption"}))
        assert kv_saturated(view, LIMITS, hurt).severity is Severity.WARNING
        badly = situation(S.KV_USAGE, active=frozenset({"preemption", "queue_growth"}))
        assert kv_saturated(view, LIMITS, badly).severity is Severity.CRITICAL


class TestPreemption:
    def look(self, at: Callable[[int], float], finished: Callable[[int], float]) -> Finding:
        return preemption(
            gauges(120, preemptions=at, finished=finished), LIMITS, situation(S.PREEMPTIONS, S.FINISHED)
        )

    def test_an_old_total_that_stands_still_is_nothing(self) -> None:
        assert self.look(lambda _: 5000.0, lambda t: 10.0 * t).hot is False

    def test_a_burst_above_one_a_minute_warns(self) -> None:
        found = self.look(lambda t: 0.0 if t < 100 else 4.0, lambda t: 10.0 * t)
        assert found.hot
        assert found.severity is Severity.WARNING

    def test_more_than_a_tenth_of_the_completions_is_critical(self) -> None:
        assert self.look(lambda t: t / 4, lambda t: t / 2).severity is Severity.CRITICAL

    def test_a_single_one_is_how_an_engine_makes_room(self) -> None:
        assert self.look(lambda t: 0.0 if t < 100 else 1.0, lambda t: t / 4).hot is False

    def test_none_for_two_minutes_ends_it(self) -> None:
        """The minute in which the counter must be flat plus the keep time."""
        found = self.look(lambda t: min(t, 40) / 4, lambda t: t / 2)
        assert found.cool
        assert LIMITS.preemption_window + found.keep_s == 120


class TestQueue:
    signals = (S.WAITING, S.RUNNING, S.FINISHED)

    def look(self, view: Window) -> Finding:
        return queue_growth(view, LIMITS, situation(*self.signals))

    def test_a_growing_queue_that_matters_is_hot(self) -> None:
        found = self.look(gauges(61, waiting=lambda t: t / 2, running=16, finished=lambda t: t * 2.0))
        assert found.hot

    def test_a_steep_one_is_held_shorter_and_is_critical(self) -> None:
        found = self.look(gauges(61, waiting=lambda t: t, running=16, finished=lambda t: t / 2))
        assert found.severity is Severity.CRITICAL
        assert found.for_s < LIMITS.queue_for

    def test_a_few_waiting_behind_a_fast_engine_are_nothing(self) -> None:
        found = self.look(gauges(61, waiting=3, running=100, finished=lambda t: t * 50.0))
        assert found.hot is False
        assert found.cool

    def test_one_instant_of_waiting_is_nothing(self) -> None:
        found = self.look(
            gauges(61, waiting=lambda t: 30 if t == 60 else 0, running=4, finished=lambda t: t * 2.0)
        )
        assert found.hot is False

    def test_the_wait_is_waiting_over_completions(self) -> None:
        """39 waiting at 0.5 completions a second wait 78 s, by Little's law."""
        found = self.look(gauges(61, waiting=39, running=3, finished=lambda t: t / 2))
        wait = next(e for e in found.evidence if e.signal == "wait_estimate")
        assert wait.value == pytest.approx(78)


class TestSwap:
    def test_a_swapped_request_is_hot(self) -> None:
        found = swap(
            gauges(5, swapped=2, cpu_cache_usage=0.1), LIMITS, situation(S.SWAPPED, S.CPU_CACHE_USAGE)
        )
        assert found.hot

    def test_a_gauge_that_falls_back_to_zero_between_swaps_stays_hot(self) -> None:
        view = gauges(60, swapped=lambda t: 2 if t % 6 == 0 else 0, cpu_cache_usage=0)
        assert swap(view, LIMITS, situation(S.SWAPPED, S.CPU_CACHE_USAGE)).hot

    def test_an_unused_swap_space_is_cool(self) -> None:
        found = swap(gauges(5, swapped=0, cpu_cache_usage=0), LIMITS, situation(S.SWAPPED, S.CPU_CACHE_USAGE))
        assert (found.hot, found.cool) == (False, True)

    def test_a_rare_offload_failure_is_tolerated(self) -> None:
        rare = gauges(61, offload_failures=lambda t: t // 30)
        often = gauges(61, offload_failures=lambda t: t / 2)
        assert swap(rare, LIMITS, situation(S.OFFLOAD_FAILURES)).hot is False
        assert swap(often, LIMITS, situation(S.OFFLOAD_FAILURES)).hot
