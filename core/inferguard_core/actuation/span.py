"""What an endpoint did over one span, as far as any action's success is told by it."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from inferguard_core.comparison import Period, held_in, period
from inferguard_core.signals import Signal

if TYPE_CHECKING:
    from inferguard_core.detect.limits import Limits
    from inferguard_core.window import Window

CRASHES_S = 900.0
"""Crashes of a quarantined shape are counted over a quarter of an hour."""


@dataclass(frozen=True, slots=True)
class Span:
    """None is unknown."""

    period: Period
    running: float | None = None
    waiting: float | None = None
    kv_usage: float | None = None
    finished: float | None = None
    prompt_tokens: float = 0.0
    """Looked up in the prefix cache."""
    hit_rate: float | None = None
    drafted: float = 0.0
    acceptance: float | None = None
    held: float | None = None
    """Requests in the engine, running or waiting: the mean, and the most."""
    held_most: float | None = None
    restarts: int = 0
    crashes: int = 0
    """Restarts of the last `CRASHES_S`."""

    @property
    def seconds(self) -> float:
        return self.period.seconds

    @property
    def held_share(self) -> float | None:
        """Share of the pool that one running request holds."""
        if self.kv_usage is None or not self.running:
            return None
        return self.kv_usage / self.running


def span(window: Window, seconds: float, limits: Limits) -> Span:
    """The last `seconds` of a window, or as much of them as there is."""
    seconds = min(seconds, window.history.span_s)
    finished = window.increase(Signal.FINISHED, seconds)
    queries, hit_rate = _share(window, Signal.PREFIX_QUERIES, Signal.PREFIX_HITS, seconds)
    drafted, acceptance = _share(window, Signal.SPEC_DRAFT_TOKENS, Signal.SPEC_ACCEPTED_TOKENS, seconds)
    restarts = window.history.restarts
    held = [h for row in window.history.since(window.now - seconds) if (h := held_in(row)) is not None]
    return Span(
        period=period(window, seconds, limits),
        running=window.mean(Signal.RUNNING, seconds),
        waiting=window.mean(Signal.WAITING, seconds),
        kv_usage=window.mean(Signal.KV_USAGE, seconds),
        finished=None if finished is None else finished.amount,
        prompt_tokens=queries,
        hit_rate=hit_rate,
        drafted=drafted,
        acceptance=acceptance,
        held=fmean(held) if held else None,
        held_most=max(held, default=None),
        restarts=sum(1 for t in restarts if t > window.now - seconds),
        crashes=sum(1 for t in restarts if t > window.now - CRASHES_S),
    )


def _share(window: Window, of: Signal, part: Signal, seconds: float) -> tuple[float, float | None]:
    """(how much of `of` there was, which share of it `part` was)."""
    whole, some = window.increase(of, seconds), window.increase(part, seconds)
    if whole is None or some is None or whole.amount <= 0:
        return 0.0, None
    return whole.amount, min(1.0, max(0.0, some.amount / whole.amount))
