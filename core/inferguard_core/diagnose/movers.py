"""What changed just before: the quantities that moved furthest from their own ways around an onset, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.diagnose.quantities import QUANTITIES
from inferguard_core.robust import robust_z

if TYPE_CHECKING:
    from inferguard_core.diagnose.prelude import Prelude

CANDIDATES = (
    "arrival_rate",
    "prompt_length",
    "output_length",
    "prefix_hit_rate",
    "prompt_computed_rate",
    "running",
    "tokens_per_running",
)
OUTLIER_Z = 3.5
"""Iglewicz and Hoaglin's."""
MIN_CHANGE = 0.25
"""Relative; a smaller one is not what set off trouble, however steady it was before."""
FLOOR_SHARE = 0.1
"""Least spread, of the level: eight parts of three minutes do not know their own spread any better."""
TOLD = 3


def movers(prelude: Prelude | None) -> tuple[str, ...]:
    """At most `TOLD`, top mover first: `arrivals 0.9/s → 2.1/s`; empty when nothing is known or moved."""
    if prelude is None:
        return ()
    moved: list[tuple[float, str]] = []
    for name in CANDIDATES:
        before, now, quantity = prelude.before.get(name), prelude.around.get(name), QUANTITIES[name]
        if name == "arrival_rate" and prelude.arrivals_peak is not None:
            now = prelude.arrivals_peak[0]
        if before is None or now is None or before.spread is None:
            continue
        floor = max(
            quantity.floor, FLOOR_SHARE * before.value, _chance(name, before.value, quantity.window_s)
        )
        z = robust_z(now, before.value, before.spread, floor)
        if abs(z) >= OUTLIER_Z and abs(now - before.value) >= MIN_CHANGE * before.value:
            moved.append((abs(z), f"{quantity.words} {quantity.shown(before.value)} → {quantity.shown(now)}"))
    return tuple(words for _, words in sorted(moved, reverse=True)[:TOLD])


def _chance(name: str, rate: float, window_s: float) -> float:
    """Spread that chance gives a rate of arrivals counted over `window_s`."""
    return (max(rate, 1 / window_s) / window_s) ** 0.5 if name == "arrival_rate" else 0.0
