"""The page of a vLLM V1 engine, 0.32: names, types, labels, buckets and the moment each number moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.simulator.metrics import Page
from inferguard_tui.simulator.vllm_config import cache_config
from inferguard_tui.simulator.vllm_process import HttpMetrics, ProcessMetrics
from inferguard_tui.simulator.vllm_requests import RequestMetrics, SpeculationMetrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_tui.simulator.rank import Rank
    from inferguard_tui.simulator.request import Request
    from inferguard_tui.simulator.scheduler import Scheduler
    from inferguard_tui.simulator.size import EngineSize
    from inferguard_tui.simulator.step import Step

VERSION = "0.32.0"


class VllmCore:
    """What one engine core reports: all `vllm:` families, told apart by the `engine` label."""

    def __init__(self, page: Page, size: EngineSize) -> None:
        self._speculation = (
            SpeculationMetrics(page, size.speculative_tokens) if size.speculative_tokens else None
        )
        self._idle_estimates(page)
        self._scheduler_gauges(page)
        self._cache_counters(page)
        self._token_counters(page)
        self._requests = RequestMetrics(page, size)

    @property
    def generated(self) -> float:
        """Tokens since the start."""
        return self._generated.value

    def stepped(self, step: Step, scheduler: Scheduler) -> None:
        for request in step.admitted:
            if not request.preemptions:
                self._looked_up(request)
        prompts = 0
        for request in step.first_tokens:
            prompts += request.prompt_tokens
            self._prompt_done(request)
        self._generated.value += step.generated
        self._preemptions.value += len(step.preempted)
        self._requests.stepped(step, prompts)
        if self._speculation is not None:
            self._speculation.stepped(step)
        self.gauges(scheduler)

    def gauges(self, scheduler: Scheduler) -> None:
        self._running.value = float(len(scheduler.running))
        self._waiting.value = self._capacity.value = float(len(scheduler.waiting))
        self._usage.value = scheduler.pool.usage

    def _looked_up(self, request: Request) -> None:
        self._queries.value += request.prompt_tokens
        self._hits.value += request.cached_tokens
        self._device_hits.value += request.cached_tokens

    def _prompt_done(self, request: Request) -> None:
        self._prompt.value += request.prompt_tokens
        self._local_compute.value += request.prompt_tokens - request.cached_tokens
        self._local_hit.value += request.cached_tokens
        self._cached.value += request.cached_tokens

    @staticmethod
    def _idle_estimates(page: Page) -> None:
        # Exported by every engine and zero without --enable-mfu-metrics, which this one was not given.
        page.counter("vllm:estimated_flops_per_gpu_total", "Floating point operations per GPU, estimated")
        page.counter("vllm:estimated_read_bytes_per_gpu_total", "Bytes read per GPU, estimated")
        page.counter("vllm:estimated_write_bytes_per_gpu_total", "Bytes written per GPU, estimated")

    def _scheduler_gauges(self, page: Page) -> None:
        self._running = page.gauge("vllm:num_requests_running", "Requests in execution batches")
        self._waiting = page.gauge("vllm:num_requests_waiting", "Requests queued for execution")
        reasons = page.family("vllm:num_requests_waiting_by_reason", "gauge", "Queued requests by reason")
        self._capacity = reasons.value({**page.common, "reason": "capacity"})
        reasons.value({**page.common, "reason": "deferred"})
        sleep = page.family("vllm:engine_sleep_state", "gauge", "1 for the state the engine is in")
        for state, value in (("awake", 1.0), ("weights_offloaded", 0.0), ("discard_all", 0.0)):
            sleep.value({**page.common, "sleep_state": state}, value)
        self._usage = page.gauge("vllm:kv_cache_usage_perc", "Share of KV blocks held by requests, 0 to 1")

    def _cache_counters(self, page: Page) -> None:
        self._queries = page.counter("vllm:prefix_cache_queries_total", "Prompt tokens looked up")
        self._hits = page.counter("vllm:prefix_cache_hits_total", "Prompt tokens found in the prefix cache")
        page.counter(
            "vllm:external_prefix_cache_queries_total", "Prompt tokens looked up through a connector"
        )
        page.counter("vllm:external_prefix_cache_hits_total", "Prompt tokens found through a connector")
        page.counter("vllm:mm_cache_queries_total", "Multi-modal items looked up")
        page.counter("vllm:mm_cache_hits_total", "Multi-modal items found in the cache")

    def _token_counters(self, page: Page) -> None:
        self._preemptions = page.counter("vllm:num_preemptions_total", "Preemptions")
        self._prompt = page.counter("vllm:prompt_tokens_total", "Prompt tokens processed")
        by_source = page.family("vllm:prompt_tokens_by_source_total", "counter", "Prompt tokens by source")
        self._local_compute = by_source.value({**page.common, "source": "local_compute"})
        self._local_hit = by_source.value({**page.common, "source": "local_cache_hit"})
        by_source.value({**page.common, "source": "external_kv_transfer"})
        self._cached = page.counter("vllm:prompt_tokens_cached_total", "Prompt tokens that were cached")
        tiers = page.family(
            "vllm:prompt_tokens_cached_by_source_total", "counter", "Cached prompt tokens by tier"
        )
        self._device_hits = tiers.value({**page.common, "source": "device"})
        for source in ("host", "p2p", "disk", "external_unspecified"):
            tiers.value({**page.common, "source": source})
        self._generated = page.counter("vllm:generation_tokens_total", "Tokens generated")


class VllmPage:
    """Gauges are written once per step; request histograms when a request ends; TTFT and ITL live."""

    version = VERSION

    def __init__(self, size: EngineSize, started_unix: float) -> None:
        page = Page({"model_name": size.model}, created_at=started_unix)
        self._page = page
        self._process = ProcessMetrics(page, started_unix)
        self._cores = [VllmCore(page.rank(engine=str(rank)), size) for rank in range(size.data_parallel)]
        page.static(cache_config(size))
        self._http = HttpMetrics(page)
        self._handled = 0

    def accepted(self, request: Request) -> None:  # noqa: ARG002 - the page shows only the number
        self._http.open += 1
        self._handled += 1

    def closed(self, request: Request, now: float) -> None:
        self._http.closed(request, now)

    def refused(self, handler: str, status: int) -> None:
        self._http.refused(handler, status)

    def aborted(self, request: Request) -> None:
        """A client that hangs up is counted nowhere in vLLM's own metrics."""

    def stepped(self, step: Step, rank: Rank) -> None:
        self._cores[rank.index].stepped(step, rank.scheduler)

    def idled(self, rank: Rank, now: float) -> None:  # noqa: ARG002 - part of the protocol
        self._cores[rank.index].gauges(rank.scheduler)

    def text(self, now: float, *, alive_at: Sequence[float]) -> str:  # noqa: ARG002 - part of the protocol
        tokens = sum(core.generated for core in self._cores)
        self._process.update(open_requests=self._http.open, requests=self._handled, tokens=tokens)
        return self._page.text()
