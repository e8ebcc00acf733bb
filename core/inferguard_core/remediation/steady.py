"""A fix holds still while somebody reads it: a number is proposed anew only when it has really moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from inferguard_core.verdict import Fix

NEAR: Final = 0.15
"""Less of a change than this is the noise of what a pool full of mixed requests holds; a restart is worth more."""


def steady(standing: Fix | None, made: Fix | None) -> Fix | None:
    """`standing` while `made` proposes the same for the same cause and no number further than `NEAR` from it."""
    if standing is None or made is None or standing.cause != made.cause:
        return made
    if [(c.flag, c.current) for c in standing.changes] != [(c.flag, c.current) for c in made.changes]:
        return made
    pairs = zip(standing.changes, made.changes, strict=True)
    return standing if all(_near(was.proposed, now.proposed) for was, now in pairs) else made


def _near(was: str, now: str) -> bool:
    try:
        return abs(float(now) - float(was)) <= NEAR * abs(float(was))
    except ValueError:
        return was == now
