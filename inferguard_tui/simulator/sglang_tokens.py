"""SGLang's scheduler-side counters: live tokens, prefix hits, evictions, retractions, queueing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from inferguard_tui.simulator import edges

if TYPE_CHECKING:
    from inferguard_tui.simulator.metrics import Family, Labels, Page, Value
    from inferguard_tui.simulator.scheduler import Scheduler
    from inferguard_tui.simulator.step import Step

EVICTION_PASS_S = 1e-4
EVICTED_BLOCK_S = 2e-6
TOKENISED_TOKEN_S = 2e-7
CACHE = {"cache_type": "UnifiedRadixCache", "pp_rank": "0", "tp_rank": "0"}
"""Labels that the radix cache's own families carry instead of the engine's."""


class LazyCounters:
    """The children of one counter family, each absent until it first counts."""

    def __init__(self, family: Family, common: Labels) -> None:
        self._family = family
        self._common = common
        self._children: dict[tuple[str, ...], Value] = {}

    def add(self, amount: float, **labels: str) -> None:
        if not amount:
            return
        key = tuple(labels.values())
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._family.value({**self._common, **labels})
        child.value += amount


def _lazy(page: Page, name: str, words: str) -> LazyCounters:
    return LazyCounters(page.family(f"sglang:{name}", "counter", words), page.common)


class TokenCounters:
    """`realtime_tokens_total` is flushed at reports, as in the engine; the rest moves with its event."""

    def __init__(self, page: Page, block_size: int) -> None:
        self._block_size = block_size
        self._evictions = (0, 0)
        self._pending: dict[str, int] = {}
        common = page.common

        lazy = partial(_lazy, page)
        effective = page.family(
            "sglang:prefill_effective_tokens_total", "counter", "Prefill tokens without retracted re-runs"
        )
        self._effective = {
            mode: effective.value({**common, "mode": mode})
            for mode in ("input", "device_hit", "host_hit", "storage_hit")
        }
        self._passes = lazy("cuda_graph_passes_total", "Forward passes by CUDA graph mode")
        self._realtime = lazy("realtime_tokens_total", "Tokens processed, live")
        self._retracted = lazy("num_retracted_requests_total", "Retracted requests")
        self._retracted_input = lazy("num_retracted_input_tokens_total", "Input tokens of retracted requests")
        self._retracted_output = lazy(
            "num_retracted_output_tokens_total", "Output tokens of retracted requests"
        )
        cache = {**CACHE, "dp_rank": common.get("dp_rank", "0")}
        self._evicted = LazyCounters(
            page.family("sglang:evicted_tokens_total", "counter", "KV tokens evicted"), cache
        )
        self._eviction_family = page.family(
            "sglang:eviction_duration_seconds", "histogram", "Duration of an eviction pass"
        )
        self._eviction = self._eviction_family.histogram(cache, edges.SGLANG_EVICTION, sum_first=True)
        self._queue = page.histogram("sglang:queue_time_seconds", "Time queued", edges.SGLANG_QUEUE)
        stages = page.family("sglang:per_stage_req_latency_seconds", "histogram", "Request latency by stage")
        self._stages = {
            stage: stages.histogram({**common, "stage": stage}, edges.sglang_stages(), sum_first=True)
            for stage in ("request_process", "prefill_forward")
        }

    def stepped(self, step: Step, scheduler: Scheduler) -> None:
        if step.prefills:
            self._prefilled(step)
        else:
            self._passes.add(1, mode="decode_cuda_graph")
            self._count("decode", step.generated)
        for victim in step.preempted:
            self._retracted.add(1)
            self._retracted_input.add(victim.prompt_tokens)
            self._retracted_output.add(victim.generated)
        for request in step.first_tokens:
            assert request.admitted_at is not None
            self._stages["prefill_forward"].observe(step.ended_at - request.admitted_at)
        self._evict(scheduler)

    def flush(self) -> None:
        """Publish the live token counts; done with each report."""
        for mode, tokens in self._pending.items():
            self._realtime.add(tokens, mode=mode)
        self._pending.clear()

    def _prefilled(self, step: Step) -> None:
        self._passes.add(1, mode="prefill_none")
        self._count("prefill_compute", step.prefill_tokens)
        self._count("prefill_cache", step.hit_tokens)
        for request, tokens in step.prefills:
            if not request.preemptions:
                self._effective["input"].value += tokens
        for request in step.admitted:
            if not request.preemptions:
                self._effective["device_hit"].value += request.cached_tokens
                self._queue.observe(step.started_at - request.queued_at)
                self._stages["request_process"].observe(request.prompt_tokens * TOKENISED_TOKEN_S)

    def _count(self, mode: str, tokens: int) -> None:
        self._pending[mode] = self._pending.get(mode, 0) + tokens

    def _evict(self, scheduler: Scheduler) -> None:
        blocks, passes = scheduler.pool.evictions, scheduler.pool.eviction_passes
        new_blocks, new_passes = blocks - self._evictions[0], passes - self._evictions[1]
        self._evictions = (blocks, passes)
        if new_passes:
            self._evicted.add(new_blocks * self._block_size)
            seconds = EVICTION_PASS_S + EVICTED_BLOCK_S * new_blocks / new_passes
            self._eviction.observe(seconds, new_passes)
