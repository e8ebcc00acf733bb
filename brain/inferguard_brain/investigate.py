"""One investigation by calculation alone: W1 to W4 over a context, no key, no network, no clock.

The same context always gives the same result. What cannot be known is left out, and a healthy window gives
nothing at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from inferguard_brain.compaction import compactions
from inferguard_brain.context import Context, read
from inferguard_brain.leading import leading
from inferguard_brain.pattern import patterns
from inferguard_brain.trend import trends

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULT_SCHEMA: Final = "inferguard.brain.result/1"


def investigate(data: object) -> dict[str, Any]:
    """`inferguard.brain.result/1` of a context, by rules; `error` says what was wrong with a bad one."""
    context = read(data)
    if isinstance(context, str):
        return result(error=context)
    return by_rules(context)


def by_rules(context: Context) -> dict[str, Any]:
    """What the four calculations say."""
    ahead = [*trends(context), *leading(context), *compactions(context)]
    matched = list(patterns(context)) if ahead or context.incident is not None else []
    advisories = sorted([*ahead, *matched], key=_urgency)
    step = f"rules: {len(context.rows)} rows, {len(advisories)} advisories"
    return result(advisories=advisories, trace=[step])


def result(
    *,
    advisories: Sequence[dict[str, Any]] = (),
    trace: Sequence[str] = (),
    source: str = "rules",
    error: str | None = None,
) -> dict[str, Any]:
    """An answer in which nothing else is said."""
    return {
        "schema": RESULT_SCHEMA,
        "source": source,
        "diagnosis": None,
        "advisories": list(advisories),
        "narrative": [],
        "unverified": [],
        "trace": list(trace),
        "error": error,
    }


def _urgency(one: dict[str, Any]) -> tuple[float, float]:
    """Soonest first, then surest."""
    horizon = one["horizon_seconds"]
    return (float("inf") if horizon is None else horizon, -one["confidence"])
