"""How an advisory of the brain is written down: plain dicts, advice only, each with its numbers and its formula."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from inferguard_brain.context import Context
    from inferguard_brain.fit import Crossing

AdvisoryType = Literal[
    "capacity_cliff_predicted",
    "degradation_trend",
    "preemptive_compaction",
    "preemptive_recycle",
    "prior_pattern_match",
]
TYPES: Final[tuple[AdvisoryType, ...]] = (
    "capacity_cliff_predicted",
    "degradation_trend",
    "preemptive_compaction",
    "preemptive_recycle",
    "prior_pattern_match",
)
FAR_S: Final = 120.0
"""Beyond it a horizon is only said not to be near, with its range."""


def advisory(  # noqa: PLR0913 - the fields of the record
    kind: AdvisoryType,
    text: str,
    *,
    subject: str,
    confidence: float,
    formula: str,
    evidence: list[dict[str, Any]],
    horizon_s: float | None = None,
) -> dict[str, Any]:
    """One advisory. `subject` tells apart those of one type: the signal, indicator or incident that it is about."""
    return {
        "advisory_type": kind,
        "subject": subject,
        "text": text,
        "confidence": round(min(1.0, max(0.0, confidence)), 3),
        "formula": formula,
        "horizon_seconds": None if horizon_s is None else round(horizon_s, 1),
        "evidence": evidence,
        "source": "brain",
        "advisory_only": True,
    }


def evidence(  # noqa: PLR0913 - the fields of the record
    context: Context,
    signal: str,
    value: float,
    *,
    threshold: float | None = None,
    baseline: float | None = None,
    window_s: float | None = None,
    n: int | None = None,
    unit: str = "",
) -> dict[str, Any]:
    """One number that an advisory rests on, with the exposed name it came from."""
    return {
        "signal": signal,
        "value": _short(value),
        "baseline": None if baseline is None else _short(baseline),
        "threshold": None if threshold is None else _short(threshold),
        "window_s": None if window_s is None else round(window_s, 1),
        "unit": unit or context.unit(signal),
        "n": n,
        "source": context.source(signal),
    }


def range_words(crossing: Crossing, promise_s: float) -> str:
    """`in 20–45 s`, never beyond what the fit promises; from two minutes on `not within 2 min, in 4–9 min`."""
    latest = min(promise_s, crossing.latest if crossing.latest is not None else promise_s)
    if crossing.seconds > FAR_S:
        return f"not within 2 min; in {crossing.soonest / 60:.0f}–{latest / 60:.0f} min"
    return f"in {crossing.soonest:.0f}–{latest:.0f} s"


def _short(value: float) -> float:
    """Six significant digits: more would be noise of the arithmetic."""
    return float(f"{value:.6g}")
