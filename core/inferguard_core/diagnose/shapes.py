"""What an engine was doing when it was last seen: the outlying request shapes, the traffic, or the calm of a drain.

A shape is a bucket of the engine's own length histograms, or a leap of the prompt counter; the request that
killed an engine never finished, so its own length is often only in the leap. Nothing here reads a prompt.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from inferguard_core.diagnose.stretch import Stretch, stretch
from inferguard_core.signals import Signal

if TYPE_CHECKING:
    from inferguard_core.history import History
    from inferguard_core.window import Window

LAST_WORDS_S = 60.0
DRAIN_S = 10.0
"""A drain empties the batch and the queue and only then stops the process."""
RARE_SHARE = 0.02
"""A shape is an outlier if no more than this share of the other requests had it."""
COMMON_MIN_N = 50
"""Requests that `rare` needs to mean something: one of them is 2 %."""
LEAP = 8.0
"""Prompt tokens between two polls, against the median of polls with any."""
LEAP_MIN_POLLS = 10
FORGOTTEN_S = 1830.0
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


def crashes(window: Window, known: tuple[Crash, ...], *, down: bool) -> tuple[Crash, ...]:
    """`known` and those since: each restart, and the newest page of an endpoint that no longer answers."""
    history, kept = window.history, [c for c in known if c.unix > window.newest.unix - FORGOTTEN_S]
    ends = [t - 1e-6 for t in history.restarts] + ([window.now] if down else [])
    for end in ends:
        last = history.at_or_before(end)
        if last is not None and all(abs(c.unix - last.unix) > 1.0 for c in kept):
            kept.append(_crash(history, last.t, last.unix))
    return tuple(kept)


def _crash(history: History, t: float, unix: float) -> Crash:
    minute = stretch(history, t - LAST_WORDS_S, t)
    if minute is None:
        return Crash(unix, None, None)
    return Crash(unix, _traffic(minute), _drained(history, t, minute), (*_rare(minute), *_leap(minute)))


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


def _rare(minute: Stretch) -> list[str]:
    """The highest bucket of the last minute, where the requests before hardly ever reached it."""
    found: list[str] = []
    for signal, word in _LENGTHS:
        oldest = minute.history.oldest
        seen, earlier = minute.observations(signal), minute.first.histogram(signal)
        first = oldest.histogram(signal) if oldest is not None else None
        if seen is None or seen.count < 1 or earlier is None or first is None or first.edges != earlier.edges:
            continue
        total = earlier.count - first.count
        index = bisect_left(seen.counts, seen.count)
        reached = total - (earlier.counts[index - 1] - first.counts[index - 1]) if index else total
        if total >= COMMON_MIN_N and reached <= RARE_SHARE * total:
            found.append(f"{word} > {seen.edges[index - 1]:,.0f} tokens")
    return found


def _leap(minute: Stretch) -> list[str]:
    """A poll in which the prompt counter rose many times as far as in others, by the power of two."""
    rows = minute.history.since(minute.first.t - 1e-6)
    values = [
        v for row in rows if row.t <= minute.last.t and (v := row.get(Signal.PROMPT_TOKENS)) is not None
    ]
    rises = [b - a for a, b in pairwise(values) if b > a]
    if len(rises) < LEAP_MIN_POLLS:
        return []
    largest = max(rises)
    if largest < LEAP * median(rises):
        return []
    return [f"prompt burst > {1 << (int(largest).bit_length() - 1):,} tokens"]
