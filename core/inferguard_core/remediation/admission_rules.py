"""Fixes where admission or compute is the limit, or more comes in than any setting could serve."""

from __future__ import annotations

from math import ceil, floor, isinf
from typing import TYPE_CHECKING, Final

from inferguard_core.reading import Engine
from inferguard_core.remediation.proposal import Proposal
from inferguard_core.signals import Signal

if TYPE_CHECKING:
    from inferguard_core.remediation.setup import Setup
    from inferguard_core.verdict import FlagChange

FREE_USAGE: Final = 0.8
"""More sequences may fill the pool to here, where the rules still call it free."""
GROWTH_MOST: Final = 2.0
BUDGETS: Final = (2048, 4096, 8192, 16384)
"""vLLM's and SGLang's own defaults by GPU; below the least, prefill starves; above the most, no default goes."""
LIBERAL: Final = 0.3
"""SGLang's tuning guide for a free pool beside a queue."""
ITL_WINDOW_S: Final = 60.0
ITERATION: Final = "iteration_tokens_total"


def sequence_cap(setup: Setup) -> Proposal:
    changes = _more_at_once(setup)
    slack = _itl(setup)
    return Proposal(
        why="requests wait at the limit of running sequences while KV is free",
        effect="the queue drains as fast as the batch grows",
        check="waiting falls and inter-token latency p95 stays within its objective; else go back half the way",
        changes=changes,
        cost=f"each token of the larger batch takes longer: it needs slack in inter-token latency ({slack})",
        instead=("another replica, where inter-token latency has no slack",),
        notes=() if changes else ("no limit is proposed: KV usage and running are not both known",),
    )


def compute_bound(setup: Setup) -> Proposal:
    return Proposal(
        why="prompts come faster than they can be computed while KV and sequences are free",
        effect="larger prefill batches: more prompt tokens a second, a shorter queue",
        check="prompt tokens computed per second rises and time to first token p95 falls",
        changes=_budget(setup, larger=True),
        cost=f"decodes wait longer for each prefill: only with slack in inter-token latency ({_itl(setup)})",
        instead=(
            "another replica",
            "prefill and decode on separate replicas",
            "shorter or shared prompt heads",
        ),
    )


def prefill_interference(setup: Setup) -> Proposal:
    changes = _budget(setup, larger=False)
    return Proposal(
        why="prefills of long prompts stall the tokens of everybody else",
        effect="inter-token latency p95 falls towards p50",
        check="inter-token latency p95 against p50, then time to first token p95, at like traffic",
        changes=changes,
        cost="long prompts take more steps: time to first token rises",
        instead=("prefill and decode on separate replicas", "long prompts to replicas of their own"),
        notes=_budget_note(setup, changes),
    )


def conservative_admission(setup: Setup) -> Proposal:
    sglang = setup.engine is Engine.SGLANG
    flag = "--schedule-conservativeness"
    now = setup.number(flag) if sglang else None
    return Proposal(
        why="the scheduler reserves more output than requests use, so they wait beside a free pool",
        effect="more requests run, the queue drains",
        check="token usage rises towards 0.9, the queue falls, retractions stay at or below one a minute",
        changes=setup.change(flag, LIBERAL) if sglang and (now is None or now > LIBERAL) else (),
        cost="retractions, when requests do use what they reserved",
        instead=(
            "smaller max_tokens in the clients: it is what gets reserved",
            "without ignore_eos: with it the whole of max_tokens is reserved whatever this setting says",
        ),
    )


def arrival_surge(setup: Setup) -> Proposal:
    return Proposal(
        why="more arrives than completes; every other sign follows from that",
        effect="what is admitted is served within its objective, the rest is refused at once",
        check="waiting ÷ completions per second stays below twice the objective while refusals are counted",
        changes=_bounded_queue(setup),
        cost="refused requests (503): clients must back off and retry",
        instead=("shed or delay at the gateway, lowest priority first", "another replica"),
    )


def abort_storm(setup: Setup) -> Proposal:
    return Proposal(
        why="clients give up while they wait, and what they sent has been computed for nobody",
        effect="fewer requests are started that no one waits for",
        check="aborts a minute against completions, and waiting",
        changes=_bounded_queue(setup) if setup.load.waiting else (),
        cost="refused requests (503) instead of timed-out ones",
        instead=(
            "client time-outs above the present wait, and retries with back-off and jitter",
            "throttle at the gateway until the wait is below the clients' time-out",
        ),
    )


def _more_at_once(setup: Setup) -> tuple[FlagChange, ...]:
    """As many as fill the pool to `FREE_USAGE`, at most twice as many as run."""
    load = setup.load
    if load.fits is None or load.running is None or load.running < 1:
        return ()
    wanted = floor(min(load.fits * FREE_USAGE, load.running * GROWTH_MOST))
    flag = "--max-running-requests" if setup.engine is Engine.SGLANG else "--max-num-seqs"
    limit = max(load.running, setup.number(flag) or 0.0)
    return setup.change(flag, wanted) if wanted > limit else ()


def _bounded_queue(setup: Setup) -> tuple[FlagChange, ...]:
    """A queue that is served within the multiple of the objective at which waiting counts as critical.

    Not below the queue from which on waiting matters: a small burst is no surge.
    """
    limits, rate = setup.scene.limits, setup.load.finish_rate
    if not rate:
        return ()
    flag = "--max-queued-requests" if setup.engine is Engine.SGLANG else "--max-num-queued-reqs"
    served = ceil(rate * limits.queue_critical_of_objective * limits.ttft_objective_s)
    return setup.change(flag, max(served, ceil(limits.queue_min_waiting), 1))


def _budget(setup: Setup, *, larger: bool) -> tuple[FlagChange, ...]:
    """The next of `BUDGETS` from the running budget, or from the largest iteration that was seen."""
    flag = "--chunked-prefill-size" if setup.engine is Engine.SGLANG else "--max-num-batched-tokens"
    now = setup.number(flag) or _largest_iteration(setup)
    if now is None:
        # Without a running value only a step down is safe: the least default raises nobody's budget.
        return () if larger else setup.change(flag, BUDGETS[0])
    if now <= 0:
        # Chunking is off: any budget is a step down, the largest the gentlest.
        return () if larger else setup.change(flag, BUDGETS[-2])
    steps = [b for b in BUDGETS if (b >= now * 1.5 if larger else b <= now / 1.5)]
    if not steps:
        return ()
    return setup.change(flag, steps[0] if larger else steps[-1])


def _largest_iteration(setup: Setup) -> float | None:
    """Upper edge of the highest bucket with an iteration in it: a busy scheduler fills its budget (vLLM)."""
    reading = setup.scene.reading
    histogram = reading.histograms.get(ITERATION) if reading is not None else None
    if histogram is None or histogram.count <= 0:
        return None
    edge = next(e for e, c in zip(histogram.edges, histogram.counts, strict=True) if c >= histogram.count)
    return None if isinf(edge) else edge


def _budget_note(setup: Setup, changes: tuple[FlagChange, ...]) -> tuple[str, ...]:
    largest = _largest_iteration(setup)
    if largest is not None:
        return (f"largest iteration seen: at most {largest:.0f} tokens",)
    if changes and changes[0].current is None:
        return (f"if yours is {changes[0].proposed} already, this is not the lever",)
    return ()


def _itl(setup: Setup) -> str:
    window = setup.scene.window
    quantile = window.quantile(Signal.ITL, 0.95, ITL_WINDOW_S) if window is not None else None
    return "p95 unknown" if quantile is None else f"p95 {quantile.value * 1000:.0f} ms n {quantile.n}"
