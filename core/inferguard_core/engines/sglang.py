"""What SGLang's families mean to us, 0.3.5.post1 (the first with metrics) to 0.5.23.

SGLang creates a labelled series at its first event, so its counters are `born`: absent on a page of a version
that has them, they are 0. Token counters of the tokenizer step when a request ends; where the scheduler's
live counters exist they come first.
"""

from __future__ import annotations

from typing import Final

from inferguard_core.engines import sglang_features, sglang_requests, sglang_scheduler
from inferguard_core.engines.row import Row, pick, row, total
from inferguard_core.signals import Signal

PREFIX: Final = "sglang:"
FAMILIES: Final = sglang_scheduler.FAMILIES + sglang_requests.FAMILIES + sglang_features.FAMILIES

GENERATION_ROUTES: Final = (
    "/v1/completions",
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/messages",
    "/generate",
    "/vertex_generate",
    "/invocations",
    "/api/chat",
    "/api/generate",
)
"""Routes that make the engine generate tokens. /health does too, but it is a probe and not traffic."""

_SPECULATION_NOTE: Final = "shown only while speculative decoding is on (--speculative-algorithm)"
_SIZES_NOTE: Final = "up to 0.5.10 only with --collect-tokens-histogram"

ROWS: Final[tuple[Row, ...]] = (
    row(Signal.KV_USAGE, "sglang:token_usage"),
    row(
        Signal.KV_CAPACITY_TOKENS,
        "sglang:max_total_num_tokens",
        off_at_zero=Signal.KV_CAPACITY_TOKENS,
        note="older versions say it only in /get_server_info",
    ),
    row(Signal.KV_USED_TOKENS, "sglang:kv_used_tokens", "sglang:num_used_tokens"),
    row(Signal.KV_EVICTABLE_TOKENS, "sglang:kv_evictable_tokens"),
    row(Signal.RUNNING, "sglang:num_running_reqs"),
    row(
        Signal.WAITING,
        # The main queue leaves out requests that wait for a grammar or, disaggregated, for KV space or transfer.
        total(
            "sglang:num_queue_reqs",
            "sglang:num_grammar_queue_reqs",
            "sglang:num_prefill_bootstrap_queue_reqs",
            "sglang:num_prefill_prealloc_queue_reqs",
            "sglang:num_decode_prealloc_queue_reqs",
            "sglang:num_decode_transfer_queue_reqs",
        ),
    ),
    # The gauge of 0.4.10 to 0.5.2 holds a cumulative count. num_retracted_reqs is no substitute: it shows one
    # report's retractions and is overwritten by the next.
    row(Signal.PREEMPTIONS, "sglang:num_retracted_requests_total", "sglang:total_retracted_reqs"),
    row(Signal.FINISHED, "sglang:num_requests_total"),
    row(Signal.FINISHED_ABORT, "sglang:num_aborted_requests_total"),
    # The scheduler's counters run while a request does, and count the second prefill of a retracted one too.
    row(
        Signal.PROMPT_TOKENS,
        pick("sglang:realtime_tokens_total", mode=("prefill_compute", "prefill_cache")),
        "sglang:prompt_tokens_total",
    ),
    row(
        Signal.PROMPT_TOKENS_COMPUTED,
        pick("sglang:realtime_tokens_total", mode="prefill_compute"),
        pick("sglang:prefill_effective_tokens_total", mode="input"),
    ),
    row(
        Signal.GENERATION_TOKENS,
        pick("sglang:realtime_tokens_total", mode="decode"),
        "sglang:generation_tokens_total",
    ),
    row(Signal.GENERATION_THROUGHPUT, "sglang:gen_throughput"),
    row(Signal.ENGINE_STEPS, "sglang:cuda_graph_passes_total"),
    row(Signal.PREFIX_QUERIES, "sglang:prefill_effective_tokens_total", "sglang:prompt_tokens_total"),
    row(
        Signal.PREFIX_HITS,
        pick("sglang:prefill_effective_tokens_total", mode=("device_hit", "host_hit", "storage_hit")),
        # One request counts either under the tiers it was found in or under "total", so all are added.
        "sglang:cached_tokens_total",
    ),
    row(Signal.PREFIX_HIT_RATE, "sglang:cache_hit_rate"),
    row(Signal.EVICTED_TOKENS, "sglang:evicted_tokens_total"),
    row(Signal.NEW_TOKEN_RATIO, "sglang:new_token_ratio"),
    # The accepted length counts the bonus token, so 0 says that nothing speculates.
    row(
        Signal.SPEC_ACCEPT_RATE,
        "sglang:spec_accept_rate",
        off_at_zero=Signal.SPEC_ACCEPT_LENGTH,
        note=_SPECULATION_NOTE,
    ),
    row(
        Signal.SPEC_ACCEPT_LENGTH,
        "sglang:spec_accept_length",
        off_at_zero=Signal.SPEC_ACCEPT_LENGTH,
        note=_SPECULATION_NOTE,
    ),
    row(
        Signal.OFFLOAD_FAILURES,
        # Requests for transfers, tokens for cache tiers: a rate above 0 is what counts.
        total(
            "sglang:num_transfer_failed_reqs_total",
            "sglang:num_bootstrap_failed_reqs_total",
            "sglang:hicache_backup_dropped_tokens_total",
            "sglang:hicache_prefetch_aux_alloc_failed_tokens_total",
            any_of=True,
        ),
    ),
    # Each rank has a clock; the least stands for the endpoint, so that a stopped rank is not outrun by the others.
    row(Signal.SCHEDULER_SECONDS, "sglang:scheduler_stage_seconds_total"),
    row(Signal.HTTP_ACTIVE, pick("sglang:http_requests_active", endpoint=GENERATION_ROUTES)),
    row(
        Signal.HTTP_2XX,
        pick("sglang:http_responses_total", endpoint=GENERATION_ROUTES, status_code="2*"),
    ),
    row(
        Signal.HTTP_4XX,
        pick("sglang:http_responses_total", endpoint=GENERATION_ROUTES, status_code="4*"),
    ),
    row(
        Signal.HTTP_5XX,
        pick("sglang:http_responses_total", endpoint=GENERATION_ROUTES, status_code="5*"),
    ),
    row(Signal.SWAPPED, note="SGLang retracts requests and computes them again; it does not swap"),
    row(Signal.PROCESS_START, note="SGLang exports no process metrics"),
    row(Signal.OPEN_FDS, note="SGLang exports no process metrics"),
    # Who does not stream gets no first token: what is timed there is the first flush inside the engine. Split
    # since 0.5.17.
    row(Signal.TTFT, pick("sglang:time_to_first_token_seconds", is_streaming=("true", ""))),
    row(Signal.ITL, "sglang:inter_token_latency_seconds", "sglang:time_per_output_token_seconds"),
    row(Signal.E2E, "sglang:e2e_request_latency_seconds"),
    row(Signal.QUEUE_TIME, "sglang:queue_time_seconds", "sglang:queue_time_s"),
    row(Signal.REQUEST_PROMPT_TOKENS, "sglang:prompt_tokens_histogram", note=_SIZES_NOTE),
    row(Signal.REQUEST_GENERATION_TOKENS, "sglang:generation_tokens_histogram", note=_SIZES_NOTE),
    row(Signal.KV_IDLE_BEFORE_EVICT, note="SGLang does not sample the life of cached blocks"),
)
