"""The parts of a vLLM page that its API server process brings along: process, Python and HTTP metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.simulator.edges import HTTP_HIGHR, HTTP_LOWR
from inferguard_tui.simulator.request import FinishReason

if TYPE_CHECKING:
    from inferguard_tui.simulator.metrics import Family, Histogram, Page, Value
    from inferguard_tui.simulator.request import Request

BASE_DESCRIPTORS = 37
"""Libraries, logs, the listening socket and the sockets to the engine core, as an idle 0.32 shows."""
BASE_RESIDENT = 6.2e8
OPEN_REQUEST_BYTES = 24_000
START_CPU_S = 21.0
REQUEST_CPU_S = 1.5e-3
"""Parsing, the chat template and tokenisation."""
TOKEN_CPU_S = 40e-6
"""Detokenisation and one server-sent event."""
TOKENS_PER_COLLECTION = 700
"""Python's first generation is collected about every 700 net allocations; a streamed token leaves one."""
BYTES_PER_TOKEN = 4
"""Of English text, for request sizes."""


class ProcessMetrics:
    """`process_*` and `python_*`, all derived from the requests and tokens the process has handled."""

    def __init__(self, page: Page, started_unix: float) -> None:
        collected = page.family(
            "python_gc_objects_collected_total", "counter", "Objects that the collector freed"
        )
        uncollectable = page.family(
            "python_gc_objects_uncollectable_total", "counter", "Objects that the collector could not free"
        )
        collections = page.family("python_gc_collections_total", "counter", "Collections per generation")
        self._collected = self._generations(collected)
        self._generations(uncollectable)
        self._collections = self._generations(collections)
        info = page.family("python_info", "gauge", "Python that runs the server")
        info.value(
            {
                "implementation": "CPython",
                "major": "3",
                "minor": "12",
                "patchlevel": "11",
                "version": "3.12.11",
            },
            1.0,
        )
        self._virtual = _plain(page, "process_virtual_memory_bytes", "gauge", "Virtual memory in bytes")
        self._resident = _plain(page, "process_resident_memory_bytes", "gauge", "Resident memory in bytes")
        start = _plain(page, "process_start_time_seconds", "gauge", "Unix time the process started")
        start.value = round(started_unix, 2)
        self._cpu = _plain(page, "process_cpu_seconds_total", "counter", "CPU time, user and system")
        self._descriptors = _plain(page, "process_open_fds", "gauge", "Open file descriptors")
        _plain(page, "process_max_fds", "gauge", "Limit of open file descriptors").value = 1048576.0

    def update(self, *, open_requests: int, requests: float, tokens: float) -> None:
        """Set all from what is open now and what was handled since the start."""
        self._descriptors.value = float(BASE_DESCRIPTORS + open_requests)
        self._resident.value = BASE_RESIDENT + OPEN_REQUEST_BYTES * open_requests
        self._virtual.value = self._resident.value + 8.0e9
        self._cpu.value = round(START_CPU_S + REQUEST_CPU_S * requests + TOKEN_CPU_S * tokens, 2)
        runs = tokens // TOKENS_PER_COLLECTION
        for collected, collections in zip(self._collected, self._collections, strict=True):
            collections.value = runs
            collected.value = runs * 8
            runs //= 10

    @staticmethod
    def _generations(family: Family) -> list[Value]:
        # The client library gives these no _created sample.
        family.created_at = None
        return [family.value({"generation": str(generation)}) for generation in range(3)]


def _plain(page: Page, name: str, kind: str, words: str) -> Value:
    family = page.family(name, kind, words)
    family.created_at = None
    return family.value({})


class HttpMetrics:
    """`http_*` of the FastAPI instrumentator. Label sets appear with their first request."""

    def __init__(self, page: Page) -> None:
        self.open = 0
        self._requests = page.family(
            "http_requests_total", "counter", "Requests by method, status and handler"
        )
        self._request_bytes = page.family("http_request_size_bytes", "summary", "Request sizes by handler")
        self._response_bytes = page.family("http_response_size_bytes", "summary", "Response sizes by handler")
        highr = page.family("http_request_duration_highr_seconds", "histogram", "Latency, many buckets")
        self._highr = highr.histogram({}, HTTP_HIGHR)
        self._lowr = page.family("http_request_duration_seconds", "histogram", "Latency by handler")
        self._statuses: dict[tuple[str, str], Value] = {}
        self._sizes: dict[str, tuple[Value, Value, Value, Value]] = {}
        self._durations: dict[str, Histogram] = {}

    def closed(self, request: Request, now: float) -> None:
        """Count an exchange by its status line, which a stream has sent before anything can fail."""
        self.open -= 1
        failed = request.finish_reason is FinishReason.ERROR and not request.streaming
        status = "5xx" if failed else "2xx"
        self._count(
            request.handler, status, request.prompt_tokens * BYTES_PER_TOKEN, now - request.arrived_at
        )

    def refused(self, handler: str, status: int) -> None:
        self._count(handler, f"{status // 100}xx", 0, 0.0)

    def _count(self, handler: str, status: str, request_bytes: int, seconds: float) -> None:
        child = self._statuses.get((handler, status))
        if child is None:
            child = self._requests.value({"handler": handler, "method": "POST", "status": status})
            self._statuses[handler, status] = child
        child.value += 1
        if handler not in self._sizes:
            self._sizes[handler] = (
                *self._request_bytes.summary({"handler": handler}),
                *self._response_bytes.summary({"handler": handler}),
            )
            self._durations[handler] = self._lowr.histogram({"handler": handler, "method": "POST"}, HTTP_LOWR)
        received, received_bytes, sent, _ = self._sizes[handler]
        received.value += 1
        received_bytes.value += request_bytes
        # A streamed answer has no Content-Length, so the instrumentator counts no bytes for it.
        sent.value += 1
        self._highr.observe(seconds)
        self._durations[handler].observe(seconds)
