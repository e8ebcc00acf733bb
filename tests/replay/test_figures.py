"""Percentiles, totals and what they refuse to say."""

from __future__ import annotations

import statistics
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.replay.figures import figures, needed, percentile, spread
from inferguard_core.replay.outcome import Counted, Ending, TurnOutcome
from inferguard_core.replay.run import RunRecord

ANSWER = TurnOutcome(
    "t", "s", "0", 0.0, Ending.ANSWERED, ttft_s=0.1, e2e_s=1.0, gaps_s=(0.1, 0.2), pieces=3, prompt_tokens=10,
    output_tokens=3, cached_tokens=4, counted=Counted.SERVER,
)  # fmt: skip
FAILURE = TurnOutcome("t", "s", "1", 0.0, Ending.FAILED, "HTTP 429", "slow down", ttft_s=9.0, pieces=40)


def of(*outcomes: TurnOutcome, seconds: float = 2.0):
    return figures(RunRecord(outcomes, seconds, 0.0))


@given(st.lists(st.floats(0, 1000), min_size=2, max_size=60))
def test_quantiles_agree_with_the_standard_library(values: list[float]) -> None:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    for p in (1, 50, 90, 99):
        assert percentile(sorted(values), p) == pytest.approx(cuts[p - 1], abs=1e-6)


@pytest.mark.parametrize(("p", "n"), [(50, 1), (90, 10), (95, 20), (99, 100), (99.9, 1000)])
def test_a_percentile_needs_so_many_samples(p: float, n: int) -> None:
    assert needed(p) == n
    assert spread([1.0] * n, (p,)).at[p] == 1.0
    if n > 1:
        assert spread([1.0] * (n - 1), (p,)).at[p] is None


def test_failed_turns_are_counted_and_never_averaged_in() -> None:
    found = of(ANSWER, FAILURE, replace(FAILURE, message="later"))
    assert (found.sent, found.answered, found.failed, found.interrupted) == (3, 1, 2, 0)
    assert found.errors == {"HTTP 429": 2}
    assert found.examples == {"HTTP 429": "slow down"}
    assert (found.ttft.n, found.ttft.highest) == (1, 0.1)
    assert (found.prompt_tokens, found.output_tokens) == (10, 3)
    assert found.output_rate == 1.5
    assert found.itl.n == 2


def test_a_total_with_a_part_unknown_is_unknown() -> None:
    found = of(ANSWER, replace(ANSWER, cached_tokens=None, counted=Counted.APPROXIMATE))
    assert found.cached_tokens is None
    assert found.prompt_tokens == 20
    assert found.counted is Counted.APPROXIMATE


def test_without_an_answer_nothing_is_said() -> None:
    found = of(FAILURE)
    assert (found.e2e.n, found.e2e.mean, found.e2e.at[50.0]) == (0, None, None)
    assert found.output_tokens is None
    assert found.output_rate is None
    assert found.counted is Counted.NOT_AT_ALL
