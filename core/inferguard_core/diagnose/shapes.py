"""What an engine was doing when it was last seen: the outlying request shapes, the traffic, or the calm of a drain.

A shape is a bucket of the engine's own length histograms, or a leap of the prompt counter; the request that
killed an engine never finished, so its own length is often only in the leap. Nothing here reads a prompt.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from inferguard_core.diagnose.stretch import Stretch, stretch
from inferguard_core.signals import Signal
from inferguard_core.window import bucket_quantile

if TYPE_CHECKING:
    from inferguard_core.history import History, Row
    from inferguard_core.window import Window

LAST_WORDS_S = 60.0
DRAIN_S = 10.0
"""A drain empties the batch and the queue and only then stops the process."""
RARE_SHARE = 0.02
"""A shape is an outlier if no more than this share of the requests before had it, and"""
FAR = 2.0
"""its bucket begins at this multiple of their p95: one in fifty long ones is in every minute."""
COMMON_MIN_N = 50
LEAP = 2.0
"""Prompt tokens between two of the last polls, against the most there ever were. Those that had to be computed,
where they are counted: what the cache holds needs no memory, and hides the one prompt that does."""
LEAP_MIN_POLLS = 10
EARLIER_S = 240.0
"""With the minute before the end within what the history keeps whole: thinned rows lie further apart and leap."""
FORGOTTEN_S = 1830.0
BURST = "prompt burst > "
PROMPT = "prompt > "
_LENGTHS = (
    (Signal.REQUEST_PROMPT_TOKENS, "prompt"),
    (Signal.REQUEST_GENERATION_TOKENS, "output"),
)


@dataclass(frozen=True, slots=True)
class Crash:
    """A process that is no more, as it was last seen."""

    unix: float
    """Of the last page."""
    traffic: bool | None
    drained: bool | None
    shapes: tuple[str, ...] = ()
    """Outlying request shapes of its last minute: `prompt > 5,000 tokens`."""
    burst: float = 0.0
    """Tokens of the leap of the prompt counter that is among `shapes`; 0 where there is none."""


def seen_with(shape: str, crash: Crash) -> bool:
    """Whether a crash had `shape` before it. A long prompt may show as a leap of the counter that has room for it."""
    if shape in crash.shapes:
        return True
    least = shape.removeprefix(PROMPT)
    return least != shape and crash.burst >= float(least.removesuffix(" tokens").replace(",", ""))


def crashes(window: Window, known: tuple[Crash, ...], *, down: bool) -> tuple[Crash, ...]:
    """`known` and those since: each restart, and the newest page of an endpoint that no longer answers."""
    history, kept = window.history, [c for c in known if c.unix > window.newest.unix - FORGOTTEN_S]
    ends = [t - 1e-6 for t in history.restarts] + ([window.now] if down else [])
    for end in ends:
        last = history.at_or_before(end)
        if last is not None and not _known(kept, last, end):
            kept.append(_crash(history, last, kept))
    return tuple(kept)


def _known(kept: list[Crash], last: Row, end: float) -> bool:
    """Whether one of `kept` is the end of this process.

    An old history has only some of its rows left, and its last one may lie before the page that was the last.
    """
    return any(-1.0 < crash.unix - last.unix < end - last.t + 1.0 for crash in kept)


def _crash(history: History, last: Row, others: list[Crash]) -> Crash:
    t, unix = last.t, last.unix
    minute = stretch(history, t - LAST_WORDS_S, t)
    if minute is None:
        return Crash(unix, None, None)
    burst = _leap(minute, others)
    named = [f"{BURST}{1 << (int(burst).bit_length() - 1):,} tokens"] if burst else []
    shapes = (*_rare(minute), *named)
    return Crash(unix, _traffic(minute), _drained(history, t, minute), shapes, burst)


def _traffic(minute: Stretch) -> bool | None:
    rises = [minute.rise(s) for s in (Signal.FINISHED, Signal.GENERATION_TOKENS, Signal.PROMPT_TOKENS)]
    running = minute.last.get(Signal.RUNNING)
    if running is None and all(r is None for r in rises):
        return None
    return bool(running) or any(rises)


def _drained(history: History, t: float, minute: Stretch) -> bool | None:
    """Idle to the end after traffic in the same minute; an engine that was idle all along tells nothing."""
    calm = stretch(history, t - DRAIN_S, t)
    if calm is None or calm.seconds < DRAIN_S / 2:
        return None
    held = [*calm.values(Signal.RUNNING), *calm.values(Signal.WAITING)]
    if not held:
        return None
    if any(held):
        return False
    return True if _traffic(minute) else None


def _rare(last: Stretch) -> list[str]:
    """The highest bucket of the last minute, where it is rare and far beyond the lengths that were usual."""
    found: list[str] = []
    for signal, word in _LENGTHS:
        oldest = last.history.oldest
        seen, earlier = last.observations(signal), last.first.histogram(signal)
        first = oldest.histogram(signal) if oldest is not None else None
        if seen is None or seen.count < 1 or earlier is None or first is None or first.edges != earlier.edges:
            continue
        usual = [b - a for a, b in zip(first.counts, earlier.counts, strict=True)]
        index = bisect_left(seen.counts, seen.count)
        if index == 0 or usual[-1] < COMMON_MIN_N:
            continue
        edge, reached = seen.edges[index - 1], usual[-1] - usual[index - 1]
        long, _ = bucket_quantile(seen.edges, usual, 0.95)
        if reached <= RARE_SHARE * usual[-1] and edge >= FAR * long:
            found.append(f"{word} > {edge:,.0f} tokens")
    return found


def _leap(last: Stretch, others: list[Crash]) -> float:
    """Tokens by which the prompt counter rose in a poll in which it rose further than ever before, else 0.

    The last words of other crashes are no measure: what is suspected now may have come then as well.
    """
    counted = last.last.get(Signal.PROMPT_TOKENS_COMPUTED) is not None
    signal = Signal.PROMPT_TOKENS_COMPUTED if counted else Signal.PROMPT_TOKENS
    rows = last.history.since(last.first.t - EARLIER_S)
    points = [(row.t, v) for row in rows if row.t <= last.last.t and (v := row.get(signal)) is not None]
    rises = [(t, b - a) for (_, a), (t, b) in pairwise(points) if b > a]
    ends = [last.last.t - (last.last.unix - other.unix) for other in others]
    usual = [(t, rise) for t, rise in rises if all(not end - LAST_WORDS_S <= t <= end for end in ends)]
    earlier = [rise for t, rise in usual if t <= last.first.t]
    largest = max((rise for t, rise in rises if t > last.first.t), default=0.0)
    return largest if len(earlier) >= LEAP_MIN_POLLS and largest >= LEAP * max(earlier) else 0.0
