"""SGLang's server flags that a fix may name.

Defaults and choices: 0.5.23 (srt/arg_groups/fields). Ranges of versions: presence in the argument parser of
0.3.0, 0.3.6, 0.4.1, 0.4.2, 0.4.4, 0.4.6, 0.4.8, 0.4.10, 0.5.1, 0.5.3, 0.5.10, 0.5.13, 0.5.17 and 0.5.23; `since` is
the first of these that has it, so a release in between may have it too and is not offered it.
"""

from __future__ import annotations

from typing import Final

from inferguard_core.reading import Engine
from inferguard_core.remediation.flag import Choice, Flag, FlagTable

_FLAGS: Final = (
    Flag(
        "--mem-fraction-static",
        "by GPU memory",
        "more KV pool: raise; out of memory: lower",
        low=0.01,
        high=0.99,
        whole=False,
        exposed="mem_fraction_static",
    ),
    Flag(
        "--max-running-requests",
        "by pool size",
        "retraction: lower; a queue beside a free pool: raise",
        low=1,
        exposed="max_running_requests",
    ),
    Flag(
        "--max-queued-requests",
        "off",
        "bounds the queue: what would wait too long is refused at once",
        since="0.4.10",
        low=1,
        exposed="max_queued_requests",
    ),
    Flag(
        "--schedule-conservativeness",
        "1.0",
        "retraction: raise; a free pool beside a queue: lower",
        low=0.01,
        high=10.0,
        whole=False,
        exposed="schedule_conservativeness",
    ),
    Flag(
        "--schedule-policy",
        "fcfs (lpm in the oldest)",
        "lpm takes the longest cached prefix first",
        choices=(Choice("fcfs"), Choice("lpm")),
        exposed="schedule_policy",
    ),
    Flag(
        "--chunked-prefill-size",
        "2048 to 8192 by GPU",
        "time to first token: raise; inter-token latency: lower",
        low=1,
        exposed="chunked_prefill_size",
    ),
    Flag(
        "--kv-cache-dtype",
        "auto",
        "twice the tokens in the same memory",
        choices=(Choice("auto"), Choice("fp8_e5m2"), Choice("fp8_e4m3", "0.4.6")),
        exposed="kv_cache_dtype",
    ),
    Flag(
        "--enable-hierarchical-cache",
        "off",
        "a host tier for KV that is evicted",
        since="0.4.4",
        switch=True,
        exposed="enable_hierarchical_cache",
    ),
    Flag(
        "--hicache-ratio",
        "2.0",
        "size of the host tier in device pools",
        since="0.4.6",
        low=1.0,
        whole=False,
        exposed="hicache_ratio",
    ),
    Flag(
        "--speculative-num-steps",
        "by model",
        "low acceptance: fewer steps",
        since="0.4.2",
        low=1,
        exposed="speculative_num_steps",
    ),
    Flag(
        "--speculative-num-draft-tokens",
        "by model",
        "tokens verified a step; one more than the steps where top-k is 1",
        since="0.4.2",
        low=1,
        exposed="speculative_num_draft_tokens",
    ),
    Flag(
        "--speculative-algorithm",
        "off",
        "speculation at all",
        since="0.4.2",
        choices=(Choice("EAGLE"),),
        exposed="speculative_algorithm",
    ),
    Flag(
        "--speculative-adaptive",
        "off",
        "the engine shortens its drafts by itself",
        since="0.5.13",
        switch=True,
        exposed="speculative_adaptive",
    ),
    Flag(
        "--load-balance-method",
        "auto",
        "data-parallel ranks that differ in load",
        since="0.5.10",
        choices=(Choice("auto"), Choice("round_robin"), Choice("total_requests"), Choice("total_tokens")),
        exposed="load_balance_method",
    ),
)

CONTEXT: Final = ("speculative_eagle_topk",)
"""Server arguments that decide between fixes but are no fix themselves."""

SGLANG: Final = FlagTable(Engine.SGLANG, "0.5.23", "0.3.0", {f.name: f for f in _FLAGS})
