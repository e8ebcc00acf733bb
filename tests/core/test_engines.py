"""How series become one number: ranks, twins, priorities, models, spellings, zeros, and what is refused."""

from __future__ import annotations

import math

import pytest

from inferguard_core.engines import EngineReader
from inferguard_core.reading import Engine
from inferguard_core.signals import Signal
from tests.core.captured import buckets, page, read, sglang, vllm

S = Signal


def test_tensor_parallel_twins_count_once_and_data_parallel_ranks_add():
    got = read(
        sglang(
            'num_running_reqs{dp_rank="0",tp_rank="0"} 3',
            'num_running_reqs{dp_rank="0",tp_rank="1"} 3',
            'num_running_reqs{dp_rank="1",tp_rank="2"} 4',
            'token_usage{dp_rank="0",tp_rank="0"} 0.2',
            'token_usage{dp_rank="1",tp_rank="2"} 0.9',
        )
    )
    assert got.values[S.RUNNING] == 7
    assert got.values[S.KV_USAGE] == 0.9
    assert got.ranks["dp_rank=0"] == {S.RUNNING: 3, S.KV_USAGE: 0.2}


def test_a_priority_page_counts_the_total_alone():
    got = read(
        sglang(
            'num_queue_reqs{priority=""} 5',
            'num_queue_reqs{priority="0"} 2',
            'num_queue_reqs{priority="9"} 3',
        )
    )
    assert got.values[S.WAITING] == 5


def test_a_retraction_gauge_adds_over_processes_and_a_usage_gauge_does_not():
    got = read(
        sglang('num_retracted_reqs{pid="1"} 2', 'num_retracted_reqs{pid="2"} 3')
        + sglang('token_usage{pid="1"} 0', 'token_usage{pid="2"} 0.4')
    )
    assert got.values["num_retracted_reqs"] == 5
    assert got.values[S.KV_USAGE] == 0.4


def test_models_of_one_endpoint_add_but_their_ratios_do_not():
    got = read(
        vllm(
            'num_requests_running{engine="0",model_name="a"} 1',
            'num_requests_running{engine="0",model_name="b"} 2',
            'kv_cache_usage_perc{engine="0",model_name="a"} 0.3',
            'kv_cache_usage_perc{engine="0",model_name="b"} 0.5',
        )
    )
    assert (got.values[S.RUNNING], got.values[S.KV_USAGE], got.models) == (3, 0.5, ("a", "b"))


def test_the_slowest_scheduler_clock_stands_for_the_endpoint():
    got = read(
        sglang(
            'scheduler_stage_seconds_total{category="idle",dp_rank="0",tp_rank="0"} 90',
            'scheduler_stage_seconds_total{category="run",dp_rank="0",tp_rank="0"} 10',
            'scheduler_stage_seconds_total{category="idle",dp_rank="1",tp_rank="1"} 40',
            'scheduler_stage_seconds_total{category="run",dp_rank="1",tp_rank="1"} 2',
        )
    )
    assert got.values[S.SCHEDULER_SECONDS] == 42
    assert got.ranks == {"dp_rank=0": {S.SCHEDULER_SECONDS: 100}, "dp_rank=1": {S.SCHEDULER_SECONDS: 42}}


def test_awake_means_every_engine_is_awake():
    got = read(
        vllm(
            'engine_sleep_state{engine="0",sleep_state="awake"} 1',
            'engine_sleep_state{engine="1",sleep_state="awake"} 0',
            'engine_sleep_state{engine="1",sleep_state="discard_all"} 1',
        )
    )
    assert got.values[S.AWAKE] == 0


def test_waiting_counts_every_queue_of_sglang_and_names_them():
    got = read(
        sglang(
            "num_queue_reqs 1",
            "num_grammar_queue_reqs 2",
            "num_decode_prealloc_queue_reqs 4",
            "num_decode_transfer_queue_reqs 8",
            "num_prefill_bootstrap_queue_reqs 16",
        )
    )
    assert got.values[S.WAITING] == 31
    assert got.spellings[S.WAITING].count(" + ") == 4


def test_the_newer_spelling_is_read_and_never_added():
    got = read(page("vllm-0.10.2-v1-dp2-rendered"))
    assert got.values[S.PREFIX_QUERIES] == 8192
    assert got.spellings[S.PREFIX_QUERIES] == "vllm:prefix_cache_queries_total"
    assert "gpu_prefix_cache_queries" not in got.values


def test_cached_tokens_of_detailed_and_undetailed_requests_add():
    """A request is counted under its tiers or under `total`, by whether the engine knew the tiers."""
    got = read(
        sglang(
            "prompt_tokens_total 500",
            'cached_tokens_total{cache_source="device"} 100',
            'cached_tokens_total{cache_source="total"} 7',
        )
    )
    assert (got.values[S.PREFIX_QUERIES], got.values[S.PREFIX_HITS]) == (500, 107)


def test_only_generation_routes_count_as_traffic():
    got = read(
        vllm("num_requests_running 0")
        + 'http_requests_total{handler="/v1/completions",method="POST",status="2xx"} 5\n'
        + 'http_requests_total{handler="/v1/chat/completions",method="POST",status="2xx"} 6\n'
        + 'http_requests_total{handler="/v1/models",method="GET",status="2xx"} 70\n'
        + 'http_requests_total{handler="/v1/completions",method="POST",status="4xx"} 2\n'
    )
    assert (got.values[S.HTTP_2XX], got.values[S.HTTP_4XX], got.values[S.HTTP_5XX]) == (11, 2, 0)


def test_offload_failures_add_and_a_failed_notification_counts_once():
    """From 0.31 a failed notification is counted as a failed transfer as well."""
    body = vllm(
        "nixl_num_failed_transfers_total 5",
        "nixl_num_failed_notifications_total 2",
        "kv_offload_allocation_failure_total 10",
    )
    assert read(body, "0.30.0").values[S.OFFLOAD_FAILURES] == 17
    assert read(body, "0.31.0").values[S.OFFLOAD_FAILURES] == 15


@pytest.mark.parametrize(("witness", "expected"), [("decode_sum_seq_lens 3", 0.0), ("is_cuda_graph 1", None)])
def test_retractions_are_zero_once_the_page_is_new_enough_to_count_them(witness, expected):
    """decode_sum_seq_lens came with the retraction counter in 0.5.7, is_cuda_graph in 0.5.4."""
    assert read(sglang("token_usage 0.1", witness)).values.get(S.PREEMPTIONS) == expected


def test_a_counter_that_will_move_next_is_not_swapped_for_an_older_one():
    """A first request of one token makes no decode step: the live counter follows from 0, not from the other."""
    first = sglang('realtime_tokens_total{mode="prefill_compute"} 40', "generation_tokens_total 1")
    got = read(first)
    assert got.values[S.GENERATION_TOKENS] == 0
    assert got.spellings[S.GENERATION_TOKENS] == "sglang:realtime_tokens_total{mode=decode}"


def test_the_servers_own_version_is_as_good_as_a_witness():
    body = sglang("token_usage 0.1")
    assert S.PREEMPTIONS not in read(body, "0.5.4").values
    assert read(body, "0.5.10").values[S.PREEMPTIONS] == 0


def test_a_page_knows_better_than_a_build_without_a_version():
    assert read(sglang("decode_sum_seq_lens 3"), "0.0.0.dev0").values[S.PREEMPTIONS] == 0


def test_a_page_of_contradicting_versions_proves_nothing():
    """time_per_output_token_seconds was gone long before context_len came."""
    body = sglang("context_len 8192") + buckets("sglang:time_per_output_token_seconds", 'x="y"', 1, 1, 1)
    assert S.PREEMPTIONS not in read(body).values


def test_nothing_is_zero_on_a_reexport_that_may_leave_families_out():
    got = read('sglang_num_running_reqs{dp_rank="0"} 3\nsglang_decode_sum_seq_lens{dp_rank="0"} 9\n')
    assert (got.engine, got.values[S.RUNNING]) == (Engine.SGLANG, 3)
    assert S.PREEMPTIONS not in got.values


@pytest.mark.parametrize("prefix", ["ray_vllm_", "vllm_", "vllm:"])
def test_reexports_of_vllm_are_read_by_their_underscores(prefix):
    assert read(f'{prefix}num_requests_waiting{{model_name="m"}} 4\n').values[S.WAITING] == 4


def test_a_declared_counter_without_a_sample_is_zero_and_a_declared_gauge_is_not():
    got = read(
        "# TYPE vllm:num_preemptions_total counter\n# TYPE vllm:gpu_cache_usage_perc gauge\n"
        + vllm('num_requests_running{model_name="m"} 0', 'cpu_cache_usage_perc{model_name="m"} 0')
    )
    assert got.values[S.PREEMPTIONS] == 0
    assert S.KV_USAGE not in got.values


def test_an_openmetrics_page_declares_its_counters_without_their_suffix():
    got = read(
        "# TYPE vllm:num_preemptions counter\n# TYPE vllm:request_success counter\n"
        + vllm('request_success_total{finished_reason="stop"} 3')
        + "# EOF\n"
    )
    assert (got.values[S.PREEMPTIONS], got.values[S.FINISHED], got.values[S.FINISHED_ABORT]) == (0, 3, 0)


def test_histograms_add_over_ranks_and_take_one_of_twins():
    name = "sglang:queue_time_seconds"
    got = read(
        buckets(name, 'dp_rank="0",tp_rank="0"', 1, 2, 3)
        + buckets(name, 'dp_rank="0",tp_rank="1"', 1, 2, 3)
        + buckets(name, 'dp_rank="1",tp_rank="2"', 10, 20, 30)
    ).histograms[S.QUEUE_TIME]
    assert (got.edges, got.counts, got.total) == ((1, 2, math.inf), (11, 22, 33), 66)


def test_created_series_and_longer_names_are_not_mistaken_for_counters():
    got = read(
        vllm(
            "prompt_tokens_total 7",
            "prompt_tokens_created 1.7e9",
            "prompt_tokens_total_created 1.7e9",
            'prompt_tokens_by_source_total{source="local_compute"} 5',
        )
    )
    assert (got.values[S.PROMPT_TOKENS], got.values[S.PROMPT_TOKENS_COMPUTED]) == (7, 5)


def test_bad_lines_are_counted():
    assert read(vllm("num_requests_running 1") + "not exposition text {{{\n").bad_lines == 1


def test_control_characters_in_labels_do_not_get_through():
    got = read(vllm('num_requests_running{model_name="a\x1b[31mb"} 1'))
    assert got.models == ("a[31mb",)


def test_the_lora_series_that_was_written_last_speaks():
    got = read(
        vllm(
            'lora_requests_info{running_lora_adapters="old"} 1000',
            'lora_requests_info{running_lora_adapters="new"} 2000',
        )
    )
    assert got.info["running_lora_adapters"] == "new"


def test_an_unprofiled_pool_has_no_capacity():
    """vLLM 0.8 logs its configuration before it has measured the pool."""
    got = read(vllm('cache_config_info{block_size="16",num_gpu_blocks="None"} 1'))
    assert S.KV_CAPACITY_TOKENS not in got.values


def test_one_reader_follows_a_page_whose_series_come_and_go():
    reader = EngineReader()
    first, second = vllm("num_requests_running 1"), vllm("num_requests_running 2", "num_requests_waiting 3")
    assert [dict(reader.read(b).values) for b in (first, second, first)] == [
        {S.RUNNING: 1},
        {S.RUNNING: 2, S.WAITING: 3},
        {S.RUNNING: 1},
    ]


def test_one_reader_follows_an_upgrade_of_the_engine():
    reader = EngineReader()
    assert S.PREEMPTIONS not in reader.read(sglang("token_usage 0"), "0.5.4").values
    assert reader.read(sglang("token_usage 0"), "0.5.10").values[S.PREEMPTIONS] == 0


def test_a_label_with_very_many_values_is_not_kept_apart():
    got = read(sglang(*(f'func_latency_seconds_count{{name="f{i}"}} 1' for i in range(65))))
    assert got.histograms == {}
    assert got.doubts == ("sglang:func_latency_seconds has 65 values of name; left out",)


def test_who_does_not_stream_has_no_first_token_where_the_engine_tells_them_apart():
    """0.5.23 splits the family; 0.5.10 does not, and there all that is timed counts."""
    apart = buckets("sglang:time_to_first_token_seconds", 'is_streaming="true"', 1, 2, 3) + buckets(
        "sglang:time_to_first_token_seconds", 'is_streaming="false"', 0, 0, 40
    )
    together = buckets("sglang:time_to_first_token_seconds", 'model_name="m"', 1, 2, 43)
    assert read(apart).histograms[S.TTFT].count == 3
    assert read(together).histograms[S.TTFT].count == 43


def test_first_tokens_of_nobody_who_streams_are_not_known():
    alone = buckets("sglang:time_to_first_token_seconds", 'is_streaming="false"', 0, 0, 40)
    assert S.TTFT not in read(alone).histograms
