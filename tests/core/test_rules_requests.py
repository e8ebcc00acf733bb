"""Requests that end badly, and ranks that do not share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.detect.errors import request_errors
from inferguard_core.detect.ranks import rank_imbalance
from inferguard_core.frame import Severity
from inferguard_core.reading import Engine
from inferguard_core.signals import Signal
from tests.core.rule_views import LIMITS, gauges, situation

if TYPE_CHECKING:
    from inferguard_core.detect.finding import Finding

S = Signal
HTTP = (S.FINISHED, S.FINISHED_ERROR, S.FINISHED_ABORT, S.REJECTED, S.HTTP_2XX, S.HTTP_4XX, S.HTTP_5XX)


def look(engine: Engine = Engine.VLLM, **per_minute: float) -> Finding:
    """A minute in which each counter rises evenly by so many."""
    view = gauges(61, **{name: lambda t, n=n: n * t / 60 for name, n in per_minute.items()})
    return request_errors(view, LIMITS, situation(*HTTP, engine=engine))


class TestErrors:
    @pytest.mark.parametrize(
        ("counts", "hot", "severity"),
        [
            ({"finished": 100, "finished_error": 0}, False, Severity.NOTICE),
            ({"finished": 100, "finished_error": 4}, False, Severity.NOTICE),
            ({"finished": 100, "finished_error": 6}, True, Severity.WARNING),
            ({"finished": 100, "finished_abort": 30}, True, Severity.CRITICAL),
            ({"finished": 100, "http_2xx": 100, "http_5xx": 10}, True, Severity.WARNING),
            ({"finished": 100, "rejected": 10}, True, Severity.WARNING),
            ({"finished": 10, "finished_error": 4}, False, Severity.NOTICE),
        ],
    )
    def test_more_than_one_in_twenty_and_five_of_them(
        self, counts: dict[str, float], hot: bool, severity: Severity
    ) -> None:
        found = look(**counts)
        assert found.hot is hot
        assert found.severity is severity

    def test_clients_that_hang_up_are_answers_that_the_engine_never_finished(self) -> None:
        found = look(finished=60, finished_abort=0, http_2xx=80)
        assert found.hot
        assert "20 clients hung up" in found.summary
        assert found.severity is Severity.WARNING

    def test_on_sglang_answers_and_completions_are_counted_at_other_instants(self) -> None:
        assert look(Engine.SGLANG, finished=60, finished_abort=0, http_2xx=80).hot is False

    def test_many_prompts_in_one_call_are_no_failure(self) -> None:
        assert look(finished=200, http_2xx=50).hot is False

    def test_mistakes_of_clients_are_a_notice_however_many(self) -> None:
        found = look(finished=10, http_2xx=10, http_4xx=90)
        assert found.hot
        assert found.severity is Severity.NOTICE
        assert "4xx" in found.summary

    def test_silence_is_neither_good_nor_bad(self) -> None:
        found = look(finished=0, finished_error=0)
        assert (found.hot, found.cool) == (False, True)

    def test_it_began_with_the_first_failure(self) -> None:
        view = gauges(61, finished=lambda t: 2 * t, finished_error=lambda t: max(0, t - 40))
        found = request_errors(view, LIMITS, situation(*HTTP))
        assert found.since_s == pytest.approx(20, abs=1)

    def test_clients_began_to_hang_up_when_answers_outran_completions(self) -> None:
        view = gauges(61, finished=lambda t: min(t, 30), http_2xx=lambda t: t)
        found = request_errors(view, LIMITS, situation(*HTTP))
        assert found.since_s == pytest.approx(30, abs=1)


def ranked(*ranks: tuple[float, float, float], kv: bool = True) -> Finding:
    """Ranks as (KV usage, running, waiting)."""
    shown = {f"engine={i}": {S.KV_USAGE: k, S.RUNNING: r, S.WAITING: w} for i, (k, r, w) in enumerate(ranks)}
    known = (S.KV_USAGE, S.RUNNING) if kv else ()
    return rank_imbalance(gauges(2, kv_usage=0.5), LIMITS, situation(*known, ranks=shown))


class TestRanks:
    @pytest.mark.parametrize(
        ("ranks", "hot"),
        [
            (((0.5, 4, 0), (0.5, 4, 0)), False),
            (((0.9, 4, 0), (0.3, 4, 0)), True),
            (((0.9, 4, 0), (0.8, 4, 0), (0.2, 4, 0)), False),
            (((0.9, 4, 0), (0.3, 4, 0), (0.2, 4, 0)), True),
            (((0.7, 4, 0), (0.1, 4, 0), (0.1, 4, 0)), False),
            (((0.5, 4, 3), (0.0, 0, 0)), True),
            (((0.5, 4, 0), (0.0, 0, 0)), False),
        ],
    )
    def test_one_full_rank_or_one_idle_beside_a_queue(self, ranks, hot: bool) -> None:
        assert ranked(*ranks).hot is hot

    def test_the_full_rank_is_named(self) -> None:
        assert "engine=0 at KV 95%" in ranked((0.95, 4, 0), (0.2, 4, 0), (0.3, 4, 0)).summary

    def test_a_single_rank_has_nothing_to_balance(self) -> None:
        found = ranked()
        assert (found.hot, found.cool) == (False, True)
        assert found.missing == ()

    def test_a_rank_that_a_page_lacks_does_not_count_as_idle(self) -> None:
        shown = {"engine=0": {S.RUNNING: 4.0, S.WAITING: 3.0}, "engine=1": {}}
        found = rank_imbalance(gauges(2, kv_usage=0.5), LIMITS, situation(S.RUNNING, ranks=shown))
        assert found.hot is False


@given(st.integers(0, 200), st.integers(0, 200))
def test_more_failures_never_make_it_milder(one: int, other: int) -> None:
    few, many = sorted((one, other))
    milder, worse = (look(finished=200, finished_error=n) for n in (few, many))
    assert bool(milder.hot) <= bool(worse.hot)
    assert milder.severity <= worse.severity
    assert bool(milder.cool) >= bool(worse.cool)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_fuller_rank_never_makes_it_milder(one: float, other: float, rest: float) -> None:
    low, high = sorted((one, other))

    def at(full: float) -> Finding:
        return ranked((max(full, rest), 4, 0), (rest, 4, 0), (rest, 4, 0))

    assert bool(at(low).hot) <= bool(at(high).hot)
