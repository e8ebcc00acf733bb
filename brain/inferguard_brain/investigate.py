"""One investigation by calculation alone: W1 to W4 over a context, no key, no network, no clock.

The same context always gives the same result. What cannot be known is left out, and a healthy window gives
nothing at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from inferguard_brain.compaction import compactions
from inferguard_brain.context import Context, read
from inferguard_brain.counted import counted
from inferguard_brain.leading import SIGNS, leading
from inferguard_brain.pattern import patterns
from inferguard_brain.trend import TARGETS, trends

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
    rising, signs, compact = list(trends(context)), list(leading(context)), list(compactions(context))
    ahead = [*rising, *signs, *compact]
    matched = list(patterns(context)) if ahead or context.incident is not None else []
    known = frozenset(name for row in context.rows for name in row)
    trace = [
        f"rules: {counted(len(context.rows), 'row')} over {-context.rows[0]['t'] if context.rows else 0:.0f} s",
        _step("W1 trend", len(rising), [t.signal for t in TARGETS], known),
        f"W2 pattern: {len(matched)} told of {counted(len(context.entries('priors')), 'past incident')} at hand",
        _step(
            "W3 leading signs", len(signs), [*(s.signal for s in SIGNS), "new_token_ratio", "waiting"], known
        ),
        _step("W4 compaction", len(compact), ["kv_usage", "running", "prompt_length"], known),
    ]
    return result(advisories=sorted([*ahead, *matched], key=_urgency), trace=trace)


def _step(part: str, found: int, signals: Sequence[str], known: frozenset[str]) -> str:
    """What one part looked at, and what it could not see."""
    seen = [s for s in signals if s in known]
    unseen = [s for s in signals if s not in known]
    told = f"{part}: {found} told; looked at {', '.join(seen) or 'nothing'}"
    return f"{told}; unknown here: {', '.join(unseen)}" if unseen else told


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
