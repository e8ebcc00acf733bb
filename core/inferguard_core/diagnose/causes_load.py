"""Causes that are load: what is asked of a healthy engine, and how it is set up to take it. In causal order."""

from __future__ import annotations

from inferguard_core.diagnose.signature import Lever, Signature
from inferguard_core.verdict import ActionType

GONE = {"not_serving": 20.0}
"""Load is no cause while nothing is served: outweighs everything for it."""
UNEVEN = {"ranks_apart": 4.0}
"""Other ranks have room, so neither the pool nor the cap is too small."""

LOAD: tuple[Signature, ...] = (
    Signature(
        "arrival_surge",
        "queue_backup",
        {"arrivals_doubled": 3, "completions_at_peak": 2, "queued": 2},
        {"capped_before": 3, "requests_grew": 3, "swapping": 2, **GONE, **UNEVEN},
        ("arrivals_doubled", "takes_all"),
        "Shed or queue-limit at the gateway, then scale out: completions are at their highest already.",
        (ActionType.THROTTLE_CONCURRENCY,),
        (
            Lever("restart the engine", "completions_at_peak", "it works as fast as it ever did"),
            Lever("restart the engine", "arrivals_doubled", "the load is what changed"),
        ),
        "arrivals by client or route at the gateway: /metrics has no such label",
    ),
    Signature(
        "long_contexts",
        "kv_saturation",
        {"tokens_held_up": 3, "kv_full": 2, "few_running": 2, "mix_changed": 2},
        {"at_cap": 3, "hits_fell_first": 2, **GONE, **UNEVEN},
        ("tokens_held_up", "pressed"),
        "Cap max_tokens or context, route long requests apart, fp8 KV cache if quality allows.",
        (ActionType.RECOMMEND_COMPACTION, ActionType.THROTTLE_CONCURRENCY),
        (
            Lever("raise the number of sequences", "few_running", "the pool is full with few of them"),
            Lever("raise the number of sequences", "kv_full", "there is no room for more"),
        ),
        "prompt and output lengths by client at the gateway",
    ),
    Signature(
        "prefix_thrash",
        "prefix_cache_miss",
        {
            "hit_rate_fell": 2,
            "hits_gone": 3,
            "pool_churned": 3,
            "computed_up": 2,
            "prompts_repeated": 1,
            "kv_half": 1,
        },
        {
            "cache_off": 20,
            "cache_cold": 3,
            "mix_changed": 3,
            "hits_kept": 4,
            "diluted": 4,
            "filled_first": 4,
            "load_same": 2,
            "held_back": 3,
            **GONE,
        },
        ("hit_rate_fell",),
        "Halve the active agents (CONCUR), pin sessions to replicas, then an offload tier for evicted prefixes.",
        (
            ActionType.THROTTLE_CONCURRENCY,
            ActionType.RECOMMEND_COMPACTION,
            ActionType.FLUSH_SESSION_RADIX,
        ),
        (
            Lever("flush the prefix cache", "computed_up", "it makes every session compute its prompt again"),
            Lever("raise the number of sequences", "pool_churned", "more sessions forget one another sooner"),
        ),
        "sessions at once and the pause between their turns, from the agents or the gateway",
    ),
    Signature(
        "prefix_broken",
        "prefix_cache_miss",
        {"hit_rate_fell": 3, "hits_gone": 2, "fell_at_once": 2, "fell_low": 2, "load_same": 3},
        {
            "evicting": 3,
            "cache_off": 20,
            "cache_cold": 3,
            "mix_changed": 2,
            "hits_kept": 4,
            "diluted": 4,
            **GONE,
        },
        ("hit_rate_fell", "fell_low"),
        "Make the head of the prompt stable: no timestamps, ids or reordered tool lists before the shared part.",
        (),
        (Lever("a larger KV pool or an offload tier", "kv_low", "the pool is not full"),),
        "the first 200 tokens of two prompts of one session, compared",
    ),
    Signature(
        "kv_exhausted",
        "kv_saturation",
        {"overflowing": 3, "kv_full": 2, "queued": 2, "tokens_held_normal": 1},
        {"hits_fell_first": 3, "prefill_first": 3, "surged": 2, "swapping": 2, **GONE, **UNEVEN},
        ("pressed",),
        "Fewer sequences at once (L*), head room at admission (--watermark on vLLM that has it,"
        " --schedule-conservativeness 1.3 on SGLang), then more KV.",
        (ActionType.THROTTLE_CONCURRENCY, ActionType.RECOMMEND_COMPACTION),
        (
            Lever("raise the number of sequences", "kv_full", "KV is the limit, not the cap"),
            Lever("raise the number of sequences", "preempting", "those admitted are thrown out again"),
        ),
        "KV tokens per running request over a request's life (kv usage, pool size, running)",
    ),
    Signature(
        "sequence_cap",
        "queue_backup",
        {"at_cap": 3, "queued": 2, "kv_slack": 2},
        {"preempting": 3, **GONE, **UNEVEN},
        ("at_cap", "kv_slack", "queued"),
        "Raise --max-num-seqs / --max-running-requests if ITL has slack, else scale out.",
        (),
        (Lever("fp8 KV cache or a larger pool", "kv_slack", "KV has room"),),
        "the configured limit of running requests (server arguments)",
    ),
    Signature(
        "compute_bound",
        "queue_backup",
        {"prompt_rate_at_peak": 3, "queue_grows": 2, "kv_slack": 2, "below_cap": 1, "ttft_up": 1},
        {"at_cap": 3, "preempting": 3, "recomputing": 2, "gave_up_first": 3, **GONE, **UNEVEN},
        ("prompt_rate_at_peak", "kv_slack", "queue_grows"),
        "A larger token budget if ITL has slack, else replicas or separate prefill.",
        (),
        (
            Lever("fp8 KV cache or a larger pool", "kv_slack", "KV has room"),
            Lever("raise the number of sequences", "below_cap", "the batch is not full"),
        ),
        "tokens per step and GPU utilisation (vllm:iteration_tokens_total, nvidia-smi dmon)",
    ),
    Signature(
        "prefill_interference",
        "ttft_regression",
        {"itl_tail_up": 3, "prompt_bursts": 2, "large_steps": 2},
        {"pressure_first": 5, "recomputing": 3, "decode_drifted": 3, **GONE},
        ("itl_tail_up", "latency_felt"),
        "Lower --max-num-batched-tokens / --chunked-prefill-size one step at a time while watching TTFT.",
        (),
        (Lever("fewer sequences at once", "itl_flat", "decoding itself is as fast as before"),),
        "tokens per scheduler step",
    ),
    Signature(
        "conservative_admission",
        "queue_backup",
        {"room_with_queue": 3, "below_cap": 2, "ratio_high": 2},
        {
            "preempting": 4,
            "prefill_flood": 3,
            "at_cap": 2,
            "recomputing": 2,
            "gave_up_first": 3,
            **GONE,
            **UNEVEN,
        },
        ("is_sglang", "room_with_queue"),
        "Smaller max_tokens from clients; --schedule-conservativeness 0.3 (no help with ignore_eos).",
        (),
        (Lever("more replicas", "room_with_queue", "tokens are free here while requests wait"),),
        "max_tokens as asked for against tokens really generated, at the gateway",
    ),
)
