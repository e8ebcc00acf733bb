"""What is learnt of an endpoint, when it is not, and that it survives a restart of the monitor."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.baseline import Baseline
from inferguard_core.baselines import TABLE, Baselines, Normal, batch_class
from inferguard_core.detect.limits import Limits
from inferguard_core.detect.rules import KINDS
from inferguard_core.learned import KEPT, Learned
from inferguard_core.reading import Engine
from tests.core.rule_views import gauges
from tests.core.world import Phase, World, healthy_then, told

LIMITS = Limits()
YOUNG = {"baseline_samples": 20.0, "baseline_seconds": 100.0}


def test_every_taint_is_a_kind_that_exists() -> None:
    assert {kind for learnt in TABLE.values() for kind in learnt.tainted_by} <= set(KINDS)
    assert set(TABLE) == set(Normal)


def test_a_healthy_world_is_learnt_as_it_is() -> None:
    known = told(World((Phase(0.0),)), 120.0, 1.0, **YOUNG).watch.learned.baselines
    centre = {name: known.by_name[name].centre for name in TABLE}
    assert centre[Normal.PREFIX_HIT_RATE] == pytest.approx(0.8)
    assert centre[Normal.GENERATION_RATE] == pytest.approx(200.0)
    assert centre[Normal.GENERATION_PER_RUNNING] == pytest.approx(25.0)
    assert centre[Normal.PROMPT_COMPUTED_RATE] == pytest.approx(200.0)
    assert centre[Normal.SPEC_ACCEPTANCE] == pytest.approx(0.7)
    assert centre[Normal.FINISH_RATE] == pytest.approx(2.0)
    assert centre[Normal.TOKENS_PER_RUNNING] == pytest.approx(0.3 * 1_000_000 / 8)
    assert known.by_name[batch_class(200 * 0.03)].centre == pytest.approx(0.03)


def test_warm_up_is_stated_until_it_is_over() -> None:
    early = told(World((Phase(0.0),)), 10.0, 1.0, **YOUNG).watch.learned.baselines
    assert early.learning[Normal.RUNNING] == "learning 11/20"
    late = told(World((Phase(0.0),)), 40.0, 1.0, **YOUNG).watch.learned.baselines
    assert Normal.RUNNING not in late.learning


def test_an_anomaly_does_not_become_normal() -> None:
    """Ten minutes without reuse after two of it."""
    seen = told(healthy_then(120.0, hits=50, kv=0.6), 720.0, 5.0, **YOUNG)
    assert seen.fired
    centre = seen.watch.learned.baselines.by_name[Normal.PREFIX_HIT_RATE].centre
    assert centre == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("troubled", [frozenset({"prefix_thrash"}), frozenset({"engine_restart"})])
def test_trouble_on_a_number_stops_its_learning(troubled: frozenset[str]) -> None:
    known = Baselines(LIMITS)
    known.learn(
        gauges(60, prefix_queries=lambda t: 9 * t, prefix_hits=lambda t: 8 * t), troubled, critical=False
    )
    assert not len(known.by_name.get(Normal.PREFIX_HIT_RATE, Baseline(60, 300)))


def test_something_critical_stops_all_learning() -> None:
    known = Baselines(LIMITS)
    known.learn(gauges(60, running=4), frozenset(), critical=True)
    assert known.to_json() == {}


def test_a_few_tokens_weigh_less_than_many() -> None:
    known = Baseline(2, 300)
    for t in range(60):
        known.learn(t, 0.0, weight=1.0)
    for t in range(60, 200):
        known.learn(t * 5, 0.9, weight=100.0)
    assert known.centre == 0.9


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0.001, 1e6)), max_size=400))
def test_a_baseline_survives_its_json(samples: list[tuple[float, float]]) -> None:
    known = Baseline(60, 300)
    for i, (value, weight) in enumerate(samples):
        known.learn(i * 5.0, value, weight)
    again = Baseline.from_json(json.loads(json.dumps(known.to_json())), 60, 300)
    assert (again.trusted, again.centre, again.spread, again.progress) == (
        known.trusted,
        known.centre,
        known.spread,
        known.progress,
    )


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"samples": 3, "learnt_s": 1},
        {"samples": [[1]], "learnt_s": 1},
        {"samples": [[1, -1]], "learnt_s": 1},
        {"samples": [["x", 1]], "learnt_s": 1},
        {"samples": [[float("nan"), 1]], "learnt_s": 1},
        {"samples": []},
    ],
)
def test_what_is_no_baseline_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a baseline"):
        Baseline.from_json(data, 60, 300)


def test_a_monitor_that_starts_anew_goes_on_with_what_was_learnt() -> None:
    """A second run into a thrash knows at once what was normal; one without that past cannot."""
    first = told(World((Phase(0.0),)), 400.0, 5.0).watch.learned
    stored = json.loads(json.dumps(first.to_json()))
    restored = Learned.from_json("http://w", stored, LIMITS)
    restored.identify(("m",), Engine.VLLM)
    assert restored.baselines.by_name[Normal.PREFIX_HIT_RATE].centre == pytest.approx(0.8)
    assert restored.baselines.learning == {}
    assert restored.to_json() == stored


def test_another_model_behind_the_address_is_another_normal() -> None:
    learned = Learned("http://w", LIMITS)
    learned.identify(("a",), Engine.VLLM)
    first = learned.baselines
    learned.identify(("b",), Engine.VLLM)
    assert learned.baselines is not first
    learned.identify(("a",), Engine.VLLM)
    assert learned.baselines is first


def test_a_stream_of_names_is_not_kept() -> None:
    learned = Learned("http://w", LIMITS)
    for i in range(KEPT + 5):
        learned.identify((str(i),), Engine.VLLM)
    assert len(learned.to_json()["baselines"]) == KEPT


def test_what_is_not_what_was_learnt_is_refused() -> None:
    with pytest.raises(ValueError, match="not what was learnt"):
        Learned.from_json("http://w", {"baselines": []}, LIMITS)
