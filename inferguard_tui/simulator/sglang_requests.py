"""SGLang's HTTP and tokenizer side: latencies, and token counters that move only when a request ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.simulator import edges
from inferguard_tui.simulator.sglang_tokens import LazyCounters

if TYPE_CHECKING:
    from inferguard_tui.simulator.metrics import Family, Histogram, Labels, Page, Value
    from inferguard_tui.simulator.request import Request
    from inferguard_tui.simulator.step import Step

REQUEST_CPU_S = 1.5e-3
TOKEN_CPU_S = 40e-6


class TokenizerMetrics:
    """Children are split by `is_streaming` where 0.5.23 splits them, and appear with their first event."""

    def __init__(self, page: Page, engine: Labels) -> None:
        self._engine = engine
        self._requests_seen = 0
        self._tokens_seen = 0
        self._children: dict[tuple[str, bool], Histogram] = {}
        self._families: dict[str, tuple[Family, tuple[float, ...]]] = {}
        for name, words, bounds in (
            ("time_to_first_token_seconds", "Time to first token", edges.SGLANG_TTFT),
            ("e2e_request_latency_seconds", "Request latency", edges.SGLANG_E2E),
            ("request_time_per_output_token_seconds", "Decode time per token", edges.SGLANG_ITL),
        ):
            self._families[name] = (page.family(f"sglang:{name}", "histogram", words), bounds)
        self._itl = self._plain(page, "inter_token_latency_seconds", "Inter-token latency", edges.SGLANG_ITL)
        tokens = edges.SGLANG_TOKENS
        self._prompt_length = self._plain(page, "prompt_tokens_histogram", "Prompt tokens", tokens)
        self._uncached = self._plain(
            page, "uncached_prompt_tokens_histogram", "Uncached prompt tokens", tokens
        )
        self._generation_length = self._plain(page, "generation_tokens_histogram", "Generated tokens", tokens)

        def lazy(name: str, words: str) -> LazyCounters:
            return LazyCounters(page.family(f"sglang:{name}", "counter", words), engine)

        self._prompt = lazy("prompt_tokens_total", "Prompt tokens of finished requests")
        self._generation = lazy("generation_tokens_total", "Generated tokens of finished requests")
        self._requests = lazy("num_requests_total", "Finished requests")
        self._cached = lazy("cached_tokens_total", "Cached prompt tokens of finished requests")
        self._aborted = lazy("num_aborted_requests_total", "Aborted requests")
        cpu = page.family("sglang:process_cpu_seconds_total", "counter", "CPU seconds by component")
        self._tokenizer_cpu = cpu.value({"component": "tokenizer"})
        self._detokenizer_cpu = cpu.value({"component": "detokenizer"})

    def stepped(self, step: Step) -> None:
        self._tokens_seen += step.generated
        for request in step.first_tokens:
            if request.streaming:
                self._observe("time_to_first_token_seconds", request, step.ended_at - request.arrived_at)
        for gap, count in step.gaps.items():
            self._itl.observe(gap, count)
        for request in step.finished:
            self._finished(request, step.ended_at)

    def aborted(self) -> None:
        self._aborted.add(1)

    def update_cpu(self) -> None:
        self._tokenizer_cpu.value = round(REQUEST_CPU_S * self._requests_seen, 2)
        self._detokenizer_cpu.value = round(TOKEN_CPU_S * self._tokens_seen, 2)

    def _finished(self, request: Request, now: float) -> None:
        assert request.first_token_at is not None
        self._requests_seen += 1
        streaming = str(request.streaming).lower()
        if not request.streaming:
            # Without streaming the first output leaves with the answer, and that is what is timed.
            self._observe("time_to_first_token_seconds", request, now - request.arrived_at)
        self._observe("e2e_request_latency_seconds", request, now - request.arrived_at)
        if request.generated > 1:
            per_token = (now - request.first_token_at) / (request.generated - 1)
            self._observe("request_time_per_output_token_seconds", request, per_token)
        self._prompt_length.observe(request.prompt_tokens)
        self._uncached.observe(request.prompt_tokens - request.cached_tokens)
        self._generation_length.observe(request.generated)
        self._prompt.add(request.prompt_tokens, is_streaming=streaming)
        self._generation.add(request.generated, is_streaming=streaming)
        self._requests.add(1, is_streaming=streaming)
        self._cached.add(request.cached_tokens, cache_source="device")

    def _observe(self, name: str, request: Request, value: float) -> None:
        child = self._children.get((name, request.streaming))
        if child is None:
            family, bounds = self._families[name]
            labels = {**self._engine, "is_streaming": str(request.streaming).lower()}
            child = self._children[name, request.streaming] = family.histogram(labels, bounds, sum_first=True)
        child.observe(value)

    def _plain(self, page: Page, name: str, words: str, bounds: tuple[float, ...]) -> Histogram:
        family = page.family(f"sglang:{name}", "histogram", words)
        return family.histogram(self._engine, bounds, sum_first=True)


class HttpMetrics:
    """HTTP requests by endpoint. `http_requests_active` is the one number a frozen scheduler cannot stop."""

    def __init__(self, page: Page) -> None:
        self._active_family = page.family("sglang:http_requests_active", "gauge", "HTTP requests in flight")
        self._active: dict[tuple[str, str], Value] = {}
        self._requests = LazyCounters(
            page.family("sglang:http_requests_total", "counter", "HTTP requests by endpoint"), {}
        )
        self._responses = LazyCounters(
            page.family("sglang:http_responses_total", "counter", "HTTP responses by endpoint and status"), {}
        )
        keys = page.family("sglang:routing_keys_active", "gauge", "Routing keys with active requests")
        keys.value({})

    def accepted(self, endpoint: str, *, method: str = "POST") -> None:
        self._requests.add(1, endpoint=endpoint, method=method)
        child = self._active.get((endpoint, method))
        if child is None:
            child = self._active_family.value({"endpoint": endpoint, "method": method})
            self._active[endpoint, method] = child
        child.value += 1

    def closed(self, endpoint: str, status: int = 200, *, method: str = "POST") -> None:
        self._active[endpoint, method].value -= 1
        self._responses.add(1, endpoint=endpoint, method=method, status_code=str(status))
