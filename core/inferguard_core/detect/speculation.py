"""Speculative decoding whose drafts are thrown away: work that costs and does not help."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from inferguard_core.baselines import Normal
from inferguard_core.detect.finding import Finding, Situation, blind, unknown
from inferguard_core.load import RATE_WINDOW_S, ratio
from inferguard_core.signals import Signal
from inferguard_core.verdict import Evidence

if TYPE_CHECKING:
    from inferguard_core.detect.limits import Limits
    from inferguard_core.window import Window

ACCEPTED, DRAFTED = Signal.SPEC_ACCEPTED_TOKENS, Signal.SPEC_DRAFT_TOKENS


class Acceptance(NamedTuple):
    share: float
    drafted: float | None
    """None where the engine tells its own rate and no counts; it then speaks of its last report."""
    seconds: float


def spec_acceptance_drop(window: Window, limits: Limits, situation: Situation) -> Finding:
    """Accepted ÷ drafted tokens below its baseline, or below what pays for the drafting.

    A draft method that finds nothing stops drafting instead; then too little is drafted to judge.
    """
    counted = ACCEPTED in situation.spellings and DRAFTED in situation.spellings
    if not counted and Signal.SPEC_ACCEPT_RATE not in situation.spellings:
        return blind("spec_acceptance_drop", ACCEPTED, DRAFTED)
    found = _acceptance(window, counted=counted)
    if found is None or (found.drafted is not None and found.drafted < limits.spec_min_drafted):
        return unknown("spec_acceptance_drop")
    normal = situation.normal(Normal.SPEC_ACCEPTANCE)
    floor = limits.spec_acceptance if found.drafted is not None else 0.0
    limit = max(floor, normal * (1.0 - limits.spec_drop) if normal is not None else 0.0)
    if limit <= 0.0:
        return unknown("spec_acceptance_drop")
    half_way = (limit + normal) / 2.0 if normal is not None and normal > limit else limit
    sources = (ACCEPTED, DRAFTED) if counted else (Signal.SPEC_ACCEPT_RATE,)
    drafted = None if found.drafted is None else round(found.drafted)
    row = Evidence(
        "spec_acceptance",
        found.share,
        "ratio",
        limit,
        normal,
        found.seconds,
        drafted,
        situation.source(*sources),
    )
    return Finding(
        "spec_acceptance_drop",
        hot=found.share < limit,
        cool=found.share >= half_way,
        for_s=limits.spec_for,
        keep_s=limits.spec_keep,
        summary=f"{found.share:.0%} of drafted tokens accepted"
        + (f", was {normal:.0%}" if normal is not None else ""),
        evidence=(row,),
    )


def _acceptance(window: Window, *, counted: bool) -> Acceptance | None:
    if counted:
        found = ratio(window, ACCEPTED, DRAFTED, RATE_WINDOW_S)
        return None if found is None else Acceptance(found.share, found.whole, found.seconds)
    rate = window.median(Signal.SPEC_ACCEPT_RATE, RATE_WINDOW_S)
    return None if rate is None else Acceptance(rate, None, RATE_WINDOW_S)
