"""SGLang families of requests, written by the tokenizer process and the HTTP server."""

from __future__ import annotations

from inferguard_core.engines.row import Born, Family, Fold, Kind, Span

FAMILIES: tuple[Family, ...] = (
    Family("sglang:num_retractions", Kind.HISTOGRAM, "1", (Span("0.5.5", "0.5.10"),)),
    Family(
        "sglang:cached_tokens_total",
        Kind.COUNTER,
        "tokens",
        (Span("0.4.4"),),
        born=Born.VERSION,
        per=("cache_source",),
    ),
    Family("sglang:prompt_tokens_total", Kind.COUNTER, "tokens", (Span("0.3.5.post1"),), born=Born.VERSION),
    Family(
        "sglang:generation_tokens_total", Kind.COUNTER, "tokens", (Span("0.3.5.post1"),), born=Born.VERSION
    ),
    Family("sglang:num_requests_total", Kind.COUNTER, "requests", (Span("0.4.1.post7"),), born=Born.VERSION),
    Family("sglang:num_so_requests_total", Kind.COUNTER, "requests", (Span("0.4.6.post5"),)),
    Family(
        "sglang:num_aborted_requests_total", Kind.COUNTER, "requests", (Span("0.4.7"),), born=Born.VERSION
    ),
    Family("sglang:time_to_first_token_seconds", Kind.HISTOGRAM, "seconds", (Span("0.3.5.post1"),)),
    Family("sglang:inter_token_latency_seconds", Kind.HISTOGRAM, "seconds", (Span("0.4.4"),)),
    Family(
        "sglang:time_per_output_token_seconds", Kind.HISTOGRAM, "seconds", (Span("0.3.5.post1", "0.4.4"),)
    ),
    Family("sglang:request_time_per_output_token_seconds", Kind.HISTOGRAM, "seconds", (Span("0.5.22"),)),
    Family("sglang:e2e_request_latency_seconds", Kind.HISTOGRAM, "seconds", (Span("0.3.5.post1"),)),
    Family("sglang:queue_time_seconds", Kind.HISTOGRAM, "seconds", (Span("0.5.3"),)),
    Family("sglang:queue_time_s", Kind.HISTOGRAM, "seconds", (Span("0.5.2", "0.5.2"),)),
    Family(
        "sglang:avg_request_queue_latency", Kind.GAUGE, "seconds", (Span("0.4.6", "0.5.2"),), fold=Fold.MAX
    ),
    Family(
        "sglang:per_stage_req_latency_seconds", Kind.HISTOGRAM, "seconds", (Span("0.5.3"),), per=("stage",)
    ),
    Family("sglang:prompt_tokens_histogram", Kind.HISTOGRAM, "tokens", (Span("0.4.6.post5"),)),
    Family("sglang:uncached_prompt_tokens_histogram", Kind.HISTOGRAM, "tokens", (Span("0.5.12"),)),
    Family("sglang:generation_tokens_histogram", Kind.HISTOGRAM, "tokens", (Span("0.4.6.post5"),)),
    Family("sglang:spec_verify_calls_total", Kind.COUNTER, "1", (Span("0.5.13"),)),
    Family("sglang:get_loads_duration_seconds", Kind.HISTOGRAM, "seconds", (Span("0.5.12"),)),
    Family("sglang:http_requests_total", Kind.COUNTER, "requests", (Span("0.5.7"),)),
    Family(
        "sglang:http_responses_total",
        Kind.COUNTER,
        "requests",
        (Span("0.5.7"),),
        born=Born.DECLARED,
        per=("status_code",),
    ),
    Family("sglang:http_requests_active", Kind.GAUGE, "requests", (Span("0.5.8"),), born=Born.DECLARED),
    Family("sglang:process_cpu_seconds_total", Kind.COUNTER, "seconds", (Span("0.5.8"),), per=("component",)),
    Family("sglang:func_latency_seconds", Kind.HISTOGRAM, "seconds", (Span("0.3.5.post1"),), per=("name",)),
    Family(
        "sglang:time_to_first_token_seconds_offline_batch",
        Kind.HISTOGRAM,
        "seconds",
        (Span("0.5.2", "0.5.2"),),
    ),
)
