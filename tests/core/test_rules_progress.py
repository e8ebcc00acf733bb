"""Standstill: a stall, a silence, an endpoint that is gone or new."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inferguard_core.baselines import Normal
from inferguard_core.detect.availability import endpoint_down, engine_restart
from inferguard_core.detect.progress import stall, traffic_stopped
from inferguard_core.frame import Severity
from inferguard_core.poll import Failure, FailureKind
from inferguard_core.reading import Engine
from inferguard_core.signals import Signal
from tests.core.rule_views import LIMITS, gauges, learnt, situation

if TYPE_CHECKING:
    from inferguard_core.detect.finding import Finding

S = Signal


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

    def test_requests_that_open_on_an_engine_frozen_while_idle(self) -> None:
        """Nobody asked for a minute, so nothing is known of when it froze: their own wait counts."""
        view = gauges(
            100, running=0, http_active=lambda t: max(0, t - 80), generation_tokens=lambda t: min(t, 20)
        )
        found = stall(view, LIMITS, situation(S.HTTP_ACTIVE, S.GENERATION_TOKENS))
        assert found.hot
        assert found.since_s == 18

    @pytest.mark.parametrize("interval_s", [1, 2, 5, 10])
    def test_the_first_request_after_an_idle_hour_is_no_stall(self, interval_s: int) -> None:
        """It runs, is open and has a descriptor, and the last token was made long ago."""
        view = gauges(
            300,
            every=interval_s,
            running=lambda t: float(t > 292),
            http_active=lambda t: float(t > 292),
            open_fds=lambda t: 38.0 + 9 * (t > 292),
            generation_tokens=lambda t: min(t, 20),
        )
        signals = situation(S.RUNNING, S.HTTP_ACTIVE, S.OPEN_FDS, S.GENERATION_TOKENS, interval_s=interval_s)
        assert stall(view, LIMITS, signals).hot is False

    @pytest.mark.parametrize("interval_s", [1, 2, 5])
    def test_clients_pile_up_on_a_core_that_froze_while_idle(self, interval_s: int) -> None:
        view = gauges(
            400,
            every=interval_s,
            running=0,
            waiting=0,
            generation_tokens=lambda t: min(t, 60) * 7.0,
            open_fds=lambda t: 38 + max(0, t - 375),
        )
        signals = situation(S.RUNNING, S.OPEN_FDS, S.GENERATION_TOKENS, interval_s=interval_s)
        assert stall(view, LIMITS, signals).hot

    def test_connections_of_an_idle_night_are_no_pile_up(self) -> None:
        view = gauges(900, running=0, generation_tokens=lambda t: min(t, 20), open_fds=lambda t: 38 + t // 90)
        assert stall(view, LIMITS, situation(S.OPEN_FDS, S.GENERATION_TOKENS)).hot is False

    def test_a_long_prefill_fills_the_pool_without_a_token(self) -> None:
        view = gauges(40, running=1, kv_usage=lambda t: 0.1 + t / 100, generation_tokens=lambda t: min(t, 10))
        assert stall(view, LIMITS, situation(S.RUNNING, S.KV_USAGE, S.GENERATION_TOKENS)).hot is False

    @pytest.mark.parametrize(("interval_s", "seen_after"), [(1, 10), (2, 10), (5, 10), (30, 60)])
    def test_two_equal_counts_prove_the_time_between_them(self, interval_s: int, seen_after: int) -> None:
        """Of a standstill from t = 60 on, at any interval after ten seconds or two polls."""
        signals = situation(S.RUNNING, S.GENERATION_TOKENS, interval_s=interval_s)

        def look(t: int) -> Finding:
            view = gauges(t + 1, every=interval_s, running=4, generation_tokens=lambda t: min(t, 60))
            return stall(view, LIMITS, signals)

        assert look(60 + seen_after).hot
        assert look(60 + seen_after - interval_s).hot is False

    def test_a_sleeping_engine_is_not_stalled(self) -> None:
        view = gauges(40, running=2, awake=0, generation_tokens=lambda t: min(t, 20))
        assert stall(view, LIMITS, situation(S.RUNNING, S.AWAKE, S.GENERATION_TOKENS)).hot is False

    def test_a_long_prefill_steps_without_tokens(self) -> None:
        view = gauges(60, running=1, generation_tokens=lambda t: min(t, 10), engine_steps=lambda t: t * 1.0)
        assert stall(view, LIMITS, situation(S.RUNNING, S.GENERATION_TOKENS, S.ENGINE_STEPS)).hot is False


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


class TestTrafficStopped:
    def look(self, silent_s: int, usual: float = 1.0, **levels: float) -> Finding:
        levels = {"running": 0, "waiting": 0, **levels}
        view = gauges(60 + silent_s, finished=lambda t: min(t, 59), **levels)
        known = {Normal.FINISH_RATE: learnt(usual)}
        signals = [S(name) for name in (*levels, "finished")]
        return traffic_stopped(view, LIMITS, situation(*signals, baselines=known))

    def test_half_a_minute_without_a_request_is_a_notice(self) -> None:
        found = self.look(35)
        assert found.hot
        assert found.severity is Severity.NOTICE
        assert found.since_s == 35

    def test_a_quiet_endpoint_may_be_silent_for_as_long(self) -> None:
        """At one request in 20 s, half a minute without one is chance."""
        assert self.look(35, usual=0.05).hot is False

    def test_a_shorter_silence_is_none(self) -> None:
        assert self.look(20).hot is False

    def test_with_requests_in_it_it_is_for_the_stall_rule(self) -> None:
        assert self.look(35, running=3).hot is False
        assert self.look(35, http_active=3).hot is False

    def test_an_endpoint_asleep_has_no_traffic_by_intent(self) -> None:
        assert self.look(35, awake=0).hot is False

    def test_without_a_past_nothing_is_said(self) -> None:
        view = gauges(100, finished=lambda t: min(t, 59))
        assert traffic_stopped(view, LIMITS, situation(S.FINISHED)).hot is None
