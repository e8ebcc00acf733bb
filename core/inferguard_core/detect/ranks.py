"""One data-parallel rank carries what its siblings should share, or one does nothing while they queue."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from inferguard_core.detect.finding import Finding, Situation, blind
from inferguard_core.signals import Signal
from inferguard_core.verdict import Evidence

if TYPE_CHECKING:
    from inferguard_core.detect.limits import Limits
    from inferguard_core.window import Window


def rank_imbalance(window: Window, limits: Limits, situation: Situation) -> Finding:  # noqa: ARG001 -- a rule
    """KV usage far above the median rank's on a full one, or a rank idle beside queues.

    An endpoint with a single rank has nothing to balance: that is no blindness.
    """
    if Signal.KV_USAGE not in situation.spellings and Signal.RUNNING not in situation.spellings:
        return blind("rank_imbalance", Signal.KV_USAGE, Signal.RUNNING)
    usage = {n: r[Signal.KV_USAGE] for n, r in situation.ranks.items() if Signal.KV_USAGE in r}
    spread = max(usage.values()) - median(usage.values()) if len(usage) > 1 else 0.0
    fullest = max(usage, key=lambda n: usage[n], default="")
    skewed = spread >= limits.rank_spread and usage[fullest] >= limits.rank_usage
    idle, queued = _idle(situation), _queued(situation)
    starved = bool(idle) and queued > 0
    parts = []
    if skewed:
        parts.append(f"{fullest} at KV {usage[fullest]:.0%}, {spread:.0%} above the median rank")
    if starved:
        parts.append(f"{', '.join(idle)} idle while {queued:.0f} wait on other ranks")
    rows = []
    if len(usage) > 1:
        source = situation.source(Signal.KV_USAGE)
        rows.append(
            Evidence("kv_usage_spread", spread, "ratio", limits.rank_spread, n=len(usage), source=source)
        )
    if starved:
        source = situation.source(Signal.RUNNING, Signal.WAITING)
        rows.append(Evidence("waiting_beside_idle_rank", queued, "requests", 0.0, source=source))
    return Finding(
        "rank_imbalance",
        hot=skewed or starved,
        cool=not starved and spread < 0.75 * limits.rank_spread,
        for_s=limits.rank_for,
        keep_s=limits.rank_keep,
        summary="; ".join(parts),
        evidence=tuple(rows),
    )


def _idle(situation: Situation) -> list[str]:
    """Ranks known to run nothing and to have nothing queued."""
    return [
        name
        for name, rank in situation.ranks.items()
        if rank.get(Signal.RUNNING) == 0 and rank.get(Signal.WAITING) == 0
    ]


def _queued(situation: Situation) -> float:
    return sum(rank.get(Signal.WAITING, 0.0) for rank in situation.ranks.values())
