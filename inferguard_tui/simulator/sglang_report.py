"""SGLang's scheduler gauges. Between two reports they keep the last one, however old it is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from inferguard_tui.simulator.metrics import Page, Value, series

if TYPE_CHECKING:
    from inferguard_tui.simulator.scheduler_sglang import SchedulerSglang
    from inferguard_tui.simulator.size import EngineSize
    from inferguard_tui.simulator.step import Step

KV_BYTES_PER_TOKEN = 327_680
"""80 layers x 8 KV heads x 128 x K and V x 2 bytes."""
WEIGHT_GB = 65.6

REPORTED = {
    "num_running_reqs": "Running requests",
    "num_queue_reqs": "Requests in the waiting queue",
    "num_grammar_queue_reqs": "Requests waiting for a grammar",
    "gen_throughput": "Generated tokens/s since the last decode report",
    "cache_hit_rate": "Prefix cache hit rate of the last prefill batch",
    "decode_sum_seq_lens": "Sum of sequence lengths in decode",
    "token_usage": "Share of the KV pool held by requests, 0 to 1",
    "full_token_usage": "The same for full-attention layers, not rounded",
    "swa_token_usage": "The same for sliding-window layers",
    "mamba_usage": "The same for state-space layers",
    "num_used_tokens": "KV tokens held by requests",
    "kv_available_tokens": "KV token slots without content",
    "kv_evictable_tokens": "KV token slots of reusable prefixes",
    "kv_used_tokens": "KV token slots held by requests",
    "spec_accept_length": "Tokens per verify step, bonus token included",
    "spec_accept_rate": "Share of drafted tokens accepted",
    "spec_num_steps": "Speculative steps",
    "spec_num_draft_tokens": "Draft tokens per verify step",
    "num_prefill_bootstrap_queue_reqs": "Requests in the prefill bootstrap queue",
    "num_prefill_inflight_queue_reqs": "Requests in the prefill inflight queue",
    "num_decode_prealloc_queue_reqs": "Requests in the decode prealloc queue",
    "num_decode_transfer_queue_reqs": "Requests in the decode transfer queue",
    "pending_prealloc_token_usage": "KV share of pending preallocations",
    "utilization": "Utilisation against a limit nobody sets",
    "fwd_occupancy": "Forward pass occupancy in per cent",
    "new_token_ratio": "Share of remaining output reserved at admission",
    "is_cuda_graph": "Whether the batch ran in a CUDA graph",
}


class ReportGauges:
    """The gauges, absent until the first report."""

    def __init__(self, page: Page, size: EngineSize, *, pid: str) -> None:
        self._common = page.common
        self._families = {
            name: page.family(f"sglang:{name}", "gauge", words) for name, words in REPORTED.items()
        }
        self._values: dict[str, Value] = {}
        self._retracted = Value(series("sglang:num_retracted_reqs", {**page.common, "pid": pid}))
        retracted = page.family("sglang:num_retracted_reqs", "gauge", "Requests retracted in the last report")
        retracted.children.append(self._retracted)
        paused = page.family("sglang:num_paused_reqs", "gauge", "Requests paused by a weight update")
        paused.value({**page.common, "pid": pid})
        self._drafts = size.speculative_tokens
        self._accepted = [0, 0]
        self._decoded = 0
        self._decode_reported_at: float | None = None
        self._constants(page, size)

    def stale(self, scheduler: SchedulerSglang) -> bool:
        """Whether the idle engine still shows a running request, or nothing at all yet."""
        running = self._values.get("num_running_reqs")
        return running is None or running.value != len(scheduler.running)

    def decoded(self, step: Step) -> None:
        """Count a decode step towards the next decode report."""
        self._decoded += step.generated
        self._accepted[0] += sum(step.accepted_by_position)
        self._accepted[1] += step.drafts
        if step.preempted:
            # Overwritten, not added to: a second retraction before the report hides the first.
            self._retracted.value = float(len(step.preempted))

    def prefill(self, step: Step, scheduler: SchedulerSglang) -> None:
        """The running batch is reported as it was before the new requests joined it."""
        computed = step.prefill_tokens
        self._set("num_running_reqs", step.running_before)
        self._set("cache_hit_rate", step.hit_tokens / (step.hit_tokens + computed))
        self._set("is_cuda_graph", 0)
        self._shared(scheduler)

    def decode(self, scheduler: SchedulerSglang, now: float) -> None:
        if self._decode_reported_at is not None and now > self._decode_reported_at:
            self._set("gen_throughput", self._decoded / (now - self._decode_reported_at))
        self._decode_reported_at = now
        self._decoded = 0
        self._set("num_running_reqs", len(scheduler.running))
        self._set("decode_sum_seq_lens", sum(r.computed for r in scheduler.running))
        self._set("is_cuda_graph", 1)
        self._shared(scheduler)

    def idle(self, scheduler: SchedulerSglang, now: float) -> None:
        self._set("num_running_reqs", len(scheduler.running))
        self._set("gen_throughput", 0)
        self._decode_reported_at = now
        self._decoded = 0
        self._shared(scheduler)

    def _shared(self, scheduler: SchedulerSglang) -> None:
        pool = scheduler.pool
        held = pool.held * pool.block_size
        self._set("num_queue_reqs", len(scheduler.waiting))
        self._set("token_usage", round(pool.usage, 2))
        self._set("full_token_usage", pool.usage)
        self._set("num_used_tokens", held)
        self._set("kv_used_tokens", held)
        self._set("kv_available_tokens", pool.blank * pool.block_size)
        self._set("kv_evictable_tokens", pool.reusable * pool.block_size)
        self._set("new_token_ratio", scheduler.new_token_ratio)
        accepted, drafts = self._accepted
        if drafts:
            self._set("spec_accept_length", 1 + accepted / drafts)
            self._set("spec_accept_rate", accepted / (drafts * self._drafts))
        self._accepted = [0, 0]
        for name in REPORTED:
            if name not in self._values:
                self._set(name, math.nan if name == "fwd_occupancy" else 0.0)
        self._set("spec_num_steps", self._drafts)
        self._set("spec_num_draft_tokens", self._drafts + 1 if self._drafts else 0)

    def _set(self, name: str, value: float) -> None:
        child = self._values.get(name)
        if child is None:
            child = self._values[name] = self._families[name].value(self._common)
        child.value = float(value)

    @staticmethod
    def _constants(page: Page, size: EngineSize) -> None:
        kv_gb = size.pool_tokens * KV_BYTES_PER_TOKEN / 2**30
        for name, words, value in (
            ("max_total_num_tokens", "KV pool in tokens", size.pool_tokens),
            ("weight_memory_usage_gb", "Weights in GB", WEIGHT_GB),
            ("kv_cache_memory_usage_gb", "KV pool in GB", kv_gb),
            ("page_size", "Tokens per KV page", size.block_size),
            ("num_pages", "KV pages", size.num_blocks),
            ("context_len", "Longest context", size.max_model_len),
        ):
            page.gauge(f"sglang:{name}", words, float(value))
