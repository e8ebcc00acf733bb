"""How much an endpoint holds and how fast it works, measured over stated windows: what parameters come from."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from math import ceil, floor, inf, isfinite
from statistics import fmean, median
from typing import TYPE_CHECKING

from inferguard_core.signals import Signal
from inferguard_core.verdict import Evidence
from inferguard_core.window import QUANTILE_MIN_N

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inferguard_core.detect.finding import Situation
    from inferguard_core.scene import Scene
    from inferguard_core.window import Window

PRESENT_S = 15.0
"""Running is an instant gauge: the present level is its median over this many seconds."""
RATE_S = 60.0
LIVES_S = 300.0
"""Span of finished requests whose mean length tells what one holds over its life."""
REUSE_S = 30.0
"""Hit rate decides a step of CONCUR: over a longer span a cache that has just collapsed still reads as warm."""
FULL_USAGE, FULL_LEAST = 0.9, 3
"""A pool is full from this usage on; so many readings of it tell what it holds."""
HEALTHY_S = 120.0
"""Span before the onset whose mean concurrency is the level last seen healthy."""
THROTTLE_LEAST, THROTTLE_MOST = 0.5, 0.9
"""Shares of the present running count that a throttle stays within: halving is CONCUR's step, a tenth is the
least that shows."""


@dataclass(frozen=True, slots=True)
class Load:
    """None is unknown."""

    running: float | None = None
    running_peak: float | None = None
    waiting: float | None = None
    in_flight: float | None = None
    """Mean of running + waiting over half a minute."""
    usage: float | None = None
    pool_tokens: float | None = None
    tokens_held: float | None = None
    """Per running request: KV usage · pool ÷ running now, or what finished ones held over their lives if more.

    Requests that have just begun hold less than they will.
    """
    fits: float | None = None
    """L*, requests of this size that the pool holds: pool ÷ tokens held; running ÷ usage without a pool size."""
    finish_rate: float | None = None
    hit_rate: float | None = None
    turnover_s: float | None = None
    """Seconds in which computed and generated tokens would fill the pool once."""
    evicted_rate: float | None = None
    healthy_in_flight: float | None = None

    @property
    def throttled(self) -> int | None:
        """Running requests after a throttle to L*: whole, within the bounds, below the present."""
        return None if self.fits is None else bounded(self.fits, self.running)


def bounded(wanted: float, running: float | None) -> int | None:
    """`wanted` as a whole number within [0.5, 0.9] · running; None where no whole number lies in there."""
    if running is None or not isfinite(running):
        return None
    least, most = ceil(THROTTLE_LEAST * running), floor(THROTTLE_MOST * running)
    return None if most < max(1, least) else min(max(floor(min(wanted, running)), least, 1), most)


def measure(scene: Scene, *, lasting: bool = False) -> Load:
    """The load as of the scene's newest reading; an empty `Load` without one.

    What one request holds is that of the present; `lasting`, for what is set once and stays, that of all lately
    while the pool was full, where it was.
    """
    window = scene.window
    if window is None:
        return Load()
    pool = window.latest(Signal.KV_CAPACITY_TOKENS) or None
    hit_rate = _hit_rate(window)
    share = (_share_when_full(window) if lasting else None) or _share_per_request(window)
    held = None if share is None or pool is None else max(share * pool, _held_over_life(window, hit_rate))
    return Load(
        running=window.median(Signal.RUNNING, PRESENT_S),
        running_peak=window.maximum(Signal.RUNNING, RATE_S),
        waiting=window.median(Signal.WAITING, PRESENT_S),
        in_flight=_in_flight(window, window.now - REUSE_S, inf),
        usage=window.median(Signal.KV_USAGE, PRESENT_S),
        pool_tokens=pool,
        tokens_held=held,
        fits=pool / held if held and pool else 1.0 / share if share else None,
        finish_rate=window.rate(Signal.FINISHED, RATE_S),
        hit_rate=hit_rate,
        turnover_s=_turnover(window, pool),
        evicted_rate=window.rate(Signal.EVICTED_TOKENS, RATE_S),
        healthy_in_flight=_healthy(scene, window),
    )


def tokens_held(window: Window) -> float | None:
    """KV tokens that one running request holds now; None without pool size, usage or anything running."""
    share, pool = _share_per_request(window), window.latest(Signal.KV_CAPACITY_TOKENS)
    return share * pool if share is not None and pool else None


def _share_per_request(window: Window) -> float | None:
    """Share of the pool that one running request holds: median over the present readings with work in them."""
    shares = list(_shares(window, PRESENT_S))
    return median(shares) if shares else None


def _share_when_full(window: Window) -> float | None:
    """The same over the full pools of the last `LIVES_S`: a batch in passing holds more or less than most."""
    shares = list(_shares(window, LIVES_S, FULL_USAGE))
    return median(shares) if len(shares) >= FULL_LEAST else None


def _shares(window: Window, seconds: float, least_usage: float = 0.0) -> Iterator[float]:
    for row in window.history.since(window.now - seconds):
        running, usage = row.get(Signal.RUNNING), row.get(Signal.KV_USAGE)
        if running is not None and running >= 1 and usage is not None and usage > 0 and usage >= least_usage:
            yield usage / running


def _held_over_life(window: Window, hit_rate: float | None) -> float:
    """Prompt + half the output, means of the requests finished lately; 0 where too few did.

    What grows evenly from the prompt to its end holds half its output on average. Prompt tokens found in the
    cache may be shared with others and count for none.
    """
    prompt, output = (
        window.buckets(s, LIVES_S) for s in (Signal.REQUEST_PROMPT_TOKENS, Signal.REQUEST_GENERATION_TOKENS)
    )
    if prompt is None or output is None or min(prompt[0].count, output[0].count) < QUANTILE_MIN_N:
        return 0.0
    own = prompt[0].total / prompt[0].count * (1.0 - (hit_rate or 0.0))
    return max(0.0, own + output[0].total / output[0].count / 2.0)


def _in_flight(window: Window, since: float, until: float) -> float | None:
    """Mean, since concurrency is a mean and single samples of a quiet engine are mostly 0."""
    levels = [
        running + waiting
        for row in takewhile(lambda row: row.t < until, window.history.since(since))
        if (running := row.get(Signal.RUNNING)) is not None
        if (waiting := row.get(Signal.WAITING)) is not None
    ]
    return fmean(levels) if levels else None


def _healthy(scene: Scene, window: Window) -> float | None:
    onset = window.now - (window.newest.unix - scene.incident.onset_unix)
    return _in_flight(window, onset - HEALTHY_S, onset) if onset < window.now else None


def _hit_rate(window: Window) -> float | None:
    hits, queries = (window.increase(s, REUSE_S) for s in (Signal.PREFIX_HITS, Signal.PREFIX_QUERIES))
    if hits is None or queries is None or queries.amount <= 0:
        return None
    return min(1.0, max(0.0, hits.amount / queries.amount))


def _turnover(window: Window, pool: float | None) -> float | None:
    rates = [window.rate(s, RATE_S) for s in (Signal.PROMPT_TOKENS_COMPUTED, Signal.GENERATION_TOKENS)]
    written = sum(rate for rate in rates if rate is not None)
    return pool / written if pool and written > 0 and None not in rates else None


_ROWS = (
    ("running", "requests", PRESENT_S, (Signal.RUNNING,)),
    ("waiting", "requests", PRESENT_S, (Signal.WAITING,)),
    ("usage", "ratio", PRESENT_S, (Signal.KV_USAGE,)),
    ("pool_tokens", "tokens", None, (Signal.KV_CAPACITY_TOKENS,)),
    ("tokens_held", "tokens", PRESENT_S, (Signal.KV_USAGE, Signal.KV_CAPACITY_TOKENS, Signal.RUNNING)),
    ("fits", "requests", PRESENT_S, (Signal.KV_USAGE, Signal.RUNNING)),
    ("finish_rate", "requests/s", RATE_S, (Signal.FINISHED,)),
    ("hit_rate", "ratio", REUSE_S, (Signal.PREFIX_HITS, Signal.PREFIX_QUERIES)),
    (
        "turnover_s",
        "seconds",
        RATE_S,
        (Signal.PROMPT_TOKENS_COMPUTED, Signal.GENERATION_TOKENS, Signal.KV_CAPACITY_TOKENS),
    ),
    ("evicted_rate", "tokens/s", RATE_S, (Signal.EVICTED_TOKENS,)),
)


def evidence(load: Load, situation: Situation, *names: str) -> tuple[Evidence, ...]:
    """The named fields of `load` that are known, with their windows and exposed names."""
    values = {row[0]: getattr(load, row[0]) for row in _ROWS}
    return tuple(
        Evidence(name, values[name], unit, window_s=window_s, source=situation.source(*signals))
        for name, unit, window_s, signals in _ROWS
        if name in names and values[name] is not None
    )
