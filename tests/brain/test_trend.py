"""W1: what heads for a threshold is told with a time and a range; what does not is left alone."""

from __future__ import annotations

from math import sin

import pytest

from inferguard_brain.investigate import investigate
from tests.brain.contexts import context, firing


def told(found: dict[str, object]) -> dict[str, dict[str, object]]:
    assert found["error"] is None
    return {one["subject"]: one for one in found["advisories"]}  # type: ignore[attr-defined]


def test_a_pool_that_fills_steadily_is_a_cliff_with_a_time_and_a_range() -> None:
    """0.8 now and 0.1 a minute: full in 120 s."""
    cliff = told(investigate(context(kv_usage=lambda t: 0.8 + t / 600)))["kv_usage"]
    assert cliff["advisory_type"] == "capacity_cliff_predicted"
    assert cliff["horizon_seconds"] == pytest.approx(120.0, abs=6.0)
    assert cliff["advisory_only"] is True
    assert cliff["confidence"] == 1.0
    assert "share of pairwise slopes" in str(cliff["formula"])
    level = cliff["evidence"][0]  # type: ignore[index]
    assert (level["threshold"], level["source"]) == (1.0, "vllm:kv_cache_usage_perc")


def test_no_horizon_goes_beyond_what_its_fit_promises() -> None:
    """A rise of 0.02 a minute over ten minutes would fill the pool in 20 minutes: more than three times the fit."""
    assert told(investigate(context(kv_usage=lambda t: 0.6 + t / 3000))) == {}


def test_noise_around_a_level_is_no_trend() -> None:
    assert told(investigate(context(kv_usage=lambda t: 0.85 + 0.1 * sin(t)))) == {}


def test_a_queue_rising_to_its_trigger_is_told_until_the_rule_speaks() -> None:
    rising = {"waiting": lambda t: 4.0 + t / 100, "finish_rate": lambda _: 2.0}
    assert told(investigate(context(**rising)))["waiting"]["advisory_type"] == "degradation_trend"
    assert "waiting" not in told(investigate(context(more=firing("queue_growth"), **rising)))


def test_latency_on_its_way_over_its_objective_is_told() -> None:
    found = told(
        investigate(context(ttft_p95=lambda t: 0.9 + t / 1000, more={"limits": {"ttft_objective_s": 1.5}}))
    )
    trend = found["ttft_p95"]
    assert trend["horizon_seconds"] == pytest.approx(600.0, rel=0.1)
    assert "not within 2 min" in str(trend["text"])


def test_the_same_context_gives_the_same_result() -> None:
    given = context(kv_usage=lambda t: 0.8 + t / 600)
    assert investigate(given) == investigate(given)


@pytest.mark.parametrize(
    ("broken", "path"),
    [
        (None, "context: an object"),
        ({}, "context.schema"),
        (context() | {"window": "x"}, "context.window: a list"),
        (context() | {"window": [{"kv_usage": 1}]}, "context.window[0].t"),
        (context() | {"window": [{"t": -1}, {"t": -2}]}, "context.window[1].t"),
        (context() | {"window": [[]]}, "context.window[0]"),
        (context() | {"now_unix": float("nan")}, "context.now_unix"),
        (context() | {"limits": []}, ""),
        (context() | {"limits": [1]}, "context.limits"),
        (context() | {"engine": 7}, "context.engine"),
        (context() | {"priors": [{}] * 500}, "context.priors: 500 entries"),
    ],
)
def test_a_bad_context_is_named_by_path(broken: object, path: str) -> None:
    found = investigate(broken)
    assert found["advisories"] == []
    assert str(found["error"] or "").startswith(path)


def test_the_trace_says_what_was_looked_at_and_what_is_unknown_here() -> None:
    trace = investigate(context(kv_usage=lambda _: 0.3))["trace"]
    assert "W1 trend: 0 told; looked at kv_usage; unknown here: waiting, ttft_p95, itl_p95" in trace


def test_numbers_that_are_none_are_unknown_and_not_zero() -> None:
    given = context(kv_usage=lambda t: 0.8 + t / 600)
    for row in given["window"]:
        row["kv_usage"] = None
    assert told(investigate(given)) == {}
