"""Causes that no flag mends: what to look at and whom to route away from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.reading import Engine
from inferguard_core.remediation.proposal import Proposal

if TYPE_CHECKING:
    from inferguard_core.remediation.setup import Setup


def engine_stalled(setup: Setup) -> Proposal:
    health = (
        "do not call /health to find out: it sends a request through the frozen scheduler"
        if setup.engine is Engine.SGLANG
        else "/health may well say 200: it does not ask whether steps are made"
    )
    return Proposal(
        why="the engine answers /metrics and makes no progress",
        effect="requests go elsewhere; the cause stays findable",
        check="a token within 30 s of the restart, and progress counters that move",
        instead=(
            "route away first",
            "py-spy dump of the core and the API process, dmesg and the GPU's error counters, then restart",
        ),
        notes=(health,),
    )


def engine_restarted(_setup: Setup) -> Proposal:
    return Proposal(
        why="the process is another one: what ran in the old one is lost",
        effect="the next restart is explained, or does not come",
        check="no further restart in 15 min, hit rate and latency back at their baselines",
        instead=(
            "the last lines of the log before the restart, the kernel's out-of-memory log, the last deployment",
            "route away while it warms up; if it repeats, take it out of rotation",
        ),
    )


def engine_down(_setup: Setup) -> Proposal:
    return Proposal(
        why="no metrics come from it",
        effect="requests go elsewhere until it is back",
        check="two good scrapes in a row",
        instead=(
            "is the process up, and is this its port; then its log, then the kernel's",
            "route away at the gateway",
        ),
    )


def error_storm(_setup: Setup) -> Proposal:
    return Proposal(
        why="the engine answers with errors",
        effect="found in the log, not in a setting",
        check="errors ÷ requests below 1 % for 2 min",
        instead=("the engine's log at the first error", "roll the last deployment back if it began with it"),
    )


def shape_crash(_setup: Setup) -> Proposal:
    return Proposal(
        why="the engine died more than once with the same request shape in its last window",
        effect="no further crash while the shape is refused",
        check="no restart in 15 min with traffic, then one such request on a spare replica",
        instead=(
            "refuse that shape at the gateway until it is fixed",
            "keep the request and the stack for the engine's authors",
        ),
    )


def rank_imbalance(setup: Setup) -> Proposal:
    sglang = setup.engine is Engine.SGLANG
    return Proposal(
        why="one rank is full or idle while the others are not",
        effect="ranks of like usage, so that the pool of all can be used",
        check="highest rank's KV usage less the median below 0.3 for 2 min",
        changes=setup.change("--load-balance-method", "total_tokens") if sglang else (),
        cost="sessions may move to a rank that does not know their prefix" if sglang else "",
        instead=(
            "route by load or by prefix at the gateway",
            "look whether one rank is sick: its GPU's clocks and errors, its share of long sessions",
        ),
    )
