"""Requests that did not end well: engine errors, aborts, refusals, server errors, and clients that hung up.

Recent vLLM counts a client that hangs up nowhere; it shows as a generate call that was answered 2xx and that the
engine never finished. A 4xx is the client's mistake and no trouble of the engine's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from inferguard_core.counted import counted
from inferguard_core.detect.finding import Finding, Situation, blind, unknown
from inferguard_core.detect.onset import outrun_for, rising_for
from inferguard_core.frame import Severity
from inferguard_core.load import RATE_WINDOW_S
from inferguard_core.reading import Engine
from inferguard_core.signals import Signal
from inferguard_core.verdict import Evidence

if TYPE_CHECKING:
    from inferguard_core.detect.limits import Limits
    from inferguard_core.window import Window

COUNTED = {
    Signal.FINISHED_ERROR: "engine errors",
    Signal.FINISHED_ABORT: "aborts",
    Signal.REJECTED: "refused",
    Signal.HTTP_5XX: "5xx",
}
HUNG_UP = "hung_up"
INPUTS = (Signal.FINISHED_ERROR, Signal.FINISHED_ABORT, Signal.HTTP_2XX, Signal.HTTP_5XX)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How the requests of the last minute ended."""

    failed: dict[str, float]
    """By signal, or `hung_up`; only what is known."""
    mistaken: float
    """Answered 4xx."""
    attempts: float
    """All that ended, however."""
    seconds: float

    @property
    def failures(self) -> float:
        return sum(self.failed.values())

    def share(self, part: float) -> float:
        return part / self.attempts if self.attempts > 0 else 0.0


def request_errors(window: Window, limits: Limits, situation: Situation) -> Finding:
    """Failed requests ÷ all over a minute. Many 4xx alone are a notice."""
    if not any(s in situation.spellings for s in INPUTS):
        return blind("request_errors", *INPUTS)
    found = _outcomes(window, situation)
    if found is None:
        return unknown("request_errors")
    share, mistaken = found.share(found.failures), found.share(found.mistaken)
    failing = share > limits.errors_share and found.failures >= limits.errors_min
    mistaking = mistaken > limits.errors_share and found.mistaken >= limits.errors_min
    since = _since(window, situation, found) if failing else 0.0
    return Finding(
        "request_errors",
        hot=failing or mistaking,
        cool=share < limits.errors_clear_share and mistaken < limits.errors_share,
        for_s=limits.errors_for,
        keep_s=limits.errors_keep,
        severity=_severity(share, limits, failing=failing),
        summary=_summary(found, share if failing else mistaken, failing=failing),
        evidence=_evidence(found, share, limits, situation),
        since_s=since,
        held_s=since,
    )


def _outcomes(window: Window, situation: Situation) -> Outcomes | None:
    rises = {s: window.increase(s, RATE_WINDOW_S) for s in (*COUNTED, Signal.FINISHED)}
    finished = rises.pop(Signal.FINISHED)
    answered = window.increase(Signal.HTTP_2XX, RATE_WINDOW_S)
    if finished is None and answered is None:
        return None
    failed: dict[str, float] = {s: rise.amount for s, rise in rises.items() if rise is not None}
    done = finished.amount if finished is not None else 0.0
    if situation.engine is Engine.VLLM and finished is not None and answered is not None:
        failed[HUNG_UP] = max(0.0, answered.amount - finished.amount)
    mistakes = window.increase(Signal.HTTP_4XX, RATE_WINDOW_S)
    mistaken = mistakes.amount if mistakes is not None else 0.0
    ended = max(done, answered.amount if answered is not None else 0.0)
    outside = sum(failed.get(s, 0.0) for s in (Signal.REJECTED, Signal.HTTP_5XX))
    if situation.engine is Engine.SGLANG:
        outside += failed.get(Signal.FINISHED_ABORT, 0.0)
    known = finished or answered
    assert known is not None
    attempts = max(ended + mistaken + outside, sum(failed.values()))
    return Outcomes(failed, mistaken, attempts, known.seconds)


def _severity(share: float, limits: Limits, *, failing: bool) -> Severity:
    if not failing:
        return Severity.NOTICE
    return Severity.CRITICAL if share > limits.errors_critical_share else Severity.WARNING


def _summary(found: Outcomes, share: float, *, failing: bool) -> str:
    if not failing:
        return (
            f"{counted(found.mistaken, 'request')} answered 4xx in {found.seconds:.0f} s, {share:.0%} of all"
        )
    words: dict[str, str] = {HUNG_UP: "clients hung up"} | {s.value: w for s, w in COUNTED.items()}
    parts = ", ".join(f"{n:.0f} {words[k]}" for k, n in found.failed.items() if n)
    return f"{share:.0%} of requests failed in {found.seconds:.0f} s: {parts}"


def _evidence(found: Outcomes, share: float, limits: Limits, situation: Situation) -> tuple[Evidence, ...]:
    n = round(found.attempts)
    base = situation.source(Signal.FINISHED, Signal.HTTP_2XX)
    rows = [Evidence("failed_share", share, "ratio", limits.errors_share, None, found.seconds, n, base)]
    for key, amount in (*found.failed.items(), (Signal.HTTP_4XX.value, found.mistaken)):
        if amount:
            source = base if key == HUNG_UP else situation.source(Signal(key))
            rows.append(Evidence(key, amount, "requests", None, None, found.seconds, source=source))
    return tuple(rows)


def _since(window: Window, situation: Situation, found: Outcomes) -> float:
    """Seconds since the first failure of the minute."""
    since = [rising_for(window, s, RATE_WINDOW_S) for s in COUNTED if found.failed.get(s, 0.0) > 0]
    if found.failed.get(HUNG_UP, 0.0) > 0:
        since.append(outrun_for(window, situation, Signal.HTTP_2XX, Signal.FINISHED, RATE_WINDOW_S))
    return max(since, default=0.0)
