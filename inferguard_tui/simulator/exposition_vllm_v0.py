"""The page of a vLLM V0 engine, 0.6.6 in one process: other gauges, swap, no `_created`, no `engine` label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.simulator import edges
from inferguard_tui.simulator.metrics import Histogram, Page, Value
from inferguard_tui.simulator.vllm_config import cache_config_v0
from inferguard_tui.simulator.vllm_process import ProcessMetrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_tui.simulator.rank import Rank
    from inferguard_tui.simulator.request import Request
    from inferguard_tui.simulator.scheduler import Scheduler
    from inferguard_tui.simulator.size import EngineSize
    from inferguard_tui.simulator.step import Step

LOCAL_LOGGING_INTERVAL_S = 5.0
"""The throughput gauges are averages over this interval."""


class VllmV0Page:
    """Samples appear with the first iteration, as in the engine; until then there are only headers."""

    version = "0.6.6"

    def __init__(self, size: EngineSize, started_unix: float) -> None:
        page = Page({"model_name": size.model})
        self._page = page
        self._process = ProcessMetrics(page, started_unix)
        self._model = {"model_name": size.model}
        self._open = 0
        self._handled = 0
        self._queries = 0
        self._hits = 0
        self._logged_at: float | None = None
        self._logged_tokens = (0.0, 0.0)
        self._gauges(page, caching=size.prefix_caching)
        self._counters(page)
        self._histograms(page, edges.token_edges(size.max_model_len))
        page.static(cache_config_v0(size))

    def accepted(self, request: Request) -> None:  # noqa: ARG002 - the page shows only the number
        self._open += 1
        self._handled += 1

    def closed(self, request: Request, now: float) -> None:  # noqa: ARG002 - 0.6.6 has no HTTP metrics
        self._open -= 1

    def refused(self, handler: str, status: int) -> None:
        """0.6.6 has no HTTP metrics."""

    def aborted(self, request: Request) -> None:
        """A client that hangs up is counted nowhere."""

    def stepped(self, step: Step, rank: Rank) -> None:
        for request in step.admitted:
            if not request.preemptions:
                self._queries += request.prompt_tokens
                self._hits += request.cached_tokens
        prompts = sum(request.prompt_tokens for request in step.first_tokens)
        self._prompt.value += prompts
        self._generated.value += step.generated
        self._tokens.value += prompts + step.generated
        self._preemptions.value += len(step.preempted)
        self._iteration.observe(prompts + step.generated)
        for request in step.first_tokens:
            self._ttft.observe(step.ended_at - request.arrived_at)
        for gap, count in step.gaps.items():
            self._itl.observe(gap, count)
        for request in step.finished:
            self._finished(request, step.ended_at)
        self._write_gauges(rank.scheduler)
        self._throughput(step.ended_at)

    def idled(self, rank: Rank, now: float) -> None:
        self._write_gauges(rank.scheduler)
        self._throughput(now)

    def text(self, now: float, *, alive_at: Sequence[float]) -> str:  # noqa: ARG002 - part of the protocol
        self._process.update(open_requests=self._open, requests=self._handled, tokens=self._generated.value)
        return self._page.text()

    def _write_gauges(self, scheduler: Scheduler) -> None:
        self._running.value = float(len(scheduler.running))
        self._waiting.value = float(len(scheduler.waiting))
        self._swapped.value = float(scheduler.swapped_requests)
        self._usage.value = scheduler.pool.usage
        self._cpu_usage.value = scheduler.cpu_usage
        if scheduler.size.prefix_caching:
            self._hit_rate.value = self._hits / self._queries if self._queries else 0.0

    def _throughput(self, now: float) -> None:
        if self._logged_at is None:
            self._logged_at = now
            return
        passed = now - self._logged_at
        if passed < LOCAL_LOGGING_INTERVAL_S:
            return
        prompt, generated = self._logged_tokens
        self._prompt_rate.value = (self._prompt.value - prompt) / passed
        self._generation_rate.value = (self._generated.value - generated) / passed
        self._logged_at = now
        self._logged_tokens = (self._prompt.value, self._generated.value)

    def _finished(self, request: Request, now: float) -> None:
        assert request.finish_reason is not None
        assert request.admitted_at is not None
        assert request.first_token_at is not None
        reason = request.finish_reason.value
        if reason not in self._success:
            self._success[reason] = self._successes.value({**self._model, "finished_reason": reason})
        self._success[reason].value += 1
        queued = request.admitted_at - request.queued_at
        for histogram, value in (
            (self._e2e, now - request.arrived_at),
            (self._queue, queued),
            (self._in_queue, queued),
            (self._inference, now - request.admitted_at),
            (self._prefill, request.first_token_at - request.admitted_at),
            (self._decode, now - request.first_token_at),
            (self._prompt_length, request.prompt_tokens),
            (self._generation_length, request.generated),
            (self._max_generation, request.generated),
            (self._n, 1),
            (self._max_tokens, request.max_tokens),
        ):
            histogram.observe(value)

    def _gauges(self, page: Page, *, caching: bool) -> None:
        self._running = page.gauge("vllm:num_requests_running", "Requests running on GPU")
        self._waiting = page.gauge("vllm:num_requests_waiting", "Requests waiting")
        self._swapped = page.gauge("vllm:num_requests_swapped", "Requests swapped to CPU")
        self._usage = page.gauge("vllm:gpu_cache_usage_perc", "GPU KV usage, 1 is full")
        self._cpu_usage = page.gauge("vllm:cpu_cache_usage_perc", "CPU KV usage, 1 is full")
        page.gauge("vllm:cpu_prefix_cache_hit_rate", "CPU prefix cache hit rate; -1 is off", -1.0)
        self._hit_rate = page.gauge(
            "vllm:gpu_prefix_cache_hit_rate",
            "Prefix cache hit rate since start; -1 is off",
            0.0 if caching else -1.0,
        )
        self._prompt_rate = page.gauge("vllm:avg_prompt_throughput_toks_per_s", "Prompt tokens/s")
        self._generation_rate = page.gauge("vllm:avg_generation_throughput_toks_per_s", "Generated tokens/s")

    def _counters(self, page: Page) -> None:
        self._preemptions: Value = page.counter("vllm:num_preemptions_total", "Preemptions")
        self._prompt = page.counter("vllm:prompt_tokens_total", "Prompt tokens processed")
        self._generated = page.counter("vllm:generation_tokens_total", "Tokens generated")
        self._tokens = page.counter("vllm:tokens_total", "Prompt and generated tokens")
        self._successes = page.family("vllm:request_success_total", "counter", "Finished requests by reason")
        self._success: dict[str, Value] = {}

    def _histograms(self, page: Page, tokens: tuple[float, ...]) -> None:
        latency = edges.VLLM_V0_REQUEST

        def histogram(name: str, words: str, bounds: tuple[float, ...]) -> Histogram:
            return page.histogram(f"vllm:{name}", words, bounds)

        self._iteration = histogram("iteration_tokens_total", "Tokens per step", edges.VLLM_V0_ITERATION)
        self._ttft = histogram("time_to_first_token_seconds", "Time to first token", edges.VLLM_V0_TTFT)
        self._itl = histogram("time_per_output_token_seconds", "Inter-token latency", edges.VLLM_V0_ITL)
        self._e2e = histogram("e2e_request_latency_seconds", "Request latency", latency)
        self._queue = histogram("request_queue_time_seconds", "Time queued", latency)
        self._inference = histogram("request_inference_time_seconds", "Time running", latency)
        self._prefill = histogram("request_prefill_time_seconds", "Time in prefill", latency)
        self._decode = histogram("request_decode_time_seconds", "Time in decode", latency)
        self._in_queue = histogram("time_in_queue_requests", "Time queued, older name", latency)
        self._prompt_length = histogram("request_prompt_tokens", "Prompt tokens per request", tokens)
        self._generation_length = histogram(
            "request_generation_tokens", "Generated tokens per request", tokens
        )
        self._max_generation = histogram(
            "request_max_num_generation_tokens", "Longest output asked for", tokens
        )
        self._n = histogram("request_params_n", "Parameter n of requests", edges.VLLM_N)
        self._max_tokens = histogram("request_params_max_tokens", "Parameter max_tokens", tokens)
