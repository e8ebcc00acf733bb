"""throttle_concurrency: fewer requests at once, to a number that this pool was seen to hold.

Three ways to the number. KV exhaustion: L*, what the pool holds of requests this size. Prefix thrash: CONCUR's
window of active agents (Chen et al., arXiv:2601.22705). A surge or a storm of aborts: completions per second,
since what comes in faster than that only waits.
"""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

from inferguard_core.actions.draft import Draft
from inferguard_core.actions.load import THROTTLE_MOST, bounded, evidence
from inferguard_core.counted import counted
from inferguard_core.verdict import ActionType

if TYPE_CHECKING:
    from inferguard_core.actions.draft import Case
    from inferguard_core.actions.load import Load
    from inferguard_core.verdict import Advisory

TARGET = "target_concurrency"
AGENTS = "target_agents"
RATE = "admit_per_second"

CONCUR_USAGE, CONCUR_HIT_RATE = 0.5, 0.2
CONCUR_SHRINK, CONCUR_GROW = 0.5, 2
TURNOVER_FULL_S = 60.0
"""Usage counts live requests only, so a pool full of other sessions' cache reads as empty. One that is written
over within a minute keeps no prefix for as long as an agent's tool call takes."""
FOLLOWED = 1.1
"""A throttle counts as followed while concurrency is at most this multiple of what it asked for."""

_THRASH = ("running", "waiting", "usage", "hit_rate", "turnover_s", "evicted_rate")
_EVERYWHERE = (
    "enforce it at the gateway or client: neither engine changes its limit without a restart",
    "look again after two or three request lifetimes, not before 60 s",
)


def throttle_to_pool(case: Case) -> Draft:
    """KV is the limit: run as many as the pool holds of requests this size."""
    load = case.load
    target = load.throttled
    parameters: dict[str, float | str] = {}
    caveats: list[str] = []
    if target is not None and load.running is not None and load.fits is not None:
        parameters = {TARGET: float(target), "running_now": load.running, "pool_holds": round(load.fits, 1)}
        if load.tokens_held is not None:
            parameters["tokens_held_per_request"] = round(load.tokens_held)
        reason = f"KV pool holds {counted(load.fits, 'request')} of this size, {load.running:.0f} run: run {target}"
    else:
        reason = "KV pool is the limit: run fewer requests at once"
        caveats.append(_no_number(load))
    if case.scene.reading is not None and case.scene.reading.ranks:
        caveats.append("usage is that of the fullest rank: the target is on the safe side for the others")
    return Draft(
        ActionType.THROTTLE_CONCURRENCY,
        reason,
        parameters,
        decides=(TARGET,),
        evidence=evidence(load, case.scene.situation, "running", "waiting", "usage", "tokens_held", "fits"),
        preconditions=("a gateway or client that can hold requests back",),
        caveats=(*caveats, *_EVERYWHERE),
    )


def throttle_arrivals(case: Case) -> Draft:
    """More comes in than can be finished: admit a tenth less than completes, so that the queue drains."""
    load = case.load
    parameters: dict[str, float | str] = {}
    caveats: list[str] = []
    if load.finish_rate:
        rate = load.finish_rate * THROTTLE_MOST
        parameters = {RATE: float(f"{rate:.3g}"), "completions_per_second": float(f"{load.finish_rate:.3g}")}
        reason = f"{load.finish_rate:.3g} requests/s complete: admit {rate:.3g}/s at the gateway"
    else:
        reason = "more arrives than completes: admit less at the gateway"
        caveats.append("admission rate not computed: no completions counted in the last minute")
    target = load.throttled
    if target is not None:
        parameters[TARGET] = float(target)
    return Draft(
        ActionType.THROTTLE_CONCURRENCY,
        reason,
        parameters,
        decides=(RATE, TARGET),
        evidence=evidence(load, case.scene.situation, "running", "waiting", "finish_rate", "fits"),
        preconditions=("a gateway that can refuse or delay requests",),
        caveats=(
            *caveats,
            "refused requests come back: let clients retry with back-off and jitter",
            *_EVERYWHERE,
        ),
    )


def concur_window(window: float, *, pool_full: bool, hit_rate: float) -> float:
    """Next number of active agents: half when a full pool has no reuse, else two more. At least 1."""
    if pool_full and hit_rate < CONCUR_HIT_RATE:
        return max(1.0, float(floor(window * CONCUR_SHRINK)))
    return window + CONCUR_GROW


def throttle_agents(case: Case) -> Draft:
    """Sessions evict one another's prefixes: fewer of them at once, then two more at a time."""
    load = case.load
    grown = _regrown(case)
    if grown is not None:
        return grown
    parameters: dict[str, float | str] = {}
    caveats = ["W is running + waiting: sessions that pause between two requests are not exported"]
    halve = pool_full(load) and load.hit_rate is not None and load.hit_rate < CONCUR_HIT_RATE
    agents = _agents(load, halve=halve)
    if agents is not None and load.in_flight is not None:
        parameters = {AGENTS: float(agents), "in_flight_now": round(load.in_flight, 1)}
    else:
        caveats.append("number of agents not computed: fewer than two requests in flight on average")
    if not halve:
        caveats.append(f"halve them once the pool is full and the hit rate below {CONCUR_HIT_RATE:.0%}")
    target = bounded(agents, load.running) if halve and agents is not None else None
    if target is not None and agents is not None and target <= agents:
        parameters[TARGET] = float(target)
    return Draft(
        ActionType.THROTTLE_CONCURRENCY,
        f"hit rate {_percent(load.hit_rate)}: {_step(load, agents, halve=halve)}",
        parameters,
        decides=(AGENTS,),
        evidence=evidence(load, case.scene.situation, *_THRASH),
        preconditions=(
            "clients are agents or sessions that can be paused between two of their steps",
            "prefix caching is on",
        ),
        caveats=(*caveats, *_EVERYWHERE),
    )


def _step(load: Load, agents: int | None, *, halve: bool) -> str:
    if agents is None or load.in_flight is None:
        return "sessions evict one another's prefixes, hold new agents, then halve the active ones"
    return f"cut active agents from {load.in_flight:.0f} to {agents}" if halve else "let no new agents in"


def pool_full(load: Load) -> bool:
    """Whether there is pressure on the pool, told by usage, by evictions or by how fast it is written over."""
    return (
        (load.usage or 0.0) > CONCUR_USAGE
        or (load.evicted_rate or 0.0) > 0.0
        or (load.turnover_s is not None and load.turnover_s < TURNOVER_FULL_S)
    )


def _agents(load: Load, *, halve: bool) -> int | None:
    """Half of what is in flight, or all of it; not below the level last seen healthy when that is lower."""
    if load.in_flight is None or load.in_flight < 2:
        return None
    if not halve:
        return floor(load.in_flight)
    half = floor(load.in_flight * CONCUR_SHRINK)
    healthy = ceil(load.healthy_in_flight or 0.0)
    seen_well = healthy if healthy <= load.in_flight * THROTTLE_MOST else 0
    return max(1, half, seen_well)


def _regrown(case: Case) -> Draft | None:
    """Two more agents, once an earlier throttle is seen to be followed and reuse is back."""
    load = case.load
    asked = [a for a in case.earlier if _is_open_throttle(a) and AGENTS in a.parameters]
    if not asked or load.in_flight is None or load.hit_rate is None:
        return None
    last = float(asked[-1].parameters[AGENTS])
    following = load.in_flight <= last * FOLLOWED
    grown = concur_window(last, pool_full=pool_full(load), hit_rate=load.hit_rate)
    if not following or grown < last:
        return None
    return Draft(
        ActionType.THROTTLE_CONCURRENCY,
        f"hit rate back at {_percent(load.hit_rate)}: let active agents grow from {last:.0f} to {grown:.0f}",
        {AGENTS: grown, "in_flight_now": round(load.in_flight, 1), "step": "grow"},
        decides=(AGENTS,),
        stepwise=True,
        evidence=evidence(load, case.scene.situation, "running", "waiting", "usage", "hit_rate"),
        preconditions=("the throttle before this one was followed and its effect is seen",),
        caveats=("two at a time: a collapsed cache recovers below the level at which it collapsed",),
    )


def _is_open_throttle(advisory: Advisory) -> bool:
    return advisory.action_type is ActionType.THROTTLE_CONCURRENCY and advisory.superseded_by is None


def _no_number(load: Load) -> str:
    if load.usage is None or load.running is None:
        return "target not computed: KV usage or running requests are not known here"
    if load.fits is None:
        return "target not computed: nothing ran within the last minute"
    return (
        f"target not computed: no whole number lies between half and nine tenths of {load.running:g} running"
    )


def _percent(ratio: float | None) -> str:
    return "unknown" if ratio is None else f"{ratio:.0%}"
