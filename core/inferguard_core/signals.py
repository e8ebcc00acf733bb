"""The vocabulary: what a rule, a panel or a JSON field may ask of any engine, whatever it calls it.

Engine tables map exposed names to these; nothing outside `engines/` knows a metric name. A signal that an
engine does not export is absent from a reading, never zero. Families that no rule needs keep a plain string
id in their engine table; the history keeps only what is listed here, which bounds its memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SignalKind(StrEnum):
    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


class Signal(StrEnum):
    """One quantity of one endpoint, summed or maximised over its models and ranks."""

    KV_USAGE = "kv_usage"
    KV_CAPACITY_TOKENS = "kv_capacity_tokens"
    KV_USED_TOKENS = "kv_used_tokens"
    KV_EVICTABLE_TOKENS = "kv_evictable_tokens"
    CPU_CACHE_USAGE = "cpu_cache_usage"
    RUNNING = "running"
    WAITING = "waiting"
    WAITING_CAPACITY = "waiting_capacity"
    WAITING_DEFERRED = "waiting_deferred"
    SWAPPED = "swapped"
    PREEMPTIONS = "preemptions"
    FINISHED = "finished"
    FINISHED_ABORT = "finished_abort"
    FINISHED_ERROR = "finished_error"
    REJECTED = "rejected"
    PROMPT_TOKENS = "prompt_tokens"
    PROMPT_TOKENS_COMPUTED = "prompt_tokens_computed"
    GENERATION_TOKENS = "generation_tokens"
    GENERATION_THROUGHPUT = "generation_throughput"
    ENGINE_STEPS = "engine_steps"
    PREFIX_QUERIES = "prefix_queries"
    PREFIX_HITS = "prefix_hits"
    PREFIX_HIT_RATE = "prefix_hit_rate"
    EVICTED_TOKENS = "evicted_tokens"
    NEW_TOKEN_RATIO = "new_token_ratio"  # noqa: S105 - of scheduling
    SPEC_DRAFTS = "spec_drafts"
    SPEC_DRAFT_TOKENS = "spec_draft_tokens"
    SPEC_ACCEPTED_TOKENS = "spec_accepted_tokens"
    SPEC_ACCEPT_RATE = "spec_accept_rate"
    SPEC_ACCEPT_LENGTH = "spec_accept_length"
    OFFLOAD_FAILURES = "offload_failures"
    SCHEDULER_SECONDS = "scheduler_seconds"
    PROCESS_START = "process_start"
    OPEN_FDS = "open_fds"
    HTTP_ACTIVE = "http_active"
    HTTP_2XX = "http_2xx"
    HTTP_4XX = "http_4xx"
    HTTP_5XX = "http_5xx"
    AWAKE = "awake"
    TTFT = "ttft"
    ITL = "itl"
    E2E = "e2e"
    QUEUE_TIME = "queue_time"
    REQUEST_PROMPT_TOKENS = "request_prompt_tokens"
    REQUEST_GENERATION_TOKENS = "request_generation_tokens"
    KV_IDLE_BEFORE_EVICT = "kv_idle_before_evict"


@dataclass(frozen=True, slots=True)
class SignalInfo:
    """What a signal means, independent of engine."""

    kind: SignalKind
    unit: str
    """`ratio` (0 to 1), `tokens`, `requests`, `seconds`, `unix_seconds`, `tokens/s` or `1`."""
    meaning: str


_G, _C, _H = SignalKind.GAUGE, SignalKind.COUNTER, SignalKind.HISTOGRAM

SIGNALS: dict[Signal, SignalInfo] = {
    Signal.KV_USAGE: SignalInfo(
        _G, "ratio", "KV pool held by live requests, worst rank; reusable cache counts as free"
    ),
    Signal.KV_CAPACITY_TOKENS: SignalInfo(_G, "tokens", "size of the KV pool, all data-parallel ranks"),
    Signal.KV_USED_TOKENS: SignalInfo(_G, "tokens", "KV tokens held by live requests"),
    Signal.KV_EVICTABLE_TOKENS: SignalInfo(_G, "tokens", "KV tokens of reusable prefix cache"),
    Signal.CPU_CACHE_USAGE: SignalInfo(_G, "ratio", "swap space of a vLLM V0 engine"),
    Signal.RUNNING: SignalInfo(_G, "requests", "requests in execution batches"),
    Signal.WAITING: SignalInfo(_G, "requests", "requests queued for admission"),
    Signal.WAITING_CAPACITY: SignalInfo(_G, "requests", "queued because the engine is full"),
    Signal.WAITING_DEFERRED: SignalInfo(_G, "requests", "queued for another reason than capacity"),
    Signal.SWAPPED: SignalInfo(_G, "requests", "requests swapped to host memory (vLLM V0)"),
    Signal.PREEMPTIONS: SignalInfo(
        _C, "requests", "running requests thrown back to the queue (SGLang: retractions)"
    ),
    Signal.FINISHED: SignalInfo(_C, "requests", "requests finished, whatever the reason"),
    Signal.FINISHED_ABORT: SignalInfo(_C, "requests", "requests that ended by an abort"),
    Signal.FINISHED_ERROR: SignalInfo(_C, "requests", "requests that ended by an engine error"),
    Signal.REJECTED: SignalInfo(_C, "requests", "requests refused at admission"),
    Signal.PROMPT_TOKENS: SignalInfo(_C, "tokens", "prompt tokens, cached ones included"),
    Signal.PROMPT_TOKENS_COMPUTED: SignalInfo(
        _C, "tokens", "prompt tokens computed here, cached ones excluded"
    ),
    Signal.GENERATION_TOKENS: SignalInfo(_C, "tokens", "tokens generated"),
    Signal.GENERATION_THROUGHPUT: SignalInfo(
        _G, "tokens/s", "the engine's own figure, where no live counter exists"
    ),
    Signal.ENGINE_STEPS: SignalInfo(_C, "1", "scheduler steps that produced output"),
    Signal.PREFIX_QUERIES: SignalInfo(
        _C, "tokens", "prompt tokens looked up in the prefix cache (blocks before vLLM 0.9)"
    ),
    Signal.PREFIX_HITS: SignalInfo(
        _C, "tokens", "prompt tokens found in the prefix cache (blocks before vLLM 0.9)"
    ),
    Signal.PREFIX_HIT_RATE: SignalInfo(
        _G, "ratio", "the engine's own hit rate; lifetime or last batch, never alerted on"
    ),
    Signal.EVICTED_TOKENS: SignalInfo(_C, "tokens", "prefix-cache tokens evicted"),
    Signal.NEW_TOKEN_RATIO: SignalInfo(
        _G, "ratio", "share of max_new_tokens that SGLang reserves at admission"
    ),
    Signal.SPEC_DRAFTS: SignalInfo(_C, "1", "speculative drafts"),
    Signal.SPEC_DRAFT_TOKENS: SignalInfo(_C, "tokens", "speculative tokens drafted"),
    Signal.SPEC_ACCEPTED_TOKENS: SignalInfo(_C, "tokens", "speculative tokens accepted"),
    Signal.SPEC_ACCEPT_RATE: SignalInfo(_G, "ratio", "the engine's own acceptance rate"),
    Signal.SPEC_ACCEPT_LENGTH: SignalInfo(_G, "tokens", "tokens per verify step, bonus token included"),
    Signal.OFFLOAD_FAILURES: SignalInfo(_C, "1", "KV offload or transfer failures and drops"),
    Signal.SCHEDULER_SECONDS: SignalInfo(
        _C, "seconds", "the scheduler's own clock: 1 s per second while its loop lives"
    ),
    Signal.PROCESS_START: SignalInfo(_G, "unix_seconds", "start time of the API server process"),
    Signal.OPEN_FDS: SignalInfo(_G, "1", "open descriptors of the API server process"),
    Signal.HTTP_ACTIVE: SignalInfo(_G, "requests", "HTTP requests in flight on generation routes"),
    Signal.HTTP_2XX: SignalInfo(_C, "requests", "generation calls answered 2xx"),
    Signal.HTTP_4XX: SignalInfo(_C, "requests", "generation calls answered 4xx"),
    Signal.HTTP_5XX: SignalInfo(_C, "requests", "generation calls answered 5xx"),
    Signal.AWAKE: SignalInfo(_G, "1", "1 awake, 0 asleep"),
    Signal.TTFT: SignalInfo(_H, "seconds", "time to first token"),
    Signal.ITL: SignalInfo(_H, "seconds", "inter-token latency"),
    Signal.E2E: SignalInfo(_H, "seconds", "request latency, counted when the request ends"),
    Signal.QUEUE_TIME: SignalInfo(_H, "seconds", "time queued; vLLM counts it when the request ends"),
    Signal.REQUEST_PROMPT_TOKENS: SignalInfo(_H, "tokens", "prompt length of finished requests"),
    Signal.REQUEST_GENERATION_TOKENS: SignalInfo(_H, "tokens", "output length of finished requests"),
    Signal.KV_IDLE_BEFORE_EVICT: SignalInfo(
        _H, "seconds", "how long sampled blocks of the prefix cache had been idle when they were evicted"
    ),
}
