"""Running requests thrown back to the queue: vLLM's preemption by recompute, SGLang's retraction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.detect.finding import Finding, Situation, blind, unknown
from inferguard_core.detect.onset import rising_for
from inferguard_core.frame import Severity
from inferguard_core.signals import Signal
from inferguard_core.verdict import Evidence

if TYPE_CHECKING:
    from inferguard_core.detect.limits import Limits
    from inferguard_core.window import Increase, Window


def preemption(window: Window, limits: Limits, situation: Situation) -> Finding:
    """More than one a minute over five minutes and a burst now, or a share of the completions.

    A share needs two preemptions as well: a single one in a quiet minute is how an engine makes room.
    """
    if Signal.PREEMPTIONS not in situation.spellings:
        return blind("preemption", Signal.PREEMPTIONS)
    short = window.increase(Signal.PREEMPTIONS, limits.preemption_window)
    long = window.increase(Signal.PREEMPTIONS, limits.preemption_long_window)
    if short is None or long is None:
        return unknown("preemption")
    finished = window.increase(Signal.FINISHED, limits.preemption_long_window)
    share = _share(long, finished)
    per_minute = long.rate * 60.0
    burst = short.amount >= limits.preemption_burst
    often = burst and per_minute > limits.preemption_per_minute
    many = (
        short.amount >= 1 and long.amount >= 2 and share is not None and share > limits.preemption_of_finished
    )
    critical = (often or many) and (
        (share is not None and share > limits.preemption_critical_of_finished)
        or bool(situation.active & {"ttft_high", "itl_high"})
    )
    return Finding(
        "preemption",
        hot=often or many,
        cool=short.amount == 0,
        for_s=0.0,
        keep_s=max(0.0, limits.preemption_keep - limits.preemption_window),
        severity=Severity.CRITICAL if critical else Severity.WARNING,
        summary=_summary(short, share),
        evidence=_evidence(short, long, share, limits, situation),
        since_s=rising_for(window, Signal.PREEMPTIONS, limits.preemption_window) if often or many else 0.0,
    )


def _share(preempted: Increase, finished: Increase | None) -> float | None:
    """Preemptions per completion; None where completions are unknown, all where nothing completed."""
    if finished is None:
        return None
    return preempted.amount / max(finished.amount, 1.0)


def _summary(short: Increase, share: float | None) -> str:
    line = f"{short.amount:.0f} preempted in {short.seconds:.0f} s"
    return line if share is None else f"{line}, {share:.1%} of completions"


def _evidence(
    short: Increase, long: Increase, share: float | None, limits: Limits, situation: Situation
) -> tuple[Evidence, ...]:
    source = situation.source(Signal.PREEMPTIONS)
    rows = [
        Evidence(
            "preemptions",
            short.amount,
            "requests",
            limits.preemption_burst,
            None,
            short.seconds,
            source=source,
        ),
        Evidence(
            "preemption_rate",
            long.rate,
            "1/s",
            limits.preemption_per_minute / 60.0,
            None,
            long.seconds,
            source=source,
        ),
    ]
    if share is not None:
        both = situation.source(Signal.PREEMPTIONS, Signal.FINISHED)
        rows.append(
            Evidence(
                "preemptions_per_completion",
                share,
                "ratio",
                limits.preemption_of_finished,
                None,
                long.seconds,
                source=both,
            )
        )
    return tuple(rows)
