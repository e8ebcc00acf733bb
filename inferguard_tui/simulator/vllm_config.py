"""vLLM's `cache_config_info`: every CacheConfig field as Python's `str()` shows it, in the labels of a 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.simulator.metrics import series

if TYPE_CHECKING:
    from inferguard_tui.simulator.size import EngineSize


DEFAULTS = {
    "_block_size_resolved": "True",
    "cache_dtype": "auto",
    "cache_hit_alignment_tokens": "None",
    "enable_mamba_shared_prefix_checkpoint": "False",
    "gpu_memory_utilization": "0.92",
    "hash_block_size": "None",
    "is_attention_free": "False",
    "kv_cache_dtype_skip_layers": "[]",
    "kv_cache_layout": "None",
    "kv_cache_memory_bytes": "None",
    "kv_offloading_backend": "native",
    "kv_offloading_size": "None",
    "kv_sharing_fast_prefill": "False",
    "mamba_block_size": "None",
    "mamba_cache_dtype": "auto",
    "mamba_cache_mode": "none",
    "mamba_page_size_padded": "None",
    "mamba_ssm_cache_dtype": "auto",
    "num_cpu_blocks": "None",
    "num_gpu_blocks_override": "None",
    "prefix_cache_retention_interval": "0",
    "prefix_caching_hash_algo": "sha256",
    "prefix_match_unit": "None",
    "replayssm_buffer_len": "16",
    "skip_page_size_padded": "None",
    "sliding_window": "None",
    "swa_bounded_replay": "True",
    "use_kda_recoverssm": "False",
    "use_replayssm": "False",
    "user_specified_block_size": "False",
}
"""Fields that this engine leaves as vLLM 0.32 sets them."""


def cache_config(size: EngineSize) -> list[str]:
    """HELP, TYPE and a sample for each core of a V1 0.32 engine."""
    labels = {
        **DEFAULTS,
        "block_size": str(size.block_size),
        "effective_attention_block_size": str(size.block_size),
        "enable_prefix_caching": str(size.prefix_caching),
        "kv_cache_max_concurrency": str(round(size.pool_tokens / size.max_model_len, 2)),
        "kv_cache_size_tokens": str(size.pool_tokens),
        # One block more than can be used: vLLM keeps a null block.
        "num_gpu_blocks": str(size.num_blocks + 1),
    }
    return _info(*({**labels, "engine": str(rank)} for rank in range(size.data_parallel)))


def cache_config_v0(size: EngineSize) -> list[str]:
    """HELP, TYPE and sample of a V0 0.6.6 engine."""
    labels = {
        "block_size": str(size.block_size),
        "cache_dtype": "auto",
        "cpu_offload_gb": "0",
        "enable_prefix_caching": str(size.prefix_caching),
        "gpu_memory_utilization": "0.9",
        "is_attention_free": "False",
        "num_cpu_blocks": str(size.swap_blocks),
        "num_gpu_blocks": str(size.num_blocks),
        "num_gpu_blocks_override": "None",
        "sliding_window": "None",
        "swap_space_bytes": str(size.swap_blocks * 5 * 1024 * 1024),
    }
    return _info(labels)


def _info(*children: dict[str, str]) -> list[str]:
    return [
        "# HELP vllm:cache_config_info Cache configuration, in the labels",
        "# TYPE vllm:cache_config_info gauge",
        *(f"{series('vllm:cache_config_info', labels)} 1.0" for labels in children),
    ]
