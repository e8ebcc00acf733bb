"""Numbers that cannot be true are left out, with a doubt in words; documented unknowns without one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.reading import Engine
from inferguard_core.signals import Signal
from tests.core.captured import buckets, page, read, sglang, vllm

S = Signal


def test_histograms_of_different_edges_are_refused_with_a_doubt():
    name = "vllm:request_prompt_tokens"
    got = read(
        buckets(name, 'model_name="a"', 1, 2, 3)
        + buckets(name, 'model_name="b"', 1, 2, 3, edges=("1", "5", "+Inf"))
    )
    assert S.REQUEST_PROMPT_TOKENS not in got.histograms
    assert got.doubts == (f"{name} has buckets of different edges, which do not add up; left out",)


def test_a_falling_bucket_is_refused_with_a_doubt():
    got = read(buckets("vllm:time_to_first_token_seconds", 'engine="0"', 5, 4, 6))
    assert S.TTFT not in got.histograms
    assert got.doubts == ("vllm:time_to_first_token_seconds: a bucket holds less than the one below it",)


@pytest.mark.parametrize(
    ("line", "signal"),
    [
        ("num_requests_running NaN", S.RUNNING),
        ("num_requests_waiting -1", S.WAITING),
        ("generation_tokens_total +Inf", S.GENERATION_TOKENS),
        ("kv_cache_usage_perc 42.5", S.KV_USAGE),
    ],
)
def test_an_impossible_value_is_left_out_with_a_doubt_that_names_it(line, signal):
    got = read(vllm(line))
    assert signal not in got.values
    assert signal not in got.spellings
    assert [line.split()[0] in d for d in got.doubts] == [True]


def test_one_impossible_rank_spoils_the_sum_and_not_the_other_signals():
    got = read(
        vllm(
            'num_requests_running{engine="0"} 3',
            'num_requests_running{engine="1"} NaN',
            'num_requests_waiting{engine="0"} 1',
            'num_requests_waiting{engine="1"} 2',
        )
    )
    assert S.RUNNING not in got.values
    assert got.values[S.WAITING] == 3
    assert got.ranks == {"engine=0": {S.WAITING: 1}, "engine=1": {S.WAITING: 2}}


def test_documented_unknowns_are_left_out_without_a_doubt():
    got = read(
        sglang("fwd_occupancy NaN", "utilization -1", "num_queue_reqs 0")
        + sglang("spec_accept_length 0", "spec_accept_rate 0")
    )
    assert got.doubts == ()
    assert got.values.keys().isdisjoint(
        {"fwd_occupancy", "utilization", S.SPEC_ACCEPT_LENGTH, S.SPEC_ACCEPT_RATE}
    )


def test_speculation_that_accepts_nothing_is_not_speculation_that_is_off():
    got = read(sglang("spec_accept_length 1", "spec_accept_rate 0"))
    assert (got.values[S.SPEC_ACCEPT_RATE], got.values[S.SPEC_ACCEPT_LENGTH]) == (0, 1)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "empty page"),
        ("process_open_fds 5\n", "--disable-log-stats"),
        ("# TYPE smg_worker_health gauge\nsmg_worker_health 1\n", "gateway"),
        ("# TYPE node_load1 gauge\nnode_load1 0.5\n", "wrong port"),
    ],
)
def test_a_page_of_neither_engine_says_what_it_seems_to_be(body, words):
    got = read(body)
    assert got.engine is Engine.UNKNOWN
    assert got.values == {}
    assert [words in d for d in got.doubts] == [True]


def test_doubts_about_very_many_values_are_summed_up():
    got = read(vllm(*(f'num_requests_running{{engine="{i}"}} -{i}' for i in range(1, 100))))
    assert len(got.doubts) == 9
    assert got.doubts[-1] == "and 91 more of this kind"


def test_sums_over_any_range_are_left_out_and_never_raise():
    body = vllm('prompt_tokens_total{engine="0"} 1.7e308', 'prompt_tokens_total{engine="1"} 1.7e308')
    assert S.PROMPT_TOKENS not in read(body).values
    assert (
        S.RUNNING
        not in read(
            vllm('num_requests_running{engine="0"} +Inf', 'num_requests_running{engine="1"} -Inf')
        ).values
    )


PIECES = st.sampled_from(
    [
        *page("sglang-0.5.10-metrics").splitlines()[::7],
        *page("vllm-0.32.0-v1-dp2-rendered").splitlines()[::11],
        "vllm:num_requests_running NaN",
        'vllm:request_prompt_tokens_bucket{le="x"} 1',
        'sglang:token_usage{dp_rank="0",priority="1"} -Inf',
        'vllm:cache_config_info{block_size="9999999999999999999",num_gpu_blocks="x"} 1',
    ]
)


@given(st.lists(PIECES, max_size=30), st.none() | st.text(max_size=12))
def test_no_page_and_no_version_raises(lines, version):
    """Any selection of real lines, in any order, some of them broken."""
    got = read("\n".join(lines) + "\n", version)
    assert all(0 <= v < float("inf") for k, v in got.values.items() if not k.endswith("_usage_gb"))
