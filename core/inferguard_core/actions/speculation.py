"""shrink_speculation_window: draft only as far ahead as drafts are taken.

Position p is accepted with the probability that all before it were, so acceptance falls with p and the useful
window is the stretch before it drops below break-even. Where positions are not exported, acceptance per token is
fitted to the mean: with k drafted, Σ αⁱ (i = 1…k) tokens are accepted (Leviathan et al., arXiv:2211.17192).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Final

from inferguard_core.actions.draft import Draft
from inferguard_core.counted import counted
from inferguard_core.signals import Signal
from inferguard_core.verdict import ActionType, Evidence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.actions.draft import Case
    from inferguard_core.scene import Scene

TARGET: Final = "target_window"
BREAK_EVEN: Final = 0.3
"""A drafted token costs a draft step and a place in the verified batch. When batches are large, which is when
collapse hurts, that place costs about what a decoded token does; below this share the draft is not worth it."""
DRAFTS_MIN: Final = 50
"""Drafts behind a share per position: its standard error is then below 0.07."""
WINDOW_S: Final = 60.0
POSITIONS_MAX: Final = 64
_POSITION: Final = re.compile(r"spec_decode_num_accepted_tokens_per_pos\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Acceptance:
    """How far drafts are taken."""

    by_position: tuple[float, ...]
    """Share of drafts of which position p was accepted, first position first."""
    how: str

    @property
    def useful(self) -> int:
        """Positions before acceptance first drops below break-even; 0: speculation does not pay."""
        below = (p for p, share in enumerate(self.by_position) if share < BREAK_EVEN)
        return next(below, len(self.by_position))


def acceptance(scene: Scene) -> Acceptance | None:
    """By position where counted, else fitted to the mean; None where neither can be known."""
    if scene.reading is None or scene.window is None:
        return None
    counted = _counted(scene.reading.values, scene.at_onset)
    return counted or _fitted_from_counters(scene) or _fitted_from_length(scene)


def shrink_speculation(case: Case) -> Draft:
    seen = acceptance(case.scene)
    parameters: dict[str, float | str] = {}
    caveats: list[str] = []
    if seen is None:
        reason = "drafts are no longer taken: shorten the speculation window"
        caveats.append("window not computed: too few drafts counted, or the engine does not export them")
    else:
        now, useful = len(seen.by_position), seen.useful
        parameters = {TARGET: float(useful), "window_now": float(now), "break_even": BREAK_EVEN}
        what = f"draft {useful} instead of {now}" if useful else "speculation does not pay: switch it off"
        reason = f"{what} ({', '.join(f'{share:.0%}' for share in seen.by_position[:8])} by position)"
        caveats.append(seen.how)
        if useful == now:
            reason = f"all {now} positions still pay on average: look at the share of prompts that do not"
    return Draft(
        ActionType.SHRINK_SPECULATION_WINDOW,
        reason,
        parameters,
        decides=(TARGET,),
        evidence=_evidence(case.scene, seen),
        preconditions=("a restart of the engine: neither engine changes the window while it runs",),
        caveats=(
            *caveats,
            f"break-even {BREAK_EVEN:.0%} is for large batches; at low load a lower acceptance still pays",
        ),
    )


def _counted(now: Mapping[str, float], onset: Mapping[str, float]) -> Acceptance | None:
    """Since the incident opened. A counter below its old value belongs to another process."""
    drafts = now.get(Signal.SPEC_DRAFTS, 0.0) - onset.get(Signal.SPEC_DRAFTS, float("inf"))
    taken: dict[int, float] = {}
    for name, value in now.items():
        match = _POSITION.fullmatch(name)
        if match and name in onset:
            taken[int(match[1])] = value - onset[name]
    ordered = [taken[p] for p in range(len(taken)) if p in taken]
    if drafts < DRAFTS_MIN or not ordered or len(ordered) < len(taken) or min(ordered) < 0:
        return None
    return Acceptance(
        tuple(min(1.0, t / drafts) for t in ordered),
        f"acceptance by position of {counted(drafts, 'draft')} since the incident opened",
    )


def _fitted_from_counters(scene: Scene) -> Acceptance | None:
    assert scene.window is not None
    rises = [
        scene.window.increase(s, WINDOW_S)
        for s in (Signal.SPEC_DRAFTS, Signal.SPEC_DRAFT_TOKENS, Signal.SPEC_ACCEPTED_TOKENS)
    ]
    drafts, drafted, taken = (0.0 if rise is None else rise.amount for rise in rises)
    if drafts < DRAFTS_MIN or drafted <= 0 or None in rises:
        return None
    return _fitted(round(drafted / drafts), taken / drafts)


def _fitted_from_length(scene: Scene) -> Acceptance | None:
    """SGLang tells tokens per verify step, the bonus token among them, and how many steps it drafts."""
    assert scene.window is not None
    assert scene.reading is not None
    length = scene.window.median(Signal.SPEC_ACCEPT_LENGTH, WINDOW_S)
    steps = scene.reading.values.get("spec_num_steps", 0.0)
    return None if length is None or not 1 <= steps <= POSITIONS_MAX else _fitted(round(steps), length - 1.0)


def _fitted(window: int, taken: float) -> Acceptance | None:
    if not 1 <= window <= POSITIONS_MAX or not isfinite(taken):
        return None
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _expected(middle, window) < taken else (low, middle)
    shares = tuple(high**p for p in range(1, window + 1))
    return Acceptance(
        shares, f"by position as fitted to {taken:.2f} accepted of {window} drafted: an estimate"
    )


def _expected(alpha: float, window: int) -> float:
    return sum(alpha**p for p in range(1, window + 1))


def _evidence(scene: Scene, seen: Acceptance | None) -> tuple[Evidence, ...]:
    if seen is None:
        return ()
    source = scene.situation.source(
        Signal.SPEC_DRAFTS, Signal.SPEC_ACCEPTED_TOKENS, Signal.SPEC_ACCEPT_LENGTH
    )
    return tuple(
        Evidence(f"spec_acceptance[{p}]", share, "ratio", threshold=BREAK_EVEN, source=source)
        for p, share in enumerate(seen.by_position[:8])
    )
