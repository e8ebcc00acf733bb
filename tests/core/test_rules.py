"""Each rule on windows built by hand: what fires, what does not, and what it cannot know."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.baseline import Baseline
from inferguard_core.detect.availability import endpoint_down, engine_restart
from inferguard_core.detect.finding import Finding, Situation
from inferguard_core.detect.kv import family_factor, kv_high, kv_saturated
from inferguard_core.detect.latency import ttft_high
from inferguard_core.detect.limits import Limits
from inferguard_core.detect.preemption import preemption
from inferguard_core.detect.progress import stall
from inferguard_core.detect.queue import queue_growth
from inferguard_core.detect.rules import RULES
from inferguard_core.detect.swap import swap
from inferguard_core.frame import Severity
from inferguard_core.poll import Failure, FailureKind
from inferguard_core.reading import Engine
from inferguard_core.signals import Signal
from tests.core.readings import buckets, reading, window

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_core.window import Window

LIMITS = Limits()
S = Signal


def situation(*signals: Signal, **changes: object) -> Situation:
    base = Situation(Engine.VLLM, interval_s=1.0, spellings={s: f"vllm:{s}" for s in signals})
    return replace(base, **changes)  # type: ignore[arg-type]


def gauges(seconds: int, **levels: float | Callable[[int], float]) -> Window:
    """One reading a second; a level may be a function of the second."""
    return window(
        {t: reading({S(k): v(t) if callable(v) else v for k, v in levels.items()}) for t in range(seconds)}
    )


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


class TestStall:
    def test_running_without_a_token_is_a_decode_stall(self) -> None:
        view = gauges(30, running=4, waiting=0, generation_tokens=lambda t: min(t, 10) * 7.0)
        found = stall(view, LIMITS, situation(S.RUNNING, S.GENERATION_TOKENS))
        assert found.hot
        assert found.severity is Severity.CRITICAL
        assert "decode stalled" in found.summary
        assert found.since_s == 19

    def test_an_idle_engine_is_not_stalled(self) -> None:
        view = gauges(60, running=0, waiting=0, generation_tokens=lambda t: min(t, 10) * 7.0)
        found = stall(view, LIMITS, situation(S.RUNNING, S.GENERATION_TOKENS))
        assert found.hot is False

    def test_a_dead_core_has_requests_waiting_on_an_empty_pool(self) -> None:
        view = gauges(30, running=0, waiting=3, kv_usage=0.0, generation_tokens=lambda t: min(t, 5))
        found = stall(view, LIMITS, situation(S.RUNNING, S.WAITING, S.KV_USAGE, S.GENERATION_TOKENS))
        assert "core dead" in found.summary

    def test_clients_piling_up_on_an_idle_looking_engine(self) -> None:
        """All gauges idle and all counters flat: only descriptors move, as on a real frozen core."""
        view = gauges(
            90,
            running=0,
            waiting=0,
            generation_tokens=lambda t: min(t, 60) * 7.0,
            open_fds=lambda t: 38 + max(0, t - 60),
        )
        found = stall(view, LIMITS, situation(S.RUNNING, S.GENERATION_TOKENS, S.OPEN_FDS))
        assert found.hot
        assert "pile up" in found.summary

    def test_the_usual_wobble_of_descriptors_is_no_pile_up(self) -> None:
        view = gauges(
            90, running=0, waiting=0, generation_tokens=lambda t: min(t, 60), open_fds=lambda t: 38 + t % 7
        )
        assert stall(view, LIMITS, situation(S.GENERATION_TOKENS, S.OPEN_FDS)).hot is False

    def test_an_idle_sglang_may_show_an_old_running_gauge(self) -> None:
        """SGLang up to 0.5.10 leaves the gauge for 29 s; only longer is a stall."""
        signals = situation(S.RUNNING, S.GENERATION_TOKENS, engine=Engine.SGLANG)

        def look(seconds: int) -> Finding:
            view = gauges(seconds, running=1, generation_tokens=lambda t: min(t, 5) * 1.0)
            return stall(view, LIMITS, signals)

        assert look(5 + 29).hot is False
        assert look(5 + 37).hot

    def test_a_scheduler_whose_clock_stops_is_frozen_with_no_traffic_at_all(self) -> None:
        view = gauges(
            40, running=0, scheduler_seconds=lambda t: min(t, 30), generation_tokens=lambda t: min(t, 3)
        )
        found = stall(view, LIMITS, situation(S.RUNNING, S.SCHEDULER_SECONDS, S.GENERATION_TOKENS))
        assert found.hot
        assert "scheduler frozen" in found.summary

    def test_open_requests_without_progress(self) -> None:
        view = gauges(40, running=0, http_active=9, generation_tokens=lambda t: min(t, 20))
        assert stall(view, LIMITS, situation(S.HTTP_ACTIVE, S.GENERATION_TOKENS)).hot

    def test_a_sleeping_engine_is_not_stalled(self) -> None:
        view = gauges(40, running=2, awake=0, generation_tokens=lambda t: min(t, 20))
        assert stall(view, LIMITS, situation(S.RUNNING, S.AWAKE, S.GENERATION_TOKENS)).hot is False

    def test_a_long_prefill_steps_without_tokens(self) -> None:
        view = gauges(60, running=1, generation_tokens=lambda t: min(t, 10), engine_steps=lambda t: t * 1.0)
        assert stall(view, LIMITS, situation(S.RUNNING, S.GENERATION_TOKENS, S.ENGINE_STEPS)).hot is False


class TestSwap:
    def test_a_swapped_request_is_hot(self) -> None:
        found = swap(
            gauges(5, swapped=2, cpu_cache_usage=0.1), LIMITS, situation(S.SWAPPED, S.CPU_CACHE_USAGE)
        )
        assert found.hot

    def test_an_unused_swap_space_is_cool(self) -> None:
        found = swap(gauges(5, swapped=0, cpu_cache_usage=0), LIMITS, situation(S.SWAPPED, S.CPU_CACHE_USAGE))
        assert (found.hot, found.cool) == (False, True)

    def test_a_rare_offload_failure_is_tolerated(self) -> None:
        rare = gauges(61, offload_failures=lambda t: t // 30)
        often = gauges(61, offload_failures=lambda t: t / 2)
        assert swap(rare, LIMITS, situation(S.OFFLOAD_FAILURES)).hot is False
        assert swap(often, LIMITS, situation(S.OFFLOAD_FAILURES)).hot


class TestAvailability:
    def test_two_misses_are_not_down_and_three_are(self) -> None:
        failure = Failure(FailureKind.TIMED_OUT, "gpu-07:8000 did not answer within 5 s")
        assert endpoint_down(LIMITS, situation(failed_polls=2, failure=failure)).hot is False
        down = endpoint_down(LIMITS, situation(failed_polls=3, failure=failure))
        assert down.hot
        assert failure.message in down.summary

    def test_it_is_back_after_two_good_polls(self) -> None:
        assert endpoint_down(LIMITS, situation(good_polls=1)).cool is False
        assert endpoint_down(LIMITS, situation(good_polls=2)).cool

    @pytest.mark.parametrize(
        ("running", "recent", "severity"),
        [
            (0.0, 1, Severity.WARNING),
            (None, 1, Severity.WARNING),
            (7.0, 1, Severity.CRITICAL),
            (0.0, 2, Severity.CRITICAL),
        ],
    )
    def test_a_restart_is_as_bad_as_what_it_lost(
        self, running: float | None, recent: int, severity: Severity
    ) -> None:
        found = engine_restart(
            LIMITS, situation(restarted=True, running_before=running, restarts_recent=recent)
        )
        assert found.severity is severity


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.kind)
def test_a_rule_without_its_input_is_blind_and_never_green(rule: object) -> None:
    view = gauges(90, awake=1)
    found = rule.find(view, LIMITS, situation(S.AWAKE))  # type: ignore[attr-defined]
    assert found.hot is None
    assert found.cool is None
    assert found.missing


levels = st.floats(0, 1)


@given(levels, levels)
def test_more_pressure_never_makes_the_kv_rule_milder(one: float, other: float) -> None:
    low, high = sorted((one, other))
    hurt = situation(S.KV_USAGE, active=frozenset({"queue_growth"}))
    milder = kv_high(gauges(20, kv_usage=low), LIMITS, hurt)
    worse = kv_high(gauges(20, kv_usage=high), LIMITS, hurt)
    assert bool(milder.hot) <= bool(worse.hot)
    assert milder.severity <= worse.severity
    assert bool(milder.cool) >= bool(worse.cool)


@given(st.integers(0, 60), st.integers(0, 60))
def test_a_longer_queue_never_makes_the_queue_rule_milder(one: int, other: int) -> None:
    low, high = sorted((one, other))
    known = situation(S.WAITING, S.RUNNING, S.FINISHED)

    def look(level: int) -> Finding:
        return queue_growth(gauges(61, waiting=level, running=8, finished=lambda t: t * 2.0), LIMITS, known)

    assert bool(look(low).hot) <= bool(look(high).hot)
    assert look(low).severity <= look(high).severity


@pytest.mark.parametrize("interval", [1, 2, 5])
def test_the_rules_say_the_same_at_any_interval(interval: int) -> None:
    signals = (S.KV_USAGE, S.WAITING, S.RUNNING, S.FINISHED, S.PREEMPTIONS)

    def at(t: int) -> dict[Signal, float]:
        return {S.KV_USAGE: 0.99, S.WAITING: t / 2, S.RUNNING: 16, S.FINISHED: t / 4, S.PREEMPTIONS: t // 10}

    view = window({t: reading(at(t)) for t in range(0, 121, interval)})
    known = situation(*signals, interval_s=float(interval))
    found = {rule.kind: rule.find(view, LIMITS, known) for rule in RULES}
    assert {k for k, f in found.items() if f.hot} == {"queue_growth", "preemption", "kv_high", "kv_saturated"}
    assert found["queue_growth"].severity is Severity.CRITICAL
