"""The recent past of an endpoint as rows for the brain: plain numbers by name, on a coarse grid.

Gauges are means over the time since the row before, because instant gauges jump; rates, shares and latencies come
from counters over spans that do not overlap, so that two rows are two observations. Unknown is absent.
"""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING, Final

from inferguard_core.signals import Signal
from inferguard_core.window import QUANTILE_MIN_N, bucket_quantile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from inferguard_core.history import Row
    from inferguard_core.window import Window

SPAN_S: Final = 1800.0
FINE_S: Final = 300.0
FINE_STEP_S: Final = 5.0
STEP_S: Final = 30.0
"""Between rows before the last `FINE_S`, and between two values that come from counters."""
JITTER: Final = 0.9
MIN_TOKENS: Final = 500.0
"""Prompt tokens looked up, under which a hit rate is one request's luck."""
MIN_REQUESTS: Final = 5.0
REQUESTS_EVERY_S: Final = 60.0

GAUGES: Final = (
    Signal.KV_USAGE,
    Signal.RUNNING,
    Signal.WAITING,
    Signal.NEW_TOKEN_RATIO,
    Signal.OPEN_FDS,
)
RATES: Final[Mapping[str, Signal]] = {
    "finish_rate": Signal.FINISHED,
    "preemption_rate": Signal.PREEMPTIONS,
    "generation_rate": Signal.GENERATION_TOKENS,
    "prompt_rate": Signal.PROMPT_TOKENS,
    "prompt_computed_rate": Signal.PROMPT_TOKENS_COMPUTED,
    "evicted_rate": Signal.EVICTED_TOKENS,
}
P95S: Final[Mapping[str, Signal]] = {"ttft_p95": Signal.TTFT, "itl_p95": Signal.ITL}
MEANS: Final[Mapping[str, Signal]] = {
    "prompt_length": Signal.REQUEST_PROMPT_TOKENS,
    "output_length": Signal.REQUEST_GENERATION_TOKENS,
    "idle_before_evict": Signal.KV_IDLE_BEFORE_EVICT,
}
UNITS: Final[Mapping[str, str]] = {
    "kv_usage": "ratio",
    "running": "requests",
    "waiting": "requests",
    "new_token_ratio": "ratio",
    "open_fds": "1",
    "descriptors_over_requests": "1",
    "finish_rate": "requests/s",
    "preemption_rate": "1/s",
    "generation_rate": "tokens/s",
    "prompt_rate": "tokens/s",
    "prompt_computed_rate": "tokens/s",
    "evicted_rate": "tokens/s",
    "hit_rate": "ratio",
    "ttft_p95": "seconds",
    "itl_p95": "seconds",
    "prompt_length": "tokens",
    "output_length": "tokens",
    "tokens_per_request": "tokens",
    "idle_before_evict": "seconds",
}
SOURCES: Final[Mapping[str, tuple[Signal, ...]]] = {
    **{gauge.value: (gauge,) for gauge in GAUGES},
    **{name: (signal,) for table in (RATES, P95S, MEANS) for name, signal in table.items()},
    "hit_rate": (Signal.PREFIX_HITS, Signal.PREFIX_QUERIES),
    "tokens_per_request": (Signal.REQUEST_PROMPT_TOKENS, Signal.REQUEST_GENERATION_TOKENS),
    "descriptors_over_requests": (Signal.OPEN_FDS, Signal.RUNNING, Signal.WAITING),
}


def brain_rows(window: Window) -> list[dict[str, float]]:
    """Rows of the last `SPAN_S`, oldest first, `t` in seconds before the newest reading."""
    now = window.now
    rows: list[dict[str, float]] = []
    counted = asked = None
    for parts in _spans(window):
        newest = parts[-1]
        row = {"t": round(newest.t - now, 3), **_gauges(parts)}
        if counted is None or newest.t - counted.t >= STEP_S * JITTER:
            row |= {} if counted is None else _counted(counted, newest)
            counted = newest
        if asked is None or newest.t - asked.t >= REQUESTS_EVERY_S * JITTER:
            row |= {} if asked is None else _lengths(asked, newest)
            asked = newest
        rows.append(row)
    return rows


def _spans(window: Window) -> Iterator[Sequence[Row]]:
    """Readings grouped by the row that they go into; each group ends with the reading the row is of."""
    group: list[Row] = []
    begun: float | None = None
    for reading in window.history.since(window.now - SPAN_S):
        group.append(reading)
        step = FINE_STEP_S if reading.t > window.now - FINE_S else STEP_S
        if begun is None or reading.t - begun >= step * JITTER:
            yield group
            begun, group = reading.t, []
    if group:
        yield group


def _gauges(parts: Sequence[Row]) -> dict[str, float]:
    found: dict[str, float] = {}
    for gauge in GAUGES:
        values = [v for reading in parts if (v := reading.get(gauge)) is not None]
        if values:
            found[gauge.value] = _short(fmean(values))
    if Signal.OPEN_FDS in found and Signal.RUNNING in found:
        explained = found[Signal.RUNNING] + found.get(Signal.WAITING, 0.0)
        found["descriptors_over_requests"] = _short(found[Signal.OPEN_FDS] - explained)
    return found


def _counted(earlier: Row, later: Row) -> dict[str, float]:
    seconds = later.t - earlier.t
    found = {
        name: _short(rise / seconds)
        for name, counter in RATES.items()
        if (rise := _rise(earlier, later, counter)) is not None
    }
    queries, hits = _rise(earlier, later, Signal.PREFIX_QUERIES), _rise(earlier, later, Signal.PREFIX_HITS)
    if queries is not None and hits is not None and queries >= MIN_TOKENS and hits <= queries:
        found["hit_rate"] = _short(hits / queries)
    for name, signal in P95S.items():
        end, begin = later.histogram(signal), earlier.histogram(signal)
        if end is None or begin is None or end.edges != begin.edges:
            continue
        counts = [b - a for a, b in zip(begin.counts, end.counts, strict=True)]
        if counts and counts[-1] >= QUANTILE_MIN_N:
            value, beyond = bucket_quantile(end.edges, counts, 0.95)
            if not beyond:
                found[name] = _short(value)
    return found


def _lengths(earlier: Row, later: Row) -> dict[str, float]:
    """Means of what was observed in between, over longer spans: few requests end within half a minute."""
    found: dict[str, float] = {}
    for name, signal in MEANS.items():
        end, begin = later.histogram(signal), earlier.histogram(signal)
        if end is None or begin is None or end.count - begin.count < MIN_REQUESTS:
            continue
        found[name] = _short((end.total - begin.total) / (end.count - begin.count))
    if "prompt_length" in found and "output_length" in found:
        found["tokens_per_request"] = _short(found["prompt_length"] + found["output_length"])
    return found


def _rise(earlier: Row, later: Row, counter: Signal) -> float | None:
    end, begin = later.get(counter), earlier.get(counter)
    return None if end is None or begin is None or end < begin else end - begin


def _short(value: float) -> float:
    return float(f"{value:.6g}")
