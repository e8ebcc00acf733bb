"""vLLM's server flags that a fix may name.

Defaults and choices: `vllm serve` of 0.32 and 0.33 (engine/arg_utils.py, config/cache.py, config/scheduler.py).
Ranges of versions: presence in the argument parser of 56 releases from 0.3.3 to 0.33.0; a flag that came or went
in a release between two examined ones carries the later of them.
"""

from __future__ import annotations

from typing import Final

from inferguard_core.reading import Engine
from inferguard_core.remediation.flag import Choice, Flag, FlagTable

_FLAGS: Final = (
    Flag(
        "--gpu-memory-utilization",
        "0.92 (0.9 up to 0.19)",
        "more KV pool: raise; out of memory: lower",
        low=0.01,
        high=1.0,
        whole=False,
        exposed="gpu_memory_utilization",
    ),
    Flag(
        "--max-num-seqs",
        "1024 on GPUs of 70 GiB and more (not A100), else 256",
        "preemption: lower; a queue beside a free pool: raise",
        low=1,
    ),
    Flag(
        "--max-num-batched-tokens",
        "16384 from 160 GiB, 8192 from 70 GiB (not A100), else 2048",
        "time to first token: raise; inter-token latency: lower",
        low=1,
    ),
    Flag(
        "--watermark",
        "0.0",
        "preemption: keeps blocks free for requests that already run",
        since="0.24.0",
        low=0.0,
        high=0.99,
        whole=False,
    ),
    Flag(
        "--kv-cache-dtype",
        "auto",
        "twice the tokens in the same memory",
        choices=(Choice("auto"), Choice("fp8", "0.4.1")),
        exposed="cache_dtype",
    ),
    Flag(
        "--kv-offloading-size",
        "off",
        "a host tier, GiB over all tensor-parallel ranks, for KV that is evicted",
        since="0.11.1",
        low=0.1,
        whole=False,
        exposed="kv_offloading_size",
    ),
    Flag(
        "--max-num-queued-reqs",
        "off",
        "bounds the queue: what would wait too long is refused with 503 at once",
        since="0.29.0",
        low=1,
    ),
    Flag(
        "--long-prefill-token-threshold",
        "0 (off)",
        "long prompts that starve short ones",
        since="0.7.3",
        low=0,
    ),
    Flag(
        "--speculative-config",
        "off",
        "low acceptance: a shorter draft, or none",
        since="0.8.2",
        json=True,
    ),
    Flag(
        "--num-speculative-tokens",
        "off",
        "low acceptance: a shorter draft",
        since="0.5.3",
        removed="0.8.3",
        low=1,
    ),
    Flag(
        "--swap-space",
        "4",
        "GiB a GPU for swapped-out requests; only V0 heeds it",
        removed="0.18.0",
        generation="V0",
        low=0.0,
        whole=False,
        exposed="swap_space",
    ),
)

VLLM: Final = FlagTable(Engine.VLLM, "0.33.0", "0.3.3", {f.name: f for f in _FLAGS})
