"""What holds of every rule: it is silent on what it cannot know, and says the same at any interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.detect.kv import kv_high
from inferguard_core.detect.queue import queue_growth
from inferguard_core.detect.rules import RULES
from inferguard_core.frame import Severity
from inferguard_core.signals import Signal
from tests.core.readings import reading, window
from tests.core.rule_views import LIMITS, everything, gauges, situation
from tests.core.world import Phase, World, healthy_then, loud, told

if TYPE_CHECKING:
    from inferguard_core.detect.finding import Finding

S = Signal
W, C, N = Severity.WARNING, Severity.CRITICAL, Severity.NOTICE
SILENT = dict.fromkeys(
    ("finished", "answered", "queries", "hits", "prompt", "generated", "drafted", "accepted"), 0.0
)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.kind)
def test_a_rule_without_its_input_is_blind_and_never_green(rule: object) -> None:
    view = gauges(90, awake=1)
    found = rule.find(view, LIMITS, situation(S.AWAKE))  # type: ignore[attr-defined]
    assert found.hot is None
    assert found.cool is None
    assert found.missing


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.kind)
def test_a_rule_whose_input_the_newest_page_lacks_holds(rule: object) -> None:
    """Exported, seen before, and left out of this page: unknown, not blind and not green."""
    samples = {t: reading({s: 0.5 for s in Signal if s is not S.AWAKE}) for t in range(60)}
    found = rule.find(window({**samples, 60: reading({S.AWAKE: 1})}), LIMITS, everything())  # type: ignore[attr-defined]
    if rule.kind != "rank_imbalance":  # type: ignore[attr-defined]
        assert found.hot in {None, False}
        assert not found.missing


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


WORLDS = {
    "healthy": (World((Phase(0.0),)), {}),
    "prefix thrash": (healthy_then(130, kv=0.6, hits=50), {"prefix_thrash": W, "prefix_hit_drop": W}),
    "prefix drop": (healthy_then(130, hits=450), {"prefix_hit_drop": W}),
    "token times up": (
        healthy_then(130, itl=0.12, running=32),
        {"itl_high": W, "throughput_drop": W},
    ),
    "tokens lost": (healthy_then(130, generated=90, itl=0.045), {"throughput_drop": W}),
    "traffic stopped": (healthy_then(130, **SILENT, running=0, kv=0), {"traffic_stopped": N}),
    "stall": (healthy_then(130, **SILENT), {"stall": C}),
    "speculation": (healthy_then(130, accepted=35), {"spec_acceptance_drop": W}),
    "engine errors": (healthy_then(130, errors=0.3), {"request_errors": W}),
    "clients hang up": (healthy_then(130, finished=1.6), {"request_errors": W}),
    "queue": (healthy_then(130, waiting_slope=0.5), {"queue_growth": C}),
    "first tokens slower": (healthy_then(130, ttft=0.45), {"ttft_high": W}),
    "first tokens late": (healthy_then(130, ttft=2.0), {"ttft_high": C}),
    # 51 in 170 s, of 600 that five minutes complete.
    "preemptions": (healthy_then(130, preemptions=0.3), {"preemption": W}),
    "full pool": (healthy_then(130, kv=0.99), {"kv_high": N, "kv_saturated": N}),
    "filling pool": (
        healthy_then(130, kv=0.4, kv_slope=0.006),
        {
            "kv_exhaustion_forecast": N,
            "kv_high": N,
            "kv_saturated": N,
        },
    ),
}


@pytest.mark.parametrize("interval", [1.0, 2.0, 5.0])
@pytest.mark.parametrize("name", WORLDS)
def test_a_world_is_told_alike_at_any_interval(name: str, interval: float) -> None:
    world, expected = WORLDS[name]
    seen = told(world, 300.0, interval)
    assert seen.fired == expected
    for kind in expected:
        assert seen.first[kind] >= 130.0


@pytest.mark.parametrize("interval", [1.0, 2.0, 5.0])
def test_a_lasting_step_in_decoding_is_told_alike(interval: float) -> None:
    """Loads at which the band was learnt, then the middle one at 1.3 times its time between tokens."""
    loads = (150.0, 210.0, 280.0)
    phases = [Phase(45.0 * i, generated=loads[i % 3]) for i in range(12)]
    slow = Phase(540.0, generated=215.0, itl=0.039)
    seen = told(World((*phases, slow)), 1300.0, interval)
    assert seen.fired.get("decode_drift") is N
    assert seen.first["decode_drift"] >= 540.0
    assert loud(seen.fired) == set()
