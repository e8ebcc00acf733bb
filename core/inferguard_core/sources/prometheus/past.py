"""The hours before the start, as the server's own arithmetic gives them: lines to draw, nothing to judge by.

Ranks and models are folded as the engine tables fold them; twins of a rank (`tp_rank`) count once.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Final

from inferguard_core.engines import labels as roles
from inferguard_core.engines.table import TABLES
from inferguard_core.frame import SPANS_S, MeasureId
from inferguard_core.poll import Failure
from inferguard_core.signals import Signal
from inferguard_core.sources.prometheus.names import query_of
from inferguard_core.sources.prometheus.pages import EXPORTED, IDENTITY, key_of
from inferguard_core.sources.prometheus.selector import Matcher

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.engines.row import Pick
    from inferguard_core.sources.prometheus.pages import Key
    from inferguard_core.sources.prometheus.selector import Selector
    from inferguard_core.sources.prometheus.server import PrometheusServer

Points = list[tuple[float, float | None]]
"""(the server's Unix seconds, value)."""

SPAN_S: Final = SPANS_S[-1]
STEP_S: Final = 60.0
_BY: Final = ",".join(IDENTITY)
_ADDED: Final = (*roles.RANK, *roles.MODEL, "mode", "cache_source")
"""Labels of which different values hold different things, which add up."""
_APART: Final = ",".join((*IDENTITY, "__name__", *_ADDED, *(EXPORTED + label for label in _ADDED)))
_GAUGES: Final = {MeasureId.WAITING: Signal.WAITING, MeasureId.RUNNING: Signal.RUNNING}
_QUANTILES: Final = {MeasureId.TTFT_P95: Signal.TTFT, MeasureId.ITL_P95: Signal.ITL}
_GENERATED: Final = ("vllm:generation_tokens_total", "sglang:generation_tokens_total")
"""SGLang's counts a request when it ends; over minutes that is the same."""


def queries(selector: Selector, window_s: float) -> dict[MeasureId, str]:
    """PromQL by measure; rates and quantiles are over `window_s`."""
    window = f"[{max(1, round(window_s))}s]"
    found = {
        MeasureId.KV_USAGE: f"max by ({_BY}) ({query_of(_names(Signal.KV_USAGE), selector)})",
        MeasureId.GENERATION_RATE: _summed(f"rate({query_of(_GENERATED, selector)}{window})"),
    }
    found |= {m: _summed(query_of(_names(s, first=True), selector)) for m, s in _GAUGES.items()}
    for measure, signal in _QUANTILES.items():
        buckets = query_of(tuple(f"{name}_bucket" for name in _names(signal, first=True)), selector)
        rate = f"sum by ({_BY},le) (rate({buckets}{window}))"
        found[measure] = f"histogram_quantile(0.95, {rate})"
    hits, lookups = (_counted(s, selector, window) for s in (Signal.PREFIX_HITS, Signal.PREFIX_QUERIES))
    # Where nothing was looked up this is 0 / 0, NaN: no data.
    found[MeasureId.PREFIX_HIT_RATE] = f"({hits}) / ({lookups})"
    found[MeasureId.PREEMPTION_RATE] = _counted(Signal.PREEMPTIONS, selector, window)
    return found


async def past(
    server: PrometheusServer, narrowed: Selector, now: float, scrape_s: float
) -> dict[Key, dict[MeasureId, Points]] | Failure:
    """The measures of the last hours of every target; `now` is by the server's clock."""
    found: dict[Key, dict[MeasureId, Points]] = {}
    window_s = max(STEP_S, 4 * scrape_s)
    for measure, query in queries((*server.selector, *narrowed), window_s).items():
        answer = await server.range(query, now - SPAN_S, now, STEP_S)
        if isinstance(answer, Failure):
            return answer
        for one in answer:
            points = [(float(at), _finite(text)) for at, text in one["values"]]
            found.setdefault(key_of(one["metric"]), {})[measure] = points
        await asyncio.sleep(0)
    return found


def _counted(counter: Signal, selector: Selector, window: str) -> str:
    """The rate of a counter, by the first of an engine's ways to read it that a target has; each is one family."""
    ways = [
        _summed(f"rate({query_of((pick.name,), (*selector, *_where(pick)))}{window})")
        for table in TABLES.values()
        for (pick,) in (choice.picks for choice in table.rows[counter].choices)
    ]
    return " or ".join(ways)


def _where(pick: Pick) -> Selector:
    return tuple(Matcher(label, "=~", "|".join(values)) for label, values in pick.where.items())


def _summed(inner: str) -> str:
    return f"sum by ({_BY}) (max by ({_APART}) ({inner}))"


def _names(signal: Signal, *, first: bool = False) -> tuple[str, ...]:
    """Of every engine: the names of all ways to read a signal, or of the first only, where they would add up."""
    return tuple(
        pick.name
        for table in TABLES.values()
        for choice in table.rows[signal].choices[: 1 if first else None]
        for pick in choice.picks
    )


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def on_our_clock(points: Mapping[MeasureId, Points], ahead_s: float) -> dict[MeasureId, Points]:
    """The same points where our wall clock is `ahead_s` before the server's."""
    return {measure: [(at + ahead_s, value) for at, value in row] for measure, row in points.items()}
