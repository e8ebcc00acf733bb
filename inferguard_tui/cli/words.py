"""Numbers and names as plain words for the headless commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.counted import COUNTS
from inferguard_core.followup import Outcome
from inferguard_core.reading import Engine

if TYPE_CHECKING:
    from inferguard_core.followup import Execution
    from inferguard_core.frame import EndpointFrame, Measure

UNKNOWN = "—"
_NAMES = {Engine.VLLM: "vLLM", Engine.SGLANG: "SGLang", Engine.UNKNOWN: ""}


def engine_words(frame: EndpointFrame) -> str:
    """`vLLM 0.32.0`, or as much of it as is known."""
    return " ".join(part for part in (_NAMES[frame.engine], frame.engine_version or "") if part)


def amount(measure: Measure | None) -> str:
    """A measure with its unit, and its sample count where it is a quantile."""
    if measure is None or measure.value is None:
        return UNKNOWN
    value, unit = measure.value, measure.unit
    if unit == "ratio":
        return f"{value:.1%}"
    if unit == "seconds":
        counted = "" if measure.n is None else f" (n {measure.n})"
        return f"{value:.3g} s{counted}"
    if unit in ("requests", "tokens", "1"):
        return f"{value:,.0f}"
    shown = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{shown} {unit.replace('tokens', 'tok').replace('1/s', '/s')}"


_OUTCOMES = {
    Outcome.DRY_RUN: "nothing was sent",
    Outcome.REFUSED: "refused",
    Outcome.SENDING: "sending",
    Outcome.APPLIED: "applied",
    Outcome.REJECTED: "rejected by the receiver",
    Outcome.UNKNOWN: "outcome unknown",
    Outcome.NOT_SENT: "not sent",
}


def execution_words(execution: Execution) -> str:
    """One line: what was tried, what came of it, and, once that is known, whether it helped."""
    label = "dry run" if execution.mode == "dry_run" else "live   "
    said = f"{label}  {execution.action_type.value}: {_OUTCOMES[execution.outcome]}{_asked(execution)}"
    if execution.detail:
        said += f"; {execution.detail}"
    if execution.grade is not None:
        said += f"; {execution.grade.value}: {'; '.join(execution.verification)}"
    return said


def _asked(execution: Execution) -> str:
    """The parameters of what was not refused."""
    given = execution.payload.get("parameters")
    if execution.outcome is Outcome.REFUSED or not isinstance(given, dict):
        return ""
    words = (
        f"{k} {v:{'.0f' if k in COUNTS else 'g'}}" if isinstance(v, int | float) else f"{k} {v}"
        for k, v in given.items()
    )
    return f" ({', '.join(words)})" if given else ""
