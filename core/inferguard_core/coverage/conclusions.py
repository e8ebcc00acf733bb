"""What a cause must see before it is named, and what each action is computed from.

A cause rests on its required conditions. Those stand here with the signals that make them known; an action stands
with the signals its number comes from, and without them it is advised without a number and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from inferguard_core.signals import Signal
from inferguard_core.verdict import ActionType

S = Signal

_POOL: Final = ((S.KV_USAGE,),)

SEEN_AS: Final = {
    "hit_rate_fell": "prefix_hit_drop",
    "swapping": "swap",
    "acceptance_fell": "spec_acceptance_drop",
    "stalled": "stall",
    "restarted": "engine_restart",
    "down": "endpoint_down",
    "crashed_twice": "engine_restart",
    "ranks_apart": "rank_imbalance",
    "itl_tail_up": "itl_high",
    "latency_felt": "ttft_high",
    "queued": "queue_growth",
    "queue_grows": "queue_growth",
}
"""Required condition to the anomaly kind that it is seen with."""

KNOWN_BY: Final[dict[str, tuple[tuple[S, ...], ...]]] = {
    "arrivals_doubled": ((S.FINISHED, S.RUNNING, S.WAITING),),
    "takes_all": ((S.KV_USAGE,),),
    "tokens_held_up": ((S.KV_USAGE, S.KV_CAPACITY_TOKENS, S.RUNNING),),
    "pressed": ((S.KV_USAGE,), (S.PREEMPTIONS,)),
    "fell_low": _POOL,
    "kv_slack": _POOL,
    "at_cap": ((S.RUNNING, S.WAITING),),
    "prompt_rate_at_peak": ((S.PROMPT_TOKENS,),),
    "is_sglang": (),
    "room_with_queue": ((S.KV_USAGE, S.WAITING),),
    "same_shape": ((S.REQUEST_PROMPT_TOKENS,), (S.PROMPT_TOKENS,)),
    "aborted": ((S.FINISHED_ABORT,), (S.HTTP_2XX, S.FINISHED)),
    "failing": ((S.FINISHED_ERROR,), (S.HTTP_5XX,), (S.REJECTED,)),
}
"""Any other required condition to the sets of signals any of which makes it known; empty: it needs no metric."""

REMARKS: Final = {
    "arrival_surge": "arrivals are what finished plus what was added to batch and queue: no engine counts them",
    "long_contexts": "lengths are seen of finished requests only; of running ones their tokens in the pool",
    "kv_exhausted": "SGLang frees what it retracts: there retractions stand for a full pool",
    "sequence_cap": "the cap is the largest batch seen where the engine does not show its limit",
    "compute_bound": "GPU utilisation is not in /metrics: the highest prompt rate seen stands for it",
    "prefill_interference": "from the tail of inter-token latency; no engine says which step a prefill shared",
    "conservative_admission": "SGLang only: vLLM admits by what is used",
    "offload_pressure": "swapping by the host is not seen",
    "shape_crash": "shapes come from length histograms between two polls; max_tokens is not in /metrics",
    "abort_storm": "a release of the clients is not in /metrics and is asked for",
    "rank_imbalance": "needs ranks told apart, see the anomaly",
}
"""What of a cause is inferred rather than measured."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What an action's number is computed from."""

    action: ActionType
    number: str
    inputs: tuple[tuple[S, ...], ...] = ()
    """Any of these sets gives the number; empty: it has none."""
    remark: str = ""


BASES: Final = (
    Basis(
        ActionType.THROTTLE_CONCURRENCY,
        "requests the pool holds (L*), agents by CONCUR, or completions per second",
        ((S.KV_USAGE, S.RUNNING), (S.RUNNING, S.PREFIX_HITS, S.PREFIX_QUERIES), (S.FINISHED,)),
        "enforced at a gateway: no engine changes its limit while it runs",
    ),
    Basis(
        ActionType.RECOMMEND_COMPACTION,
        "tokens a request holds, and what compaction by ten would free",
        ((S.KV_USAGE, S.KV_CAPACITY_TOKENS, S.RUNNING),),
        "research: no released engine loads a compacted cache; what can be done now stands beside it",
    ),
    Basis(
        ActionType.FLUSH_SESSION_RADIX,
        "",
        (),
        "last of its list, and the whole cache goes: neither engine flushes one session",
    ),
    Basis(
        ActionType.SHRINK_SPECULATION_WINDOW,
        "draft length from the acceptance of each position",
        ((S.SPEC_DRAFTS, S.SPEC_DRAFT_TOKENS, S.SPEC_ACCEPTED_TOKENS), (S.SPEC_ACCEPT_LENGTH,)),
        "where positions are not exported, fitted from the mean acceptance",
    ),
    Basis(
        ActionType.QUARANTINE_SHAPE, "the length that came before each crash", ((S.REQUEST_PROMPT_TOKENS,),)
    ),
    Basis(
        ActionType.DRAIN_AND_RECYCLE, "", (), "whether other replicas have room is not seen from one of them"
    ),
)
