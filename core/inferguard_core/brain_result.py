"""What the brain answered, as a BrainResult; the gate through which anything of it reaches a Frame.

The answer may come from another machine, so every field is checked and every text made printable. A diagnosis is
never taken as given: the brain may only put the causes that the rules ranked into another order, and their scores
stay those of the rules. What is not of the documented form is left out, and said to be.
"""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING, Final

from inferguard_core.diagnose import SIGNATURES
from inferguard_core.diagnose.diagnosis import actuation, risk_level
from inferguard_core.followup import BrainAdvisory, BrainResult
from inferguard_core.printable import printable
from inferguard_core.verdict import Evidence

if TYPE_CHECKING:
    from inferguard_core.frame import Severity
    from inferguard_core.verdict import Diagnosis

SCHEMA: Final = "inferguard.brain.result/1"
ADVISORY_TYPES: Final = frozenset(
    {
        "capacity_cliff_predicted",
        "degradation_trend",
        "preemptive_compaction",
        "preemptive_recycle",
        "prior_pattern_match",
    }
)
SOURCES: Final = frozenset({"rules", "direct", "decomposed"})
MAX_ADVISORIES: Final = 12
EVIDENCE: Final = 6
MAX_LINES: Final = 40
TEXT: Final = 400
SENT_LINES: Final = 400
SENT_TEXT: Final = 550
"""Lines of what was sent to a model, and characters of one."""


def brain_result(
    data: object, unix: float, concluded: Diagnosis | None, severity: Severity, asked_about: str = ""
) -> BrainResult:
    """The answer `data`, given at `unix`, about an endpoint whose rules `concluded` so. Never raises.

    `asked_about` is what the incident was called in the question, where that hid its host.
    """
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        return BrainResult(unix, "rules", error=f"the brain's answer is not {SCHEMA}")
    source = data.get("source")
    raw = data.get("advisories")
    given = raw if isinstance(raw, list) else []
    advisories = [a for one in given[:MAX_ADVISORIES] if (a := _advisory(one)) is not None]
    error = data.get("error")
    problems = [] if error is None else [printable(str(error), TEXT)]
    if len(advisories) < min(len(given), MAX_ADVISORIES) or not isinstance(raw, list):
        problems.append("advisories of another form were left out")
    return BrainResult(
        unix=unix,
        source=source if isinstance(source, str) and source in SOURCES else "rules",
        advisories=tuple(advisories),
        diagnosis=_refined(data.get("diagnosis"), concluded, severity, asked_about),
        narrative=_lines(data.get("narrative")),
        unverified=_lines(data.get("unverified")),
        trace=_lines(data.get("trace")),
        sent=_sent(data.get("sent")),
        error="; ".join(problems),
    )


def _advisory(raw: object) -> BrainAdvisory | None:
    if not isinstance(raw, dict) or raw.get("advisory_type") not in ADVISORY_TYPES:
        return None
    confidence, horizon = _number(raw.get("confidence")), raw.get("horizon_seconds")
    seconds = None if horizon is None else _number(horizon)
    if confidence is None or not 0.0 <= confidence <= 1.0 or (horizon is not None and seconds is None):
        return None
    if raw.get("advisory_only") is not True or not isinstance(raw.get("text"), str):
        return None
    rows = raw.get("evidence")
    return BrainAdvisory(
        advisory_type=str(raw["advisory_type"]),
        text=printable(raw["text"], TEXT),
        confidence=confidence,
        formula=printable(str(raw.get("formula", "")), TEXT),
        horizon_seconds=None if seconds is None else max(0.0, seconds),
        evidence=tuple(e for one in rows[:MAX_ADVISORIES] if (e := _evidence(one)) is not None)
        if isinstance(rows, list)
        else (),
        source="llm" if raw.get("source") == "llm" else "brain",
    )


def _evidence(raw: object) -> Evidence | None:
    if not isinstance(raw, dict) or not isinstance(raw.get("signal"), str):
        return None
    n = _number(raw.get("n"))
    return Evidence(
        signal=printable(raw["signal"], 60),
        value=_number(raw.get("value")),
        unit=printable(str(raw.get("unit") or "1"), 20),
        threshold=_number(raw.get("threshold")),
        baseline=_number(raw.get("baseline")),
        window_s=_number(raw.get("window_s")),
        n=None if n is None else int(n),
        source=printable(str(raw.get("source") or ""), 120),
    )


def _refined(
    raw: object, concluded: Diagnosis | None, severity: Severity, asked_about: str
) -> Diagnosis | None:
    """The rules' diagnosis with the brain's cause first; None where that is not what was answered."""
    if not isinstance(raw, dict) or concluded is None:
        return None
    if raw.get("incident_id") != (asked_about or concluded.incident_id):
        return None
    leading = raw.get("cause")
    return led_by(leading, concluded, severity) if isinstance(leading, str) else None


def led_by(leading: str, concluded: Diagnosis, severity: Severity) -> Diagnosis | None:
    """`concluded` with another of its ranked causes first, scores unchanged; None for one that it did not rank."""
    ranked = {score.cause: score for score in concluded.ranked}
    signature = SIGNATURES.get(leading)
    if leading not in ranked or signature is None:
        return None
    first = ranked[leading]
    same = leading == concluded.cause
    rows = dict.fromkeys(e for c in first.speaks_for for e in c.evidence)
    return replace(
        concluded,
        cause=leading,
        failure_mode=concluded.failure_mode if same else signature.failure_mode,
        confidence=first.confidence,
        ranked=(first, *(score for score in concluded.ranked if score.cause != leading)),
        source="llm",
        risk_level=risk_level(signature, severity),
        actuation_recommendation=actuation(signature, first),
        evidence=concluded.evidence if same else tuple(rows)[:EVIDENCE],
        wrong_lever=concluded.wrong_lever if same else None,
    )


def _sent(raw: object) -> tuple[str, ...]:
    messages = [one for one in raw if isinstance(one, str)] if isinstance(raw, list) else []
    lines = [line for message in messages for line in message.splitlines() if line.strip()]
    return tuple(printable(line, SENT_TEXT) for line in lines[:SENT_LINES])


def _lines(raw: object) -> tuple[str, ...]:
    if not isinstance(raw, list):
        return ()
    return tuple(printable(one, TEXT) for one in raw[:MAX_LINES] if isinstance(one, str) and one.strip())


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None
