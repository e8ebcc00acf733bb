"""Which series a Prometheus server is asked for: those that an engine table reads a signal from, and no others.

Of the histograms only those whose buckets a rule, a baseline or an advice looks at: their buckets are most of
an answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from inferguard_core.engines.row import Kind
from inferguard_core.engines.table import SGLANG, TABLES, VLLM
from inferguard_core.signals import Signal
from inferguard_core.sources.prometheus.selector import Matcher, written

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from inferguard_core.engines.table import Table
    from inferguard_core.sources.prometheus.selector import Selector

UP: Final = "up"
"""Written by the server itself for every target and scrape; 0 where the scrape failed."""

_BUCKETS: Final = frozenset(
    {Signal.TTFT, Signal.ITL, Signal.REQUEST_PROMPT_TOKENS, Signal.REQUEST_GENERATION_TOKENS}
)
_ALSO: Final = ("sglang:spec_num_steps", "vllm:iteration_tokens_total")
"""Read without being a signal: an advice's window, a fix's largest iteration."""
_PREFIX: Final = {VLLM.engine: "(ray_)?vllm[:_]", SGLANG.engine: "sglang[:_]"}
"""With the spellings of re-exports, which may not use a colon."""
ANCHORS: Final = ("vllm:num_requests_running", "sglang:num_running_reqs")
"""Every engine that exports metrics has one of them."""


def scalar_names() -> tuple[str, ...]:
    """Samples of one number: gauges, counters and infos, and `up`."""
    return (UP, *sorted(_samples(histograms=False) - _samples(histograms=True)))


def bucket_names() -> tuple[str, ...]:
    """Samples of the histograms."""
    return tuple(sorted(_samples(histograms=True)))


def parts(names: Sequence[str], count: int) -> tuple[tuple[str, ...], ...]:
    """`names` dealt out over `count` queries of about the same size."""
    return tuple(tuple(names[at::count]) for at in range(count) if names[at::count])


def query_of(names: Sequence[str], selector: Selector) -> str:
    """The instant selector for these names, in every spelling that the engine tables know."""
    patterns = []
    for table in TABLES.values():
        bare = [name.removeprefix(table.prefix) for name in names if name.startswith(table.prefix)]
        if bare:
            patterns.append(f"{_PREFIX[table.engine]}({'|'.join(bare)})")
    patterns += [name for name in names if ":" not in name]
    return written((Matcher("__name__", "=~", "|".join(patterns)), *selector))


def _samples(*, histograms: bool) -> set[str]:
    found: set[str] = set()
    for table in TABLES.values():
        for name, read in _read(table):
            family = table.by_name.get(name)
            whole = family is not None and family.kind is Kind.HISTOGRAM
            if whole is histograms and (not whole or read):
                found |= {name + part for part in ("_bucket", "_sum", "_count")} if whole else {name}
    return found


def _read(table: Table) -> Iterator[tuple[str, bool]]:
    """Names that the table reads, and whether the buckets of a histogram are looked at."""
    for signal, row in table.rows.items():
        yield from ((pick.name, signal in _BUCKETS) for choice in row.choices for pick in choice.picks)
    yield from ((name, True) for name in _ALSO if name.startswith(table.prefix))
