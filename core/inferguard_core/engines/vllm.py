"""What vLLM's families mean to us, 0.4 to 0.33, both engine generations.

The rows hold no version logic: where two spellings are on a page, the first way of a row is read and the
other is left alone, because both count the same events.
"""

from __future__ import annotations

from typing import Final

from inferguard_core.engines import vllm_requests, vllm_scheduler, vllm_transfer
from inferguard_core.engines.row import Row, pick, row, total
from inferguard_core.signals import Signal

PREFIX: Final = "vllm:"
FAMILIES: Final = vllm_scheduler.FAMILIES + vllm_requests.FAMILIES + vllm_transfer.FAMILIES

GENERATION_ROUTES: Final = (
    "/v1/completions",
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/messages",
    "/generate",
    "/inference/v1/generate",
    "/invocations",
)
"""Handlers that make the engine generate tokens; health checks, embeddings and model lists say nothing."""

_HTTP_NOTE: Final = "appears with the first request; V0 in multiprocess mode never counts it"
_PROCESS_NOTE: Final = "shown only by a single API server process (--api-server-count 1)"
_SPECULATION_NOTE: Final = "shown only while speculative decoding is configured (--speculative-config)"
_V0_ONLY: Final = "V1 has no swap space: it recomputes preempted requests"

ROWS: Final[tuple[Row, ...]] = (
    row(Signal.KV_USAGE, "vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"),
    # The size stands in the labels.
    row(Signal.KV_CAPACITY_TOKENS, "vllm:cache_config_info", note="the Rust front end does not show it"),
    row(Signal.CPU_CACHE_USAGE, "vllm:cpu_cache_usage_perc", note=_V0_ONLY),
    row(Signal.RUNNING, "vllm:num_requests_running"),
    row(Signal.WAITING, "vllm:num_requests_waiting"),
    row(Signal.WAITING_CAPACITY, pick("vllm:num_requests_waiting_by_reason", reason="capacity")),
    row(Signal.WAITING_DEFERRED, pick("vllm:num_requests_waiting_by_reason", reason="deferred")),
    row(Signal.SWAPPED, "vllm:num_requests_swapped", note=_V0_ONLY),
    row(Signal.PREEMPTIONS, "vllm:num_preemptions_total"),
    row(Signal.FINISHED, "vllm:request_success_total"),
    row(Signal.FINISHED_ABORT, pick("vllm:request_success_total", finished_reason="abort")),
    row(Signal.FINISHED_ERROR, pick("vllm:request_success_total", since="0.13.0", finished_reason="error")),
    row(Signal.REJECTED, "vllm:admission_rejections_total"),
    row(Signal.PROMPT_TOKENS, "vllm:prompt_tokens_total"),
    row(
        Signal.PROMPT_TOKENS_COMPUTED,
        pick("vllm:prompt_tokens_by_source_total", source="local_compute"),
        # The same tokens, but counted only when the request ends.
        "vllm:request_prefill_kv_computed_tokens_sum",
    ),
    row(Signal.GENERATION_TOKENS, "vllm:generation_tokens_total"),
    row(
        Signal.GENERATION_THROUGHPUT,
        "vllm:avg_generation_throughput_toks_per_s",
        note="newer versions leave it to the counters",
    ),
    row(Signal.ENGINE_STEPS, "vllm:iteration_tokens_total_count"),
    row(Signal.PREFIX_QUERIES, "vllm:prefix_cache_queries_total", "vllm:gpu_prefix_cache_queries_total"),
    row(Signal.PREFIX_HITS, "vllm:prefix_cache_hits_total", "vllm:gpu_prefix_cache_hits_total"),
    row(
        Signal.PREFIX_HIT_RATE,
        "vllm:gpu_prefix_cache_hit_rate",
        note="a gauge of V0 with prefix caching; V1 leaves it to the counters",
    ),
    row(Signal.SPEC_DRAFTS, "vllm:spec_decode_num_drafts_total", note=_SPECULATION_NOTE),
    row(Signal.SPEC_DRAFT_TOKENS, "vllm:spec_decode_num_draft_tokens_total", note=_SPECULATION_NOTE),
    row(Signal.SPEC_ACCEPTED_TOKENS, "vllm:spec_decode_num_accepted_tokens_total", note=_SPECULATION_NOTE),
    row(
        Signal.SPEC_ACCEPT_RATE,
        "vllm:spec_decode_draft_acceptance_rate",
        note="a gauge of V0 with speculative decoding; V1 leaves it to the counters",
    ),
    row(
        Signal.OFFLOAD_FAILURES,
        total(
            "vllm:nixl_num_failed_transfers_total",
            # From 0.31 a failed notification is also a failed transfer.
            pick("vllm:nixl_num_failed_notifications_total", until="0.30.99"),
            "vllm:nixl_num_kv_expired_reqs_total",
            "vllm:mooncake_num_failed_transfers_total",
            "vllm:mooncake_num_failed_recvs_total",
            "vllm:mooncake_num_kv_expired_reqs_total",
            "vllm:mooncake_store_operation_failed_keys_total",
            "vllm:hf3fs_num_failed_save_total",
            "vllm:hf3fs_num_failed_load_total",
            "vllm:umbp_transfer_failed_total",
            "vllm:kv_offload_allocation_failure_total",
            "vllm:kv_offload_tiering_promotion_job_failures_total",
            "vllm:kv_offload_tiering_cascade_job_failures_total",
            "vllm:kv_offload_tiering_promotion_allocation_failures_total",
            "vllm:kv_offload_tiering_backpressure_stores_dropped_total",
            pick("vllm:simple_kv_offload_save_outcomes_total", outcome="dropped_cpu_full"),
            any_of=True,
        ),
        note="shown only while a KV connector or an offload tier is configured",
    ),
    row(Signal.PROCESS_START, "process_start_time_seconds", note=_PROCESS_NOTE),
    row(Signal.OPEN_FDS, "process_open_fds", note=_PROCESS_NOTE),
    row(
        Signal.HTTP_2XX,
        pick("http_requests_total", handler=GENERATION_ROUTES, status="2*"),
        note=_HTTP_NOTE,
    ),
    row(
        Signal.HTTP_4XX,
        pick("http_requests_total", handler=GENERATION_ROUTES, status="4*"),
        note=_HTTP_NOTE,
    ),
    row(
        Signal.HTTP_5XX,
        pick("http_requests_total", handler=GENERATION_ROUTES, status="5*"),
        note=_HTTP_NOTE,
    ),
    row(Signal.AWAKE, pick("vllm:engine_sleep_state", sleep_state="awake")),
    row(
        Signal.EVICTED_TOKENS,
        note="not counted; --kv-cache-metrics (0.12 and later) samples the life of evicted blocks",
    ),
    row(Signal.HTTP_ACTIVE, note="not in /metrics; --enable-server-load-tracking shows it at /load"),
    row(Signal.TTFT, "vllm:time_to_first_token_seconds"),
    row(Signal.ITL, "vllm:inter_token_latency_seconds", "vllm:time_per_output_token_seconds"),
    row(Signal.E2E, "vllm:e2e_request_latency_seconds"),
    row(Signal.QUEUE_TIME, "vllm:request_queue_time_seconds", "vllm:time_in_queue_requests"),
    row(Signal.REQUEST_PROMPT_TOKENS, "vllm:request_prompt_tokens"),
    row(Signal.REQUEST_GENERATION_TOKENS, "vllm:request_generation_tokens"),
    row(
        Signal.KV_IDLE_BEFORE_EVICT,
        "vllm:kv_block_idle_before_evict_seconds",
        note="sampled only with --kv-cache-metrics",
    ),
)
