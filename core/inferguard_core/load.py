"""Numbers of load that rules, baselines and measures derive alike from a window: rates, ratios, lengths, batches.

Counters are preferred to gauges: an instant gauge of a healthy engine reads 0 while requests run. Every function
gives None where the window does not say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from inferguard_core.signals import Signal
from inferguard_core.window import Increase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inferguard_core.history import Row
    from inferguard_core.window import Window

RATE_WINDOW_S = 60.0
STRETCH_S = 15.0
"""One look at decoding: long enough for a few hundred tokens, short against a change of load."""
STRETCH_MIN_TOKENS = 50.0
PREFILL_SHARE = 8.0
"""More prompt tokens computed than this many times those generated: the steps were those of prefill."""


WHOLE = 1.05
"""A part larger than its whole by more than a rounding is no part: one of the two counters is sick."""


class Ratio(NamedTuple):
    """A part of a whole, both counted over the same seconds."""

    part: float
    whole: float
    seconds: float

    @property
    def share(self) -> float:
        return self.part / self.whole


class Decoding(NamedTuple):
    """How one stretch of time decoded."""

    batch: float
    """Requests decoding at once, by Little's law: seconds spent between tokens ÷ seconds."""
    itl: float
    """Mean seconds between tokens."""
    plain: bool
    """Prefill was not what the steps were spent on."""


def ratio(window: Window, part: Signal, whole: Signal, seconds: float) -> Ratio | None:
    """Rise of `part` ÷ rise of `whole` over the last `seconds`; None where that says nothing."""
    top, bottom = window.increase(part, seconds), window.increase(whole, seconds)
    if top is None or bottom is None or bottom.amount <= 0.0 or top.amount > bottom.amount * WHOLE:
        return None
    return Ratio(top.amount, bottom.amount, bottom.seconds)


def generated(window: Window, seconds: float) -> Increase | None:
    """Tokens generated.

    From the inter-token latency's count where that has moved further: old SGLang counts a request's tokens only
    when it ends, but observes each interval.
    """
    counted = window.increase(Signal.GENERATION_TOKENS, seconds)
    timed = window.buckets(Signal.ITL, seconds)
    if timed is not None and (counted is None or timed[0].count > counted.amount):
        return Increase(timed[0].count, timed[1])
    return counted


def computed(window: Window, seconds: float) -> Increase | None:
    """Prompt tokens computed here; where they are not counted, those looked up in the prefix cache and not found."""
    counted = window.increase(Signal.PROMPT_TOKENS_COMPUTED, seconds)
    if counted is not None:
        return counted
    queries, hits = (
        window.increase(Signal.PREFIX_QUERIES, seconds),
        window.increase(Signal.PREFIX_HITS, seconds),
    )
    if queries is None or hits is None:
        return None
    return Increase(max(0.0, queries.amount - hits.amount), queries.seconds)


def arrival_rate(window: Window, seconds: float) -> float | None:
    """Requests per second by conservation: what finished plus what was added to the batch and the queue."""
    finished = window.increase(Signal.FINISHED, seconds)
    if finished is None:
        return None
    added = 0.0
    for gauge in (Signal.RUNNING, Signal.WAITING):
        points = window.points(gauge, seconds)
        if not points:
            return None
        added += points[-1][1] - points[0][1]
    return max(0.0, (finished.amount + added) / finished.seconds)


def mean_of(window: Window, signal: Signal, seconds: float) -> float | None:
    """Mean of a histogram's observations."""
    delta = window.buckets(signal, seconds)
    return None if delta is None or delta[0].count < 1 else delta[0].total / delta[0].count


def tokens_per_running(window: Window, seconds: float) -> float | None:
    """KV tokens that one running request holds, on average over the last `seconds`."""
    capacity = window.latest(Signal.KV_CAPACITY_TOKENS)
    usage, running = window.mean(Signal.KV_USAGE, seconds), window.mean(Signal.RUNNING, seconds)
    if capacity is None or usage is None or not running:
        return None
    return usage * capacity / running


def decoding(window: Window, stretches: int) -> list[Decoding]:
    """The newest `stretches` of `STRETCH_S` seconds, newest first, without those that decoded next to nothing."""
    found: list[Decoding] = []
    for later, earlier in _stretches(window, stretches):
        end, begin = later.histogram(Signal.ITL), earlier.histogram(Signal.ITL)
        if end is None or begin is None or end.edges != begin.edges:
            continue
        tokens, spent = end.count - begin.count, end.total - begin.total
        if tokens < STRETCH_MIN_TOKENS or spent <= 0.0:
            continue
        prefilled = _risen(later, earlier, Signal.PROMPT_TOKENS_COMPUTED)
        plain = prefilled is None or prefilled <= PREFILL_SHARE * tokens
        found.append(Decoding(spent / (later.t - earlier.t), spent / tokens, plain))
    return found


def _stretches(window: Window, count: int) -> Iterator[tuple[Row, Row]]:
    later = window.newest
    for i in range(1, count + 1):
        earlier = window.history.at_or_before(window.now - i * STRETCH_S)
        if earlier is None:
            return
        if STRETCH_S / 2 <= later.t - earlier.t <= 3 * STRETCH_S:
            yield later, earlier
        later = earlier


def _risen(later: Row, earlier: Row, counter: Signal) -> float | None:
    end, begin = later.get(counter), earlier.get(counter)
    return None if end is None or begin is None else end - begin
