"""vLLM families of the scheduler, the KV cache and the model: what the engine core counts."""

from __future__ import annotations

from inferguard_core.engines.row import Born, Family, Fold, Kind, v0, v1

FAMILIES: tuple[Family, ...] = (
    Family("vllm:kv_cache_usage_perc", Kind.GAUGE, "ratio", (v1("0.9.2"),), fold=Fold.MAX),
    Family(
        "vllm:gpu_cache_usage_perc",
        Kind.GAUGE,
        "ratio",
        (v1("0.7.1", "0.11.2", hidden="0.11.0"), v0("<=0.3.3")),
        fold=Fold.MAX,
    ),
    Family(
        "vllm:cpu_cache_usage_perc",
        Kind.GAUGE,
        "ratio",
        (v0("<=0.3.3", "0.9.0", hidden="0.8.3"),),
        fold=Fold.MAX,
    ),
    Family("vllm:num_requests_running", Kind.GAUGE, "requests", (v1("0.7.1"), v0("<=0.3.3"))),
    Family("vllm:num_requests_waiting", Kind.GAUGE, "requests", (v1("0.7.1"), v0("<=0.3.3"))),
    Family("vllm:num_requests_waiting_by_reason", Kind.GAUGE, "requests", (v1("0.20.0"),), per=("reason",)),
    Family("vllm:num_requests_kv_fetch_by_stage", Kind.GAUGE, "requests", (v1("0.32.0"),), per=("stage",)),
    Family("vllm:num_requests_swapped", Kind.GAUGE, "requests", (v0("<=0.3.3", "0.9.0", hidden="0.8.3"),)),
    Family("vllm:num_preemptions_total", Kind.COUNTER, "1", (v1("0.8.0"), v0("0.4.3")), born=Born.DECLARED),
    Family("vllm:prefix_cache_queries_total", Kind.COUNTER, "tokens", (v1("0.9.2"),)),
    Family(
        "vllm:gpu_prefix_cache_queries_total",
        Kind.COUNTER,
        "tokens",
        (v1("0.7.3", "0.11.2", hidden="0.11.0"),),
    ),
    Family("vllm:prefix_cache_hits_total", Kind.COUNTER, "tokens", (v1("0.9.2"),)),
    Family(
        "vllm:gpu_prefix_cache_hits_total", Kind.COUNTER, "tokens", (v1("0.7.3", "0.11.2", hidden="0.11.0"),)
    ),
    Family(
        "vllm:gpu_prefix_cache_hit_rate",
        Kind.GAUGE,
        "ratio",
        (v0("0.5.5", "0.9.0", hidden="0.8.3"),),
        fold=Fold.MEAN,
        unknowns=True,
    ),
    Family(
        "vllm:cpu_prefix_cache_hit_rate",
        Kind.GAUGE,
        "ratio",
        (v0("0.5.5", "0.9.0", hidden="0.8.3"),),
        fold=Fold.MEAN,
        unknowns=True,
    ),
    Family("vllm:external_prefix_cache_queries_total", Kind.COUNTER, "tokens", (v1("0.11.1"),)),
    Family("vllm:external_prefix_cache_hits_total", Kind.COUNTER, "tokens", (v1("0.11.1"),)),
    Family(
        "vllm:prompt_tokens_total", Kind.COUNTER, "tokens", (v1("0.7.1"), v0("<=0.3.3")), born=Born.DECLARED
    ),
    Family("vllm:prompt_tokens_by_source_total", Kind.COUNTER, "tokens", (v1("0.16.0"),), per=("source",)),
    Family("vllm:prompt_tokens_cached_total", Kind.COUNTER, "tokens", (v1("0.16.0"),)),
    Family(
        "vllm:prompt_tokens_cached_by_source_total", Kind.COUNTER, "tokens", (v1("0.32.0"),), per=("source",)
    ),
    Family("vllm:prompt_tokens_recomputed_total", Kind.COUNTER, "tokens", (v1("0.16.0", "0.19.0"),)),
    Family(
        "vllm:generation_tokens_total",
        Kind.COUNTER,
        "tokens",
        (v1("0.7.1"), v0("<=0.3.3")),
        born=Born.DECLARED,
    ),
    Family("vllm:tokens_total", Kind.COUNTER, "tokens", (v0("0.6.4", "0.7.3"),)),
    Family("vllm:avg_prompt_throughput_toks_per_s", Kind.GAUGE, "tokens/s", (v0("<=0.3.3", "0.6.6"),)),
    Family("vllm:avg_generation_throughput_toks_per_s", Kind.GAUGE, "tokens/s", (v0("<=0.3.3", "0.6.6"),)),
    Family("vllm:iteration_tokens_total", Kind.HISTOGRAM, "tokens", (v1("0.7.3"), v0("0.6.4"))),
    Family("vllm:spec_decode_num_drafts_total", Kind.COUNTER, "1", (v1("0.8.5"),)),
    Family(
        "vllm:spec_decode_num_draft_tokens_total", Kind.COUNTER, "tokens", (v1("0.8.3"), v0("0.5.3", "0.9.2"))
    ),
    Family(
        "vllm:spec_decode_num_accepted_tokens_total",
        Kind.COUNTER,
        "tokens",
        (v1("0.8.3"), v0("0.5.3", "0.9.2")),
    ),
    Family(
        "vllm:spec_decode_num_accepted_tokens_per_pos_total",
        Kind.COUNTER,
        "tokens",
        (v1("0.8.5"),),
        per=("position",),
    ),
    Family("vllm:spec_decode_num_emitted_tokens_total", Kind.COUNTER, "tokens", (v0("0.5.3", "0.9.2"),)),
    Family(
        "vllm:spec_decode_draft_acceptance_rate", Kind.GAUGE, "ratio", (v0("0.5.3", "0.9.2"),), fold=Fold.MEAN
    ),
    Family("vllm:spec_decode_efficiency", Kind.GAUGE, "ratio", (v0("0.5.3", "0.9.2"),), fold=Fold.MEAN),
    Family("vllm:diffusion_num_denoising_steps_total", Kind.COUNTER, "1", (v1("0.24.0"),)),
    Family("vllm:diffusion_num_canvas_positions_total", Kind.COUNTER, "1", (v1("0.24.0"),)),
    Family("vllm:diffusion_num_committed_tokens_total", Kind.COUNTER, "tokens", (v1("0.24.0"),)),
    Family("vllm:lora_requests_info", Kind.INFO, "1", (v1("0.8.0"), v0("0.6.4"))),
    Family("vllm:cache_config_info", Kind.INFO, "1", (v1("0.8.0"), v0("<=0.3.3"))),
    Family("vllm:engine_sleep_state", Kind.GAUGE, "1", (v1("0.11.1"),), fold=Fold.MIN, per=("sleep_state",)),
    Family(
        "vllm:sleep_mode_operation_duration_seconds",
        Kind.HISTOGRAM,
        "seconds",
        (v1("0.32.0"),),
        per=("operation",),
    ),
    Family("vllm:sleep_mode_operations_in_flight", Kind.GAUGE, "1", (v1("0.32.0"),), per=("operation",)),
    Family("vllm:corrupted_requests_total", Kind.COUNTER, "requests", (v1("0.11.1"),)),
    Family("vllm:watermark_requests_total", Kind.COUNTER, "requests", (v1("0.32.0"),), per=("status",)),
    Family("vllm:kv_block_lifetime_seconds", Kind.HISTOGRAM, "seconds", (v1("0.12.0"),)),
    Family("vllm:kv_block_idle_before_evict_seconds", Kind.HISTOGRAM, "seconds", (v1("0.12.0"),)),
    Family("vllm:kv_block_reuse_gap_seconds", Kind.HISTOGRAM, "seconds", (v1("0.12.0"),)),
    Family("vllm:mm_cache_queries_total", Kind.COUNTER, "1", (v1("0.11.1"),)),
    Family("vllm:mm_cache_hits_total", Kind.COUNTER, "1", (v1("0.11.1"),)),
    Family("vllm:estimated_flops_per_gpu_total", Kind.COUNTER, "1", (v1("0.17.0"),), fold=Fold.MEAN),
    Family("vllm:estimated_read_bytes_per_gpu_total", Kind.COUNTER, "bytes", (v1("0.17.0"),), fold=Fold.MEAN),
    Family(
        "vllm:estimated_write_bytes_per_gpu_total", Kind.COUNTER, "bytes", (v1("0.17.0"),), fold=Fold.MEAN
    ),
    Family(
        "vllm:rl_weight_update_operation_duration_seconds",
        Kind.HISTOGRAM,
        "seconds",
        (v1("0.32.0"),),
        per=("operation",),
    ),
    Family(
        "vllm:rl_weight_update_operations_in_flight", Kind.GAUGE, "1", (v1("0.32.0"),), per=("operation",)
    ),
)
