"""Actions on a whole replica or on what it is sent: drain and recycle, and quarantine of a request shape."""

from __future__ import annotations

import re
from statistics import median
from typing import TYPE_CHECKING

from inferguard_core.actions.draft import Draft
from inferguard_core.actions.load import evidence
from inferguard_core.signals import Signal
from inferguard_core.verdict import ActionType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.actions.draft import Case

RANK = "rank"
FROZEN = "engine_stalled"
"""Gauges of a frozen engine are its last words and tell nothing of what hangs in it."""
KILLED_BY_SHAPE = "shape_crash"
HEADROOM = 0.8
"""The rest survives the loss of one when it then stays below this share of its pools."""
SHAPE_EVIDENCE = "crashes_with_shape"
"""Of the diagnosis: how many crashes had the shape that its source names, `prompt > 5,000 tokens`."""
_SHAPE = re.compile(r"(prompt burst|prompt|output) > ([\d,]{1,15}) tokens")
_SHAPE_PARAMETERS = {
    "prompt": "prompt_tokens_over",
    "prompt burst": "prompt_tokens_over",
    "output": "output_tokens_over",
}

_ELSEWHERE = "another replica takes the traffic: with a single one this is an outage, say so first"


def drain(case: Case) -> Draft:
    """The engine will not come right by itself."""
    load = case.load
    parameters: dict[str, float | str] = {}
    if load.running is not None and case.cause != FROZEN:
        parameters["running_now"] = load.running
    if load.waiting is not None and case.cause != FROZEN:
        parameters["waiting_now"] = load.waiting
    first = ("keep stacks (py-spy dump), logs and GPU state before it is stopped",)
    return Draft(
        ActionType.DRAIN_AND_RECYCLE,
        _DRAIN_REASONS.get(case.cause, "take the replica out of rotation, then restart it"),
        parameters,
        evidence=()
        if case.cause == FROZEN
        else evidence(load, case.scene.situation, "running", "waiting", "usage"),
        preconditions=(*first, _ELSEWHERE),
        caveats=(
            "a new process starts with an empty prefix cache and no compiled graphs: expect a slow minute",
        ),
    )


_DRAIN_REASONS = {
    FROZEN: "the engine makes no progress: route away, capture stacks, then restart it",
    "engine_restarted": "it restarts again and again: take it out of rotation until the logs say why",
    "offload_pressure": "KV spills out of the GPU and back: route away, let it empty, restart with another tier",
}


def drain_repeating(case: Case) -> Draft | None:
    """A single restart may be a deployment; only a second one within the limit speaks against the replica.

    Not while a request shape is suspected: what is routed away would take the next replica down as well.
    """
    suspected = any(score.cause == KILLED_BY_SHAPE for score in case.diagnosis.ranked)
    return drain(case) if case.scene.situation.restarts_recent >= 2 and not suspected else None


def drain_rank(case: Case) -> Draft:
    """One rank of several: the idle one beside a queue, else the fullest."""
    ranks = case.scene.reading.ranks if case.scene.reading is not None else {}
    sick = _sick(ranks)
    caveats = ["first see whether routing sends it more: then it is not sick, only popular"]
    parameters: dict[str, float | str] = {}
    if sick is None:
        caveats.append("rank not named: this page does not tell the ranks apart")
    else:
        parameters = {RANK: sick}
        others = _usage_without(ranks, sick)
        if others is not None:
            parameters["others_usage_after"] = round(others, 3)
            if others > HEADROOM:
                caveats.append(f"the others would be at {others:.0%} of their pools: no room to drain it now")
    return Draft(
        ActionType.DRAIN_AND_RECYCLE,
        f"{sick or 'one rank'} is out of step with the others: drain and restart it alone",
        parameters,
        decides=(RANK,),
        evidence=evidence(case.load, case.scene.situation, "running", "waiting", "usage"),
        preconditions=("the deployment can restart one rank alone", "the others have room for its requests"),
        caveats=tuple(caveats),
    )


def quarantine(case: Case) -> Draft:
    """A request shape that was there each time the engine died."""
    seen = case.observed(SHAPE_EVIDENCE)
    named = _SHAPE.fullmatch(seen.source) if seen is not None else None
    parameters: dict[str, float | str] = {}
    caveats = ["two crashes are a suspicion: reproduce it on a spare replica before the shape is blamed"]
    if seen is None or named is None:
        caveats.append("shape not named: request lengths are not exported, take it from the access log")
    else:
        parameters = {"shape": seen.source, _SHAPE_PARAMETERS[named[1]]: float(named[2].replace(",", ""))}
        if named[1] == "prompt burst":
            caveats.append(
                "the length is that of all prompts between two polls: an upper bound for one of them"
            )
        if named[1] == "output":
            caveats.append("a gateway sees max_tokens, not the output: refuse what asks for more than this")
    return Draft(
        ActionType.QUARANTINE_SHAPE,
        "the same request shape came before each crash: refuse it at the gateway until it is fixed",
        parameters,
        decides=("shape",),
        evidence=() if seen is None else (seen,),
        preconditions=("a gateway that can refuse by prompt length or max_tokens",),
        caveats=tuple(caveats),
    )


def _sick(ranks: Mapping[str, Mapping[str, float]]) -> str | None:
    if len(ranks) < 2:
        return None
    queue = {name: values.get(Signal.WAITING, 0.0) for name, values in ranks.items()}
    idle = [n for n, v in ranks.items() if v.get(Signal.RUNNING) == 0 and queue[n] == 0]
    if len(idle) == 1 and max(queue.values()) > 0:
        return idle[0]
    usage = {name: v[Signal.KV_USAGE] for name, v in ranks.items() if Signal.KV_USAGE in v}
    if len(usage) < 2:
        return None
    centre = median(usage.values())
    return max(usage, key=lambda name: (usage[name] - centre, name))


def _usage_without(ranks: Mapping[str, Mapping[str, float]], sick: str) -> float | None:
    """Mean usage of the others once they hold what `sick` holds; None unless all ranks tell theirs."""
    usage = [v.get(Signal.KV_USAGE) for v in ranks.values()]
    if sick not in ranks or None in usage:
        return None
    return sum(u for u in usage if u is not None) / (len(usage) - 1)
