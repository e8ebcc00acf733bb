"""The cost of preemption, as a measure: an estimate with its formula checked by hand, unknown where an input is."""

from __future__ import annotations

import pytest

from inferguard_core.assemble import endpoint_frame
from inferguard_core.detect.limits import Limits
from inferguard_core.frame import EndpointFrame, MeasureId
from inferguard_core.poll import Poll, ProofLevel
from inferguard_core.watch import EndpointWatch

BASE = """\
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{{model_name="m"}} 20
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{{model_name="m"}} 5
# TYPE vllm:num_preemptions_total counter
vllm:num_preemptions_total{{model_name="m"}} {preempted}
"""
POOL = """\
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{model_name="m"} 0.5
# TYPE vllm:cache_config_info gauge
vllm:cache_config_info{block_size="16",num_gpu_blocks="10000"} 1
"""


def watched(pool: str, per_poll: int) -> EndpointFrame:
    """Thirty polls, one a second, each with so many more preemptions."""
    watch = EndpointWatch("http://gpu:8000", "gpu:8000", 1.0, ProofLevel.LIVE, Limits())
    for n in range(30):
        body = BASE.format(preempted=n * per_poll) + pool
        watch.observe(Poll(100.0 + n, 1_700_000_000.0 + n, 5.0, body=body))
    return endpoint_frame(watch, 1_700_000_029.0, 0.0)


def test_it_is_preemptions_times_what_a_running_request_holds() -> None:
    measure = watched(POOL, 2).measures[MeasureId.RECOMPUTE_RATE]
    # 2 a second; half of 160,000 tokens held by 20 requests is 4,000 each.
    assert measure.value == pytest.approx(8_000.0)
    assert measure.unit == "tokens/s"
    assert "vllm:num_preemptions_total" in measure.source
    assert "vllm:kv_cache_usage_perc" in measure.source


def test_no_preemption_costs_nothing() -> None:
    assert watched(POOL, 0).measures[MeasureId.RECOMPUTE_RATE].value == 0.0


def test_without_the_pool_the_cost_is_unknown_and_says_why() -> None:
    measure = watched("", 2).measures[MeasureId.RECOMPUTE_RATE]
    assert measure.value is None
    assert "kv_usage" in measure.why_unknown
