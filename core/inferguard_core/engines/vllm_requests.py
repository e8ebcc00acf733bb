"""vLLM families of requests and of the API server process: latency, sizes, HTTP, process."""

from __future__ import annotations

from inferguard_core.engines.row import Born, Family, Fold, Kind, Span, v0, v1

FAMILIES: tuple[Family, ...] = (
    Family("vllm:request_num_preemptions", Kind.HISTOGRAM, "1", (v1("0.30.0"),)),
    Family("vllm:time_to_first_token_seconds", Kind.HISTOGRAM, "seconds", (v1("0.7.1"), v0("<=0.3.3"))),
    Family("vllm:inter_token_latency_seconds", Kind.HISTOGRAM, "seconds", (v1("0.10.2"), v0("0.10.2"))),
    Family(
        "vllm:time_per_output_token_seconds",
        Kind.HISTOGRAM,
        "seconds",
        (v1("0.7.1", "0.14.0", hidden="0.12.0"), v0("<=0.3.3")),
    ),
    Family("vllm:request_time_per_output_token_seconds", Kind.HISTOGRAM, "seconds", (v1("0.11.0"),)),
    Family("vllm:e2e_request_latency_seconds", Kind.HISTOGRAM, "seconds", (v1("0.7.3"), v0("<=0.3.3"))),
    Family("vllm:request_queue_time_seconds", Kind.HISTOGRAM, "seconds", (v1("0.7.3"), v0("0.6.4"))),
    Family("vllm:time_in_queue_requests", Kind.HISTOGRAM, "seconds", (v0("0.6.4", "0.9.0", hidden="0.8.3"),)),
    Family("vllm:request_inference_time_seconds", Kind.HISTOGRAM, "seconds", (v1("0.7.3"), v0("0.6.4"))),
    Family("vllm:request_prefill_time_seconds", Kind.HISTOGRAM, "seconds", (v1("0.7.3"), v0("0.6.4"))),
    Family("vllm:request_decode_time_seconds", Kind.HISTOGRAM, "seconds", (v1("0.7.3"), v0("0.6.4"))),
    Family(
        "vllm:model_forward_time_milliseconds",
        Kind.HISTOGRAM,
        "milliseconds",
        (v0("0.6.4", "0.9.0", hidden="0.8.3"),),
    ),
    Family(
        "vllm:model_execute_time_milliseconds",
        Kind.HISTOGRAM,
        "milliseconds",
        (v0("0.6.4", "0.9.0", hidden="0.8.3"),),
    ),
    Family(
        "vllm:request_success_total",
        Kind.COUNTER,
        "requests",
        (v1("0.7.2"), v0("0.4.2")),
        born=Born.DECLARED,
        per=("finished_reason",),
    ),
    Family("vllm:request_prompt_tokens", Kind.HISTOGRAM, "tokens", (v1("0.7.1"), v0("0.4.2"))),
    Family("vllm:request_generation_tokens", Kind.HISTOGRAM, "tokens", (v1("0.7.1"), v0("0.4.2"))),
    Family("vllm:request_prefill_kv_computed_tokens", Kind.HISTOGRAM, "tokens", (v1("0.13.0"),)),
    Family("vllm:request_max_num_generation_tokens", Kind.HISTOGRAM, "tokens", (v1("0.8.0"), v0("0.6.4"))),
    Family("vllm:request_params_n", Kind.HISTOGRAM, "1", (v1("0.8.0"), v0("0.4.2"))),
    Family("vllm:request_params_best_of", Kind.HISTOGRAM, "1", (v0("0.4.2", "0.6.2"),)),
    Family("vllm:request_params_max_tokens", Kind.HISTOGRAM, "tokens", (v1("0.8.0"), v0("0.6.4"))),
    Family("vllm:admission_rejections_total", Kind.COUNTER, "requests", (v1("0.32.0"),), per=("reason",)),
    Family("vllm:websocket_connections_active", Kind.GAUGE, "1", (v1("0.18.0"),)),
    Family("vllm:websocket_connections_total", Kind.COUNTER, "1", (v1("0.18.0"),)),
    Family("vllm:websocket_connection_duration_seconds", Kind.HISTOGRAM, "seconds", (v1("0.18.0"),)),
    Family("vllm:tool_call_parser_invocations_total", Kind.COUNTER, "1", (v1("0.24.0"),), per=("outcome",)),
    Family("process_virtual_memory_bytes", Kind.GAUGE, "bytes", (Span("<=0.3.3"),)),
    Family("process_resident_memory_bytes", Kind.GAUGE, "bytes", (Span("<=0.3.3"),)),
    Family("process_start_time_seconds", Kind.GAUGE, "unix_seconds", (Span("<=0.3.3"),), fold=Fold.MAX),
    Family("process_cpu_seconds_total", Kind.COUNTER, "seconds", (Span("<=0.3.3"),)),
    Family("process_open_fds", Kind.GAUGE, "1", (Span("<=0.3.3"),)),
    Family("process_max_fds", Kind.GAUGE, "1", (Span("<=0.3.3"),)),
    Family("python_gc_objects_collected_total", Kind.COUNTER, "1", (Span("<=0.3.3"),), per=("generation",)),
    Family(
        "python_gc_objects_uncollectable_total", Kind.COUNTER, "1", (Span("<=0.3.3"),), per=("generation",)
    ),
    Family("python_gc_collections_total", Kind.COUNTER, "1", (Span("<=0.3.3"),), per=("generation",)),
    Family("python_info", Kind.INFO, "1", (Span("<=0.3.3"),)),
    Family(
        "http_requests_total", Kind.COUNTER, "requests", (Span("0.8.3"),), born=Born.DECLARED, per=("status",)
    ),
    Family("http_request_size_bytes", Kind.SUMMARY, "bytes", (Span("0.8.3"),)),
    Family("http_response_size_bytes", Kind.SUMMARY, "bytes", (Span("0.8.3"),)),
    Family("http_request_duration_highr_seconds", Kind.HISTOGRAM, "seconds", (Span("0.8.3"),)),
    Family("http_request_duration_seconds", Kind.HISTOGRAM, "seconds", (Span("0.8.3"),)),
)
