"""The numbers that panels and JSON show: each with its window, its sample count and the metric it came from.

Gauges are instants, rates and quantiles come from the last minute. What cannot be known says why.
"""

from __future__ import annotations

from math import isclose
from typing import TYPE_CHECKING

from inferguard_core.actions.load import tokens_held
from inferguard_core.detect.queue import GAUGE_WINDOW_S, observe
from inferguard_core.frame import Measure, MeasureId
from inferguard_core.load import WHOLE, arrival_rate
from inferguard_core.signals import SIGNALS, Signal
from inferguard_core.window import P99_MIN_N, QUANTILE_MIN_N, Window, bucket_quantile

if TYPE_CHECKING:
    from inferguard_core.detect.limits import Limits
    from inferguard_core.reading import Reading

WINDOW_S = 60.0

_INSTANTS = {
    MeasureId.KV_USAGE: Signal.KV_USAGE,
    MeasureId.KV_CAPACITY_TOKENS: Signal.KV_CAPACITY_TOKENS,
    MeasureId.RUNNING: Signal.RUNNING,
    MeasureId.WAITING: Signal.WAITING,
    MeasureId.WAITING_CAPACITY: Signal.WAITING_CAPACITY,
    MeasureId.WAITING_DEFERRED: Signal.WAITING_DEFERRED,
    MeasureId.SWAPPED: Signal.SWAPPED,
    MeasureId.OPEN_FDS: Signal.OPEN_FDS,
}
_RATES = {
    MeasureId.FINISH_RATE: (Signal.FINISHED, "requests/s"),
    MeasureId.REJECT_RATE: (Signal.REJECTED, "requests/s"),
    MeasureId.PREEMPTION_RATE: (Signal.PREEMPTIONS, "1/s"),
    MeasureId.PROMPT_RATE: (Signal.PROMPT_TOKENS, "tokens/s"),
    MeasureId.PROMPT_COMPUTED_RATE: (Signal.PROMPT_TOKENS_COMPUTED, "tokens/s"),
    MeasureId.GENERATION_RATE: (Signal.GENERATION_TOKENS, "tokens/s"),
}
_QUANTILES = {
    Signal.TTFT: ((MeasureId.TTFT_P50, 0.5), (MeasureId.TTFT_P95, 0.95), (MeasureId.TTFT_P99, 0.99)),
    Signal.ITL: ((MeasureId.ITL_P50, 0.5), (MeasureId.ITL_P95, 0.95)),
}


def measures(window: Window, reading: Reading, limits: Limits) -> dict[str, Measure]:
    """Every measure, known or not, as of the window's newest reading."""
    shown: dict[str, Measure] = {}
    for measure, signal in _INSTANTS.items():
        shown[measure] = _instant(window, reading, signal)
    for measure, (signal, unit) in _RATES.items():
        shown[measure] = _rate(window, reading, signal, unit)
    for signal in _QUANTILES:
        shown |= _quantiles(window, reading, signal)
    shown[MeasureId.TTFT_OVER_GOAL] = _over_goal(window, reading, limits.ttft_objective_s)
    shown |= _queue(window, reading, limits)
    shown[MeasureId.RECOMPUTE_RATE] = _recomputed(window, reading, shown[MeasureId.PREEMPTION_RATE])
    shown[MeasureId.ARRIVAL_RATE] = _arrivals(window, reading)
    shown[MeasureId.PREFIX_HIT_RATE] = _ratio(window, reading, Signal.PREFIX_HITS, Signal.PREFIX_QUERIES)
    shown[MeasureId.SPEC_ACCEPTANCE] = _ratio(
        window, reading, Signal.SPEC_ACCEPTED_TOKENS, Signal.SPEC_DRAFT_TOKENS
    )
    return shown


def _source(reading: Reading, *signals: Signal) -> str:
    return ", ".join(dict.fromkeys(reading.spellings[s] for s in signals if s in reading.spellings))


def _why(reading: Reading, *signals: Signal) -> str:
    absent = [s for s in signals if s not in reading.spellings]
    return f"not exported: {', '.join(absent)}" if absent else "too little data yet"


def _instant(window: Window, reading: Reading, signal: Signal) -> Measure:
    value = window.latest(signal)
    why = "" if value is not None else _why(reading, signal)
    return Measure(value, SIGNALS[signal].unit, source=_source(reading, signal), why_unknown=why)


def _rate(window: Window, reading: Reading, counter: Signal, unit: str) -> Measure:
    increase = window.increase(counter, WINDOW_S)
    if increase is None:
        return Measure(None, unit, WINDOW_S, why_unknown=_why(reading, counter))
    return Measure(increase.rate, unit, increase.seconds, source=_source(reading, counter))


def _quantiles(window: Window, reading: Reading, signal: Signal) -> dict[str, Measure]:
    delta = window.buckets(signal, WINDOW_S)
    source = _source(reading, signal)
    if delta is None:
        why = _why(reading, signal)
        return {m: Measure(None, "seconds", WINDOW_S, why_unknown=why) for m, _ in _QUANTILES[signal]}
    histogram, elapsed = delta
    n = round(histogram.count)
    shown: dict[str, Measure] = {}
    for measure, q in _QUANTILES[signal]:
        needed = P99_MIN_N if q > 0.95 else QUANTILE_MIN_N
        if n < needed:
            shown[measure] = Measure(None, "seconds", elapsed, n, source, f"n {n}, needs {needed}")
        else:
            value, beyond = bucket_quantile(histogram.edges, histogram.counts, q)
            why = f"beyond the last bucket: at least {value:g} s" if beyond else ""
            shown[measure] = Measure(value, "seconds", elapsed, n, source, why)
    return shown


def _over_goal(window: Window, reading: Reading, goal: float) -> Measure:
    share = window.share_over(Signal.TTFT, goal, WINDOW_S)
    if share is None:
        return Measure(None, "ratio", WINDOW_S, why_unknown=_why(reading, Signal.TTFT))
    source = _source(reading, Signal.TTFT)
    if share.n < QUANTILE_MIN_N:
        why = f"n {share.n}, needs {QUANTILE_MIN_N}"
        return Measure(None, "ratio", share.seconds, share.n, source, why)
    bound = "at most" if share.edge < goal else "at least"
    exact = isclose(share.edge, goal)
    why = "" if exact else f"{bound}: counted over {share.edge:g} s, where a bucket ends"
    return Measure(share.over, "ratio", share.seconds, share.n, source, why)


def _queue(window: Window, reading: Reading, limits: Limits) -> dict[str, Measure]:
    queue = observe(window, limits)
    both = _source(reading, Signal.WAITING, Signal.FINISHED)
    if queue is None:
        why = _why(reading, Signal.WAITING)
        return {
            MeasureId.WAIT_ESTIMATE: Measure(None, "seconds", WINDOW_S, why_unknown=why),
            MeasureId.QUEUE_SLOPE: Measure(None, "requests/s", WINDOW_S, why_unknown=why),
        }
    idle = queue.wait_s is None and queue.waiting == 0
    return {
        MeasureId.WAIT_ESTIMATE: Measure(
            0.0 if idle else queue.wait_s,
            "seconds",
            GAUGE_WINDOW_S,
            source=both,
            why_unknown="" if idle or queue.wait_s is not None else "nothing finished within the window",
        ),
        MeasureId.QUEUE_SLOPE: Measure(
            queue.slope,
            "requests/s",
            WINDOW_S,
            source=_source(reading, Signal.WAITING),
            why_unknown="" if queue.slope is not None else "too little data yet",
        ),
    }


def _arrivals(window: Window, reading: Reading) -> Measure:
    rate = arrival_rate(window, WINDOW_S)
    needs = (Signal.FINISHED, Signal.RUNNING, Signal.WAITING)
    if rate is None:
        return Measure(None, "requests/s", WINDOW_S, why_unknown=_why(reading, *needs))
    finished = window.increase(Signal.FINISHED, WINDOW_S)
    seconds = finished.seconds if finished is not None else WINDOW_S
    return Measure(rate, "requests/s", seconds, source=_source(reading, *needs))


def _recomputed(window: Window, reading: Reading, preempted: Measure) -> Measure:
    """What is thrown back is computed again: about the tokens that a running request holds, each time."""
    needs = (Signal.PREEMPTIONS, Signal.KV_USAGE, Signal.KV_CAPACITY_TOKENS, Signal.RUNNING)
    if preempted.value is None:
        return Measure(None, "tokens/s", preempted.window_s, why_unknown=preempted.why_unknown)
    held = tokens_held(window) if preempted.value else 0.0
    if held is None:
        return Measure(None, "tokens/s", preempted.window_s, why_unknown=_why(reading, *needs))
    source = _source(reading, *needs)
    return Measure(preempted.value * held, "tokens/s", preempted.window_s, source=source)


def _ratio(window: Window, reading: Reading, part: Signal, whole: Signal) -> Measure:
    top, bottom = window.increase(part, WINDOW_S), window.increase(whole, WINDOW_S)
    source = _source(reading, part, whole)
    if top is None or bottom is None:
        return Measure(None, "ratio", WINDOW_S, why_unknown=_why(reading, part, whole))
    if bottom.amount <= 0:
        return Measure(
            None, "ratio", bottom.seconds, source=source, why_unknown="nothing counted in the window"
        )
    if top.amount > bottom.amount * WHOLE:
        return Measure(None, "ratio", bottom.seconds, source=source, why_unknown="the counters disagree")
    return Measure(top.amount / bottom.amount, "ratio", bottom.seconds, round(bottom.amount), source)
