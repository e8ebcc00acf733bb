"""How long evidence had lasted when a rule saw it: a look back over the samples, never across a gap.

A statistic over a window turns only when enough of the window has; the trouble began earlier, and an incident's
onset is when it began.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_core.detect.finding import Situation
    from inferguard_core.history import Row
    from inferguard_core.signals import Signal
    from inferguard_core.window import Window

GAP_INTERVALS = 3.0
SHARE_BIN_S = 5.0
"""A share is looked at in pieces of at least this: one poll's worth of a ratio is chance."""


def lasted(
    window: Window, situation: Situation, signal: Signal, holds: Callable[[float], bool], seconds: float
) -> float:
    """Seconds up to now for which every sample of a gauge satisfied `holds`; at most about `seconds`."""
    since = window.now
    for t, value in reversed(window.points(signal, seconds)):
        if since - t > GAP_INTERVALS * situation.interval_s or not holds(value):
            break
        since = t
    return window.now - since


def rising_for(window: Window, counter: Signal, seconds: float) -> float:
    """Seconds since a counter began the rise that the last `seconds` hold; 0 where they hold none."""
    points = window.points(counter, seconds)
    base = next(window.bases(seconds), None)
    before = base.get(counter) if base is not None else None
    for t, value in points:
        if before is not None and value > before:
            return window.now - t
        before = value
    return 0.0


def share_lasted(
    window: Window, situation: Situation, part: Signal, whole: Signal, below: float, seconds: float
) -> float:
    """Seconds up to now for which `part` ÷ `whole` stayed under `below` in every piece of at least `SHARE_BIN_S`.

    A piece in which nothing was counted says nothing and ends nothing.
    """
    later = before = window.newest
    since = window.now
    for row in reversed(window.rows(seconds)[:-1]):
        if before.t - row.t > GAP_INTERVALS * situation.interval_s:
            break
        before = row
        if later.t - row.t < SHARE_BIN_S * 0.9:
            continue
        ends, begins = (later.get(part), later.get(whole)), (row.get(part), row.get(whole))
        if ends[0] is None or ends[1] is None or begins[0] is None or begins[1] is None:
            continue
        counted = ends[1] - begins[1]
        if counted > 0 and (ends[0] - begins[0]) >= below * counted:
            break
        later = row
        if counted > 0:
            since = row.t
    return window.now - since


def outrun_for(window: Window, situation: Situation, ahead: Signal, behind: Signal, seconds: float) -> float:
    """Seconds up to now for which `ahead` has kept rising further than `behind` since their start."""
    base = next((r for r in window.bases(seconds) if _lead(r, ahead, behind) is not None), None)
    level = _lead(base, ahead, behind) if base is not None else None
    since = window.now
    for row in reversed(window.rows(seconds)):
        lead = _lead(row, ahead, behind)
        if level is None or lead is None or lead < level + 1:
            break
        if since - row.t > GAP_INTERVALS * situation.interval_s:
            break
        since = row.t
    return window.now - since


def _lead(row: Row, ahead: Signal, behind: Signal) -> float | None:
    first, second = row.get(ahead), row.get(behind)
    return None if first is None or second is None else first - second
