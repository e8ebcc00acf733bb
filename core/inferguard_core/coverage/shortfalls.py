"""What of the anomaly kinds is only approximated, or not seen at all, and why.

A row names what is missing where it applies; the engine tables say in which versions that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from inferguard_core.coverage.kinds import Status
from inferguard_core.detect.limits import Limits
from inferguard_core.reading import Engine
from inferguard_core.signals import Signal

S = Signal


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A part of some kinds that is not seen as it is, and why."""

    kinds: tuple[str, ...]
    status: Status
    reason: str
    part: str = ""
    """Which part of the kind; empty: all of it."""
    engine: Engine | None = None
    """None: every engine."""
    generation: str = ""
    without: tuple[str, ...] = ()
    """Only where none of these signals or exposed names is exported."""
    given: tuple[str, ...] = ()
    """Only where all of these are."""
    before: str = ""
    """Only before this version, where what changed is no name."""


_LIVE_TOKENS: Final = "sglang:realtime_tokens_total"
_PREFIX: Final = ("prefix_hit_drop", "prefix_thrash")
_SEEN, _UNSEEN = Status.APPROXIMATED, Status.NOT_COVERED

SHORTFALLS: Final = (
    Shortfall(
        ("engine_restart",),
        _SEEN,
        "no start time is exported: told by counters that fall, so a restart that passes its old counts between "
        "two polls is missed",
        engine=Engine.SGLANG,
    ),
    Shortfall(
        ("engine_restart",),
        _SEEN,
        "a multiprocess server exports no start time: told by counters that fall",
        "several API server processes",
        Engine.VLLM,
    ),
    Shortfall(
        ("stall", "traffic_stopped", "throughput_drop"),
        _SEEN,
        "token counters step only when a request ends: tokens are the count of observed inter-token latencies",
        engine=Engine.SGLANG,
        without=(_LIVE_TOKENS,),
    ),
    Shortfall(
        ("stall",),
        _UNSEEN,
        "gauges of an idle server are up to 30 s old there, and nothing else tells idle from frozen",
        f"the first {Limits().stall_idle_gauge_s:g} s",
        Engine.SGLANG,
        without=(S.HTTP_ACTIVE, S.SCHEDULER_SECONDS),
    ),
    Shortfall(
        ("stall",),
        _UNSEEN,
        "every series reads as idle",
        "a core frozen while idle",
        Engine.SGLANG,
        without=(S.HTTP_ACTIVE, S.SCHEDULER_SECONDS),
    ),
    Shortfall(
        ("stall",),
        _SEEN,
        "its gauges read as idle: told by open descriptors of the API server, about one a waiting client; "
        "a multiprocess server exports none",
        "a core frozen while idle",
        Engine.VLLM,
    ),
    Shortfall(
        ("request_errors",),
        _SEEN,
        "they are often not counted as aborts: calls answered 2xx minus requests finished",
        "clients that hung up",
        Engine.VLLM,
        given=(S.HTTP_2XX, S.FINISHED),
    ),
    Shortfall(
        ("request_errors",),
        _UNSEEN,
        "they are often not counted as aborts, and HTTP answers are not counted at all",
        "clients that hung up",
        Engine.VLLM,
        without=(S.HTTP_2XX,),
    ),
    Shortfall(
        ("request_errors",),
        _UNSEEN,
        "the finish reason `error` does not exist; a 5xx is seen where HTTP answers are counted",
        "engine errors",
        Engine.VLLM,
        without=(S.FINISHED_ERROR,),
    ),
    Shortfall(
        ("request_errors",),
        _SEEN,
        "not counted as such: those answered 5xx",
        "engine errors",
        Engine.SGLANG,
        given=(S.HTTP_5XX,),
    ),
    Shortfall(
        ("request_errors",),
        _UNSEEN,
        "neither errors nor HTTP answers are counted",
        "engine errors",
        Engine.SGLANG,
        without=(S.HTTP_5XX,),
    ),
    Shortfall(
        ("queue_growth",),
        _SEEN,
        "Little's law on the queue: waiting ÷ completions per second",
        "the wait",
        given=(S.FINISHED,),
    ),
    Shortfall(
        ("ttft_high", "itl_high"),
        _SEEN,
        "the objective is moved to an edge of the engine's buckets, and says so; p95 is interpolated between edges",
        "the share over the objective",
    ),
    Shortfall(
        ("ttft_high",),
        _SEEN,
        "their first token is observed at the first flush, up to 50 tokens later",
        "requests that do not stream",
        Engine.SGLANG,
    ),
    Shortfall(
        ("preemption",),
        _SEEN,
        "preemptions × tokens held by a running request, an upper bound",
        "tokens computed again",
        Engine.VLLM,
        given=(S.PREEMPTIONS,),
    ),
    Shortfall(
        ("preemption",),
        _SEEN,
        "retractions × tokens held by a running request, an upper bound",
        "tokens computed again",
        Engine.SGLANG,
        without=("sglang:num_retracted_input_tokens_total",),
        given=(S.PREEMPTIONS,),
    ),
    Shortfall(
        ("preemption",),
        _UNSEEN,
        "no cumulative count; `num_retracted_reqs` shows one report and is overwritten by the next",
        "retractions",
        Engine.SGLANG,
        without=(S.PREEMPTIONS,),
    ),
    Shortfall(
        ("swap",),
        _UNSEEN,
        "pages swapped in stand in /proc/vmstat of the host and in no /metrics",
        "swapping by the host",
    ),
    Shortfall(
        ("decode_drift",),
        _SEEN,
        "Little's law: seconds spent between tokens ÷ seconds",
        "batch size",
        given=(S.ITL,),
    ),
    Shortfall(
        ("decode_drift",),
        _UNSEEN,
        "computed prompt tokens are not counted, so stretches of prefill cannot be left out",
        "decoding apart from prefill",
        without=(S.PROMPT_TOKENS_COMPUTED,),
        given=(S.ITL,),
    ),
    Shortfall(
        ("spec_acceptance_drop",),
        _SEEN,
        "the engine's own rate at its last report, without counts: judged against its baseline only",
        engine=Engine.SGLANG,
    ),
    Shortfall(
        _PREFIX,
        _SEEN,
        "blocks are counted, not tokens: the same share, of coarser parts",
        engine=Engine.VLLM,
        before="0.9.0",
    ),
    Shortfall(
        _PREFIX,
        _SEEN,
        "cached tokens are counted when a request ends, not when it is looked up",
        engine=Engine.SGLANG,
        without=("sglang:prefill_effective_tokens_total",),
    ),
    Shortfall(
        ("prefix_thrash",),
        _SEEN,
        "not counted: the pool turns over, computed and generated tokens per second against its size",
        "evictions",
        Engine.VLLM,
        given=(S.PROMPT_TOKENS_COMPUTED, S.KV_CAPACITY_TOKENS, S.PREFIX_HITS),
    ),
    Shortfall(
        ("prefix_thrash",),
        _SEEN,
        "neither evictions nor computed prompt tokens are counted: prompts that were looked up and not found, "
        "against the pool's size",
        "churn of a pool that reads as empty",
        without=(S.EVICTED_TOKENS, S.PROMPT_TOKENS_COMPUTED),
        given=(S.PREFIX_HITS, S.KV_CAPACITY_TOKENS),
    ),
    Shortfall(
        ("prefix_thrash",),
        _UNSEEN,
        "neither evictions nor the pool size are told: usage over one half is the only sign",
        "churn of a pool that reads as empty",
        without=(S.EVICTED_TOKENS, S.KV_CAPACITY_TOKENS),
        given=(S.PREFIX_HITS,),
    ),
    Shortfall(
        ("rank_imbalance",),
        _UNSEEN,
        "series of the ranks have no `engine` label",
        engine=Engine.VLLM,
        generation="V1",
        before="0.8.3",
    ),
    Shortfall(
        ("rank_imbalance",),
        _UNSEEN,
        "one page holds one engine without ranks",
        engine=Engine.VLLM,
        generation="V0",
    ),
    Shortfall(
        ("rank_imbalance",),
        _UNSEEN,
        "series of the ranks have no `dp_rank` label",
        engine=Engine.SGLANG,
        before="0.4.10",
    ),
    Shortfall(
        ("kv_exhaustion_forecast",),
        _UNSEEN,
        "the pool size is not exported: only the trend of the usage is followed",
        "growth by decoding",
        without=(S.KV_CAPACITY_TOKENS,),
    ),
)
