"""W3: each sign is seen before its rule trips, is silent after, and needs what would make it matter."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from inferguard_brain.investigate import investigate
from tests.brain.contexts import context, firing

if TYPE_CHECKING:
    from collections.abc import Callable


def still(value: float, _t: float) -> float:
    return value


Signals = dict[str, "Callable[[float], float]"]
PRESSED: Signals = {"kv_usage": lambda t: 0.8 + t / 4000}


def subjects(given: dict[str, Any]) -> dict[str, str]:
    found = investigate(given)
    assert found["error"] is None
    return {one["subject"]: one["advisory_type"] for one in found["advisories"]}


DECAY: Signals = {
    **PRESSED,
    "hit_rate": lambda t: 0.5 - t / 1000,
    "prompt_computed_rate": lambda t: 2000 + t * 3,
}
LONGER: Signals = {**PRESSED, "tokens_per_request": lambda t: 4000 + 2 * t}
IDLE: Signals = {"idle_before_evict": lambda t: 20 - t / 30}
LEAK: Signals = {"descriptors_over_requests": lambda t: 400 + t / 5}
CREEP: Signals = {"waiting": lambda t: 4 + t / 100, "finish_rate": lambda _: 2.0}


@pytest.mark.parametrize(
    ("signals", "subject", "kind", "rule"),
    [
        (DECAY, "hit_rate", "degradation_trend", "prefix_hit_drop"),
        (LONGER, "tokens_per_request", "degradation_trend", "preemption"),
        (IDLE, "idle_before_evict", "degradation_trend", "prefix_thrash"),
        (LEAK, "descriptors_over_requests", "preemptive_recycle", "stall"),
        (CREEP, "queue_creep", "degradation_trend", "queue_growth"),
    ],
)
def test_a_sign_is_told_until_its_rule_has_spoken(
    signals: Signals, subject: str, kind: str, rule: str
) -> None:
    assert subjects(context(1200.0, **signals))[subject] == kind
    assert subject not in subjects(context(1200.0, more=firing(rule), **signals))
    level = {name: partial(still, make(0.0)) for name, make in signals.items()}
    assert subject not in subjects(context(1200.0, **level))


def test_nothing_is_read_into_an_idle_engine() -> None:
    assert subjects(context(1200.0, running=lambda _: 0.1, **LEAK)) == {}


def test_a_falling_hit_rate_without_more_to_compute_is_another_mix_of_work() -> None:
    assert "hit_rate" not in subjects(context(**{**DECAY, "prompt_computed_rate": lambda _: 2000.0}))


def saw(t: float) -> float:
    """Decays for 100 s, then jumps back."""
    return 0.7 - 0.004 * (t % 100)


def test_a_saw_tooth_of_admission_is_told_on_a_full_pool_only() -> None:
    full: Signals = {"new_token_ratio": saw, "kv_usage": lambda _: 0.9}
    assert subjects(context(**full))["new_token_ratio"] == "degradation_trend"
    assert subjects(context(**{**full, "kv_usage": lambda _: 0.3})) == {}
    assert subjects(context(**full, running=lambda _: 0.6)) == {}
