"""Our pages against genuine ones: every family we show has the same type, labels and bucket edges there."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from inferguard_tui.simulator.demo_scenarios import INCIDENT
from inferguard_tui.simulator.dialect import Dialect
from inferguard_tui.simulator.engine import SimulatedEngine

if TYPE_CHECKING:
    from inferguard_tui.simulator.scenario import Scenario

FIXTURES = Path(__file__).parents[1] / "fixtures"
SHARED = Path(__file__).parents[3] / "shared"


@dataclass
class Shape:
    """What a monitor relies on in a family."""

    kind: str
    labels: dict[str, set[frozenset[str]]] = field(default_factory=lambda: defaultdict(set))
    edges: set[float] = field(default_factory=set)


def shapes(text: str) -> dict[str, Shape]:
    found: dict[str, Shape] = {}
    for family in text_string_to_metric_families(text):
        shape = found.setdefault(family.name, Shape(family.type))
        for sample in family.samples:
            shape.labels[sample.name].add(frozenset(sample.labels))
            if sample.name.endswith("_bucket"):
                shape.edges.add(float(sample.labels["le"]))
    return found


def capture(name: str) -> str:
    for folder in (FIXTURES / "captures", SHARED / "captures"):
        if (folder / name).exists():
            return (folder / name).read_text("utf-8")
    pytest.skip(f"no capture {name} in tests/fixtures/captures or ../shared/captures")


def recorded(name: str) -> str:
    """The last page of a recording of a real engine."""
    for folder in (FIXTURES / "recordings", SHARED / "recordings"):
        if (folder / name).exists():
            with gzip.open(folder / name, "rt", encoding="utf-8") as lines:
                return [body for line in lines if (body := json.loads(line).get("body"))][-1]
    pytest.skip(f"no recording {name} in tests/fixtures/recordings or ../shared/recordings")


def page(dialect: Dialect, scenario: Scenario = INCIDENT, seconds: float = 60.0) -> str:
    engine = SimulatedEngine(scenario, engine=dialect, seed=3)
    engine.advance(seconds)
    return engine.exposition()


def differences(ours: dict[str, Shape], genuine: dict[str, Shape], *, edges: bool = True) -> list[str]:
    found = []
    for name, shape in ours.items():
        if name not in genuine:
            found.append(f"{name}: not in the genuine page")
            continue
        real = genuine[name]
        if shape.kind != real.kind:
            found.append(f"{name}: {shape.kind}, not {real.kind}")
        if real.labels and shape.labels != real.labels:
            found.append(f"{name}: labels {dict(shape.labels)}, not {dict(real.labels)}")
        if edges and real.edges and shape.edges != real.edges:
            found.append(f"{name}: edges {sorted(shape.edges)}, not {sorted(real.edges)}")
    return found


def without(text: str, *prefixes: str) -> dict[str, Shape]:
    return {name: shape for name, shape in shapes(text).items() if not name.startswith(prefixes)}


def test_v1_page_has_the_families_of_vllm_0_32() -> None:
    """Both ways: nothing invented and nothing left out."""
    genuine = shapes(capture("vllm-0.32.0-v1-dp2-rendered.txt"))
    ours = without(page(Dialect.VLLM_V1), "http_")
    assert differences(ours, genuine) == []
    assert set(genuine) - set(ours) == set()


def test_v1_http_and_process_families_are_those_of_a_live_server() -> None:
    """Its model is shorter, so edges of token histograms are not compared."""
    genuine = shapes(recorded("vllm-0.32-healthy.jsonl.gz"))
    assert differences(shapes(page(Dialect.VLLM_V1)), genuine, edges=False) == []
    ours = without(page(Dialect.VLLM_V1), "vllm:")
    assert differences(ours, genuine) == []
    assert {name for name in genuine if name.startswith(("http_", "process_", "python_"))} == set(ours)


def test_v1_speculation_families_are_those_of_vllm_0_33() -> None:
    scenario = replace(INCIDENT, size=replace(INCIDENT.size, speculative_tokens=3))
    text = page(Dialect.VLLM_V1, scenario, 20.0)
    ours = {name: shape for name, shape in shapes(text).items() if "spec_decode" in name}
    genuine = shapes(capture("vllm-0.33.0-v1-rendered.txt"))
    assert differences(ours, genuine) == []
    assert set(ours) == {name for name in genuine if "spec_decode" in name}


def test_v0_page_has_the_families_of_vllm_0_6_6() -> None:
    """Two differences are known.

    The edges of iteration_tokens_total are the CUDA graph sizes of a configuration. A live server adds
    num_cpu_blocks to its cache configuration after profiling, which the rendered capture did not do.
    """
    genuine = shapes(capture("vllm-0.6.6-v0-rendered.txt"))
    ours = shapes(page(Dialect.VLLM_V0))
    ours["vllm:iteration_tokens_total"].edges = genuine["vllm:iteration_tokens_total"].edges
    (labels,) = ours["vllm:cache_config_info"].labels["vllm:cache_config_info"]
    ours["vllm:cache_config_info"].labels["vllm:cache_config_info"] = {labels - {"num_cpu_blocks"}}
    assert differences(ours, genuine) == []
    assert {"vllm:num_requests_swapped", "vllm:cpu_cache_usage_perc", "vllm:gpu_cache_usage_perc"} <= set(
        ours
    )


def test_sglang_page_is_made_of_families_of_sglang_0_5_23() -> None:
    genuine = shapes(recorded("sglang-0.5.23-kv_pressure.jsonl.gz"))
    assert differences(shapes(page(Dialect.SGLANG)), genuine) == []


SGLANG_NEEDED = (
    "token_usage max_total_num_tokens kv_used_tokens kv_evictable_tokens num_running_reqs num_queue_reqs "
    "num_retracted_requests num_requests prompt_tokens generation_tokens realtime_tokens gen_throughput "
    "cached_tokens prefill_effective_tokens cache_hit_rate evicted_tokens new_token_ratio "
    "spec_accept_rate spec_accept_length scheduler_stage_seconds scheduler_idle_seconds "
    "http_requests_active http_requests http_responses time_to_first_token_seconds "
    "inter_token_latency_seconds e2e_request_latency_seconds queue_time_seconds prompt_tokens_histogram "
    "generation_tokens_histogram"
)


def test_sglang_page_holds_what_detection_reads() -> None:
    assert {f"sglang:{name}" for name in SGLANG_NEEDED.split()} <= set(shapes(page(Dialect.SGLANG)))


def test_sglang_counters_are_absent_until_their_first_event() -> None:
    calm = shapes(page(Dialect.SGLANG, replace(INCIDENT, traffic=INCIDENT.traffic[:2]), 30.0))
    assert "sglang:num_retracted_requests" not in calm
    assert "sglang:num_aborted_requests" not in calm


def test_a_fresh_v1_page_shows_zeros_not_gaps() -> None:
    scenario = replace(INCIDENT, traffic=(), history_s=0.0)
    text = page(Dialect.VLLM_V1, scenario, 0.0)
    values = [
        s.value
        for f in text_string_to_metric_families(text)
        if f.name == "vllm:num_preemptions"
        for s in f.samples
    ]
    assert values == [0.0]


def test_v0_before_its_first_iteration_shows_no_request_outcome() -> None:
    scenario = replace(INCIDENT, traffic=(), history_s=0.0)
    families = {f.name: f for f in text_string_to_metric_families(page(Dialect.VLLM_V0, scenario, 1.0))}
    assert families["vllm:request_success"].samples == []
