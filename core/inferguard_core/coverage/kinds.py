"""Every anomaly kind: what it is and what it rests on.

The versions are not here: a row names the metrics it turns on, and the engine tables say when those came.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from inferguard_core.detect.errors import INPUTS as ERROR_INPUTS
from inferguard_core.detect.progress import PROGRESS
from inferguard_core.detect.swap import INPUTS as SWAP_INPUTS
from inferguard_core.signals import Signal

S = Signal


class Status(StrEnum):
    DETECTED = "detected"
    APPROXIMATED = "approximated"
    NOT_COVERED = "not covered"


@dataclass(frozen=True, slots=True)
class Sight:
    """One anomaly kind."""

    kind: str
    what: str
    inputs: tuple[tuple[S, ...], ...] = ()
    """Any of these sets lets the rule see; none: it needs no metric."""
    besides: tuple[tuple[S, ...], ...] = ()
    """Of each of these groups one, for the rule to be able to fire."""
    helped_by: tuple[S, ...] = ()
    """Used where they are exported."""


SIGHTS: Final = (
    Sight("endpoint_down", "polls fail: refused, timed out, 5xx, or no exposition"),
    Sight("engine_restart", "a new process answers", helped_by=(S.PROCESS_START,)),
    Sight(
        "stall",
        "no progress while something shows that requests are there",
        tuple((s,) for s in PROGRESS),
        ((S.SCHEDULER_SECONDS, S.HTTP_ACTIVE, S.RUNNING, S.WAITING, S.OPEN_FDS),),
        (S.AWAKE, S.KV_USAGE),
    ),
    Sight(
        "traffic_stopped",
        "no progress after traffic, and nothing piles up",
        tuple((s,) for s in PROGRESS),
        ((S.FINISHED,),),
        (S.RUNNING, S.WAITING, S.HTTP_ACTIVE, S.AWAKE),
    ),
    Sight(
        "request_errors",
        "errors, aborts, refusals, 5xx and clients that hung up ÷ all requests",
        tuple((s,) for s in ERROR_INPUTS),
        ((S.FINISHED, S.HTTP_2XX),),
        (S.REJECTED, S.HTTP_4XX),
    ),
    Sight(
        "queue_growth",
        "a queue that grows, or whose wait eats up the objective",
        ((S.WAITING,),),
        helped_by=(S.FINISHED, S.RUNNING),
    ),
    Sight("ttft_high", "first tokens over the objective, or far over their own past", ((S.TTFT,),)),
    Sight("itl_high", "the same of the time between tokens", ((S.ITL,),)),
    Sight(
        "preemption",
        "running requests thrown back to the queue (SGLang: retracted)",
        ((S.PREEMPTIONS,),),
        helped_by=(S.FINISHED,),
    ),
    Sight(
        "swap",
        "requests swapped to the host, failures of offload tiers and KV transfers",
        tuple((s,) for s in SWAP_INPUTS),
    ),
    Sight(
        "throughput_drop",
        "tokens per running request far below normal",
        ((S.RUNNING, S.GENERATION_TOKENS),),
        helped_by=(S.ITL,),
    ),
    Sight(
        "decode_drift",
        "decoding lastingly slower than before at like batch size",
        ((S.ITL,),),
        helped_by=(S.PROMPT_TOKENS_COMPUTED,),
    ),
    Sight(
        "spec_acceptance_drop",
        "speculated tokens that are not accepted",
        ((S.SPEC_ACCEPTED_TOKENS, S.SPEC_DRAFT_TOKENS), (S.SPEC_ACCEPT_RATE,)),
    ),
    Sight(
        "prefix_thrash",
        "prompts no longer found because the pool was needed for others",
        ((S.PREFIX_HITS, S.PREFIX_QUERIES),),
        ((S.KV_USAGE, S.EVICTED_TOKENS, S.KV_CAPACITY_TOKENS),),
        (S.PROMPT_TOKENS_COMPUTED, S.GENERATION_TOKENS),
    ),
    Sight(
        "prefix_hit_drop",
        "hit rate below its own past",
        ((S.PREFIX_HITS, S.PREFIX_QUERIES),),
        helped_by=(S.PROMPT_TOKENS_COMPUTED,),
    ),
    Sight(
        "rank_imbalance",
        "one data-parallel rank full or idle beside the others",
        ((S.KV_USAGE,), (S.RUNNING,)),
        helped_by=(S.WAITING,),
    ),
    Sight("kv_high", "KV usage over its threshold", ((S.KV_USAGE,),)),
    Sight("kv_saturated", "the KV pool is full", ((S.KV_USAGE,),)),
    Sight(
        "kv_exhaustion_forecast",
        "the KV pool will soon be full",
        ((S.KV_USAGE,),),
        helped_by=(S.KV_CAPACITY_TOKENS, S.GENERATION_TOKENS, S.PROMPT_TOKENS_COMPUTED, S.FINISHED),
    ),
)
