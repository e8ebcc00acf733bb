"""Every condition by id, in the order they are judged: a later one may lean on an earlier one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from inferguard_core.diagnose.conditions import latency, lifecycle, load, pool, prefix
from inferguard_core.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_core.diagnose.look import Look
    from inferguard_core.verdict import Condition

S = Signal


class Check(NamedTuple):
    judge: Callable[[Look], Condition]
    lasting: bool
    """It is evidence for the rest of the episode once it was seen; a statement of ease is true only now."""
    needs: tuple[Signal, ...] = ()
    """What would make it known where it is not."""


_HITS = (S.PREFIX_QUERIES, S.PREFIX_HITS)

CONDITIONS: dict[str, Check] = {
    "down": Check(lifecycle.down, True),
    "stalled": Check(lifecycle.stalled, True, (S.GENERATION_TOKENS, S.SCHEDULER_SECONDS, S.OPEN_FDS)),
    "restarted": Check(lifecycle.restarted, True, (S.PROCESS_START,)),
    "not_serving": Check(lifecycle.not_serving, True),
    "asleep": Check(lifecycle.asleep, False, (S.AWAKE,)),
    "loading": Check(lifecycle.loading, False, (S.PROCESS_START,)),
    "drained": Check(lifecycle.drained, True),
    "quiet_crash": Check(lifecycle.quiet_crash, True),
    "crashed_twice": Check(lifecycle.crashed_twice, True),
    "same_shape": Check(lifecycle.same_shape, True, (S.REQUEST_PROMPT_TOKENS,)),
    "arrivals_doubled": Check(load.arrivals_doubled, True, (S.FINISHED, S.RUNNING, S.WAITING)),
    "completions_at_peak": Check(load.completions_at_peak, False, (S.FINISHED,)),
    "prompt_rate_at_peak": Check(load.prompt_rate_at_peak, False, (S.PROMPT_TOKENS,)),
    "queued": Check(load.queued, True, (S.WAITING,)),
    "queue_grows": Check(load.queue_grows, True, (S.WAITING,)),
    "at_cap": Check(load.at_cap, False, (S.RUNNING, S.WAITING)),
    "below_cap": Check(load.below_cap, False, (S.RUNNING,)),
    "few_running": Check(load.few_running, False, (S.RUNNING,)),
    "capped_before": Check(load.capped_before, True, (S.RUNNING, S.WAITING)),
    "tokens_held_up": Check(load.tokens_held_up, True, (S.KV_USAGE, S.KV_CAPACITY_TOKENS, S.RUNNING)),
    "tokens_held_normal": Check(load.tokens_held_normal, False, (S.KV_USAGE, S.KV_CAPACITY_TOKENS)),
    "requests_grew": Check(load.requests_grew, True, (S.KV_USAGE, S.KV_CAPACITY_TOKENS, S.RUNNING)),
    "surged": Check(load.surged, False, (S.FINISHED, S.RUNNING, S.WAITING)),
    "low_load": Check(load.low_load, False, (S.RUNNING, S.WAITING)),
    "preempting": Check(pool.preempting, True, (S.PREEMPTIONS,)),
    "overflowing": Check(pool.overflowing, True, (S.PREEMPTIONS,)),
    "kv_full": Check(pool.kv_full, True, (S.KV_USAGE,)),
    "kv_slack": Check(pool.kv_slack, False, (S.KV_USAGE,)),
    "kv_half": Check(pool.kv_half, True, (S.KV_USAGE,)),
    "kv_low": Check(pool.kv_low, False, (S.KV_USAGE,)),
    "pressed": Check(pool.pressed, True, (S.KV_USAGE, S.PREEMPTIONS)),
    "is_sglang": Check(pool.is_sglang, False),
    "room_with_queue": Check(pool.room_with_queue, True, (S.KV_USAGE, S.WAITING)),
    "prefill_flood": Check(latency.prefill_flood, False, (S.PROMPT_TOKENS_COMPUTED,)),
    "takes_all": Check(load.takes_all, True, (S.KV_USAGE, S.RUNNING)),
    "held_back": Check(load.held_back, True, (S.KV_USAGE, S.RUNNING)),
    "ratio_high": Check(pool.ratio_high, False, (S.NEW_TOKEN_RATIO,)),
    "swapping": Check(pool.swapping, True, (S.SWAPPED, S.CPU_CACHE_USAGE, S.OFFLOAD_FAILURES)),
    "ranks_apart": Check(pool.ranks_apart, True),
    "hit_rate_fell": Check(prefix.hit_rate_fell, True, _HITS),
    "hits_kept": Check(prefix.hits_kept, False, _HITS),
    "hits_gone": Check(prefix.hits_gone, True, _HITS),
    "recomputing": Check(prefix.recomputing, True, _HITS),
    "fell_low": Check(prefix.fell_low, True, (*_HITS, S.KV_USAGE)),
    "fell_at_once": Check(prefix.fell_at_once, True, _HITS),
    "computed_up": Check(prefix.computed_up, True, (S.PROMPT_TOKENS_COMPUTED,)),
    "pool_churned": Check(prefix.pool_churned, True, (S.EVICTED_TOKENS, S.KV_CAPACITY_TOKENS)),
    "evicting": Check(prefix.evicting, True, (S.EVICTED_TOKENS, S.KV_CAPACITY_TOKENS)),
    "prompts_repeated": Check(prefix.prompts_repeated, True, _HITS),
    "cache_off": Check(prefix.cache_off, False, _HITS),
    "cache_cold": Check(prefix.cache_cold, False, (S.PROCESS_START,)),
    "diluted": Check(prefix.diluted, False, _HITS),
    "filled_first": Check(prefix.filled_first, False, (*_HITS, S.KV_USAGE)),
    "hits_fell_first": Check(prefix.hits_fell_first, True, _HITS),
    "load_same": Check(load.load_same, True, (S.FINISHED, S.PROMPT_TOKENS)),
    "mix_changed": Check(load.mix_changed, True, (S.PROMPT_TOKENS,)),
    "ttft_up": Check(latency.ttft_up, True, (S.TTFT,)),
    "itl_tail_up": Check(latency.itl_tail_up, True, (S.ITL,)),
    "pressure_first": Check(latency.pressure_first, False, (S.ITL,)),
    "prefill_first": Check(latency.prefill_first, True, (S.PROMPT_TOKENS_COMPUTED, S.WAITING, S.KV_USAGE)),
    "itl_up": Check(latency.itl_up, True, (S.ITL,)),
    "decode_drifted": Check(latency.decode_drifted, True, (S.ITL,)),
    "itl_flat": Check(latency.itl_flat, False, (S.ITL,)),
    "latency_felt": Check(latency.latency_felt, True, (S.TTFT, S.ITL)),
    "prompt_bursts": Check(latency.prompt_bursts, True, (S.PROMPT_TOKENS,)),
    "large_steps": Check(latency.large_steps, True, (S.ENGINE_STEPS,)),
    "acceptance_fell": Check(latency.acceptance_fell, True, (S.SPEC_DRAFT_TOKENS, S.SPEC_ACCEPTED_TOKENS)),
    "aborted": Check(lifecycle.aborted, True, (S.FINISHED_ABORT, S.HTTP_2XX)),
    "failing": Check(lifecycle.failing, True, (S.FINISHED_ERROR, S.HTTP_5XX)),
    "hung_up_after_waiting": Check(lifecycle.hung_up_after_waiting, True, (S.WAITING, S.TTFT)),
    "gave_up_first": Check(lifecycle.gave_up_first, True, (S.FINISHED_ABORT, S.WAITING)),
    "client_deploy": Check(lifecycle.client_deploy, False),
}
