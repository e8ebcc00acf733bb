"""What a signal or a metric name means, and what each engine calls it."""

from __future__ import annotations

from difflib import get_close_matches

from inferguard_core.coverage.ranges import LINES, spelled, spellings
from inferguard_core.frame import MeasureId
from inferguard_core.printable import printable
from inferguard_core.signals import SIGNALS, Signal
from inferguard_tui.mcp_server.answers import Exposed, SignalAnswer

_MEASURED_BY = {
    MeasureId.WAIT_ESTIMATE: Signal.WAITING,
    MeasureId.QUEUE_SLOPE: Signal.WAITING,
    MeasureId.ARRIVAL_RATE: Signal.FINISHED,
    MeasureId.FINISH_RATE: Signal.FINISHED,
    MeasureId.PREEMPTION_RATE: Signal.PREEMPTIONS,
    MeasureId.TTFT_P50: Signal.TTFT,
    MeasureId.TTFT_P95: Signal.TTFT,
    MeasureId.TTFT_P99: Signal.TTFT,
    MeasureId.TTFT_OVER_GOAL: Signal.TTFT,
    MeasureId.ITL_P50: Signal.ITL,
    MeasureId.ITL_P95: Signal.ITL,
    MeasureId.PROMPT_RATE: Signal.PROMPT_TOKENS,
    MeasureId.PROMPT_COMPUTED_RATE: Signal.PROMPT_TOKENS_COMPUTED,
    MeasureId.GENERATION_RATE: Signal.GENERATION_TOKENS,
    MeasureId.SPEC_ACCEPTANCE: Signal.SPEC_ACCEPTED_TOKENS,
}
"""Measures that are computed from a signal of another name."""


def explain(name: str) -> SignalAnswer | str:
    """The signal that `name` is, is measured by, or is spelled as; else a line with near names."""
    wanted = name.strip()
    signal = _known(wanted)
    if signal is None:
        known = [*SIGNALS, *_MEASURED_BY]
        near = get_close_matches(wanted.lower(), known, n=3, cutoff=0.5) or sorted(known)[:60]
        return f"no signal {printable(wanted, 60)!r}; near it: {', '.join(near)}"
    info = SIGNALS[signal]
    return SignalAnswer(
        signal=signal.value,
        kind=info.kind.value,
        unit=info.unit,
        meaning=info.meaning,
        exposed_as=_exposed(signal),
    )


def _exposed(signal: Signal) -> dict[str, list[Exposed]]:
    return {
        line.title: [
            Exposed(name=spelling.replace("`", ""), versions=spelled(found, line))
            for spelling, found in spellings(signal, line)
        ]
        for line in LINES
    }


def _known(wanted: str) -> Signal | None:
    if wanted in SIGNALS:
        return Signal(wanted)
    if wanted in _MEASURED_BY:
        return _MEASURED_BY[MeasureId(wanted)]
    metric = wanted.partition("{")[0].removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
    names = {metric, metric.removesuffix("_total")}
    for signal in SIGNALS:
        for answers in _exposed(signal).values():
            if any(answer.name.lstrip("+ ").partition("{")[0] in names for answer in answers):
                return signal
    return None
