"""What a watch and the reader of its pages hold in memory: rings up to their caps, and a rest that must not grow.

The slowest rings (a day of trends, fifty incidents) take longer to fill than any soak runs, so a total that still
rises proves nothing, and one that is below a bound neither. Apart from the rings nothing has a reason to grow.
"""

from __future__ import annotations

import gc
import sys
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, linear_regression
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Final, NamedTuple

from inferguard_core import baseline, exposition, history, incidents, trends
from inferguard_core.engines import reader as reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from inferguard_core.engines import EngineReader
    from inferguard_core.watch import EndpointWatch

SURE: Final = 2.58
"""Standard errors by which a slope differs from none: one in a hundred by chance."""
LEAST_KIB_H: Final = 1.0
"""A slower growth is 9 MiB a year and endpoint, and no number of this machine is that steady."""
_CODE: Final = (type, ModuleType, FunctionType, BuiltinFunctionType)


class Ring(NamedTuple):
    """Something that fills and then replaces its oldest."""

    what: str
    count: int
    cap: int


@dataclass(frozen=True, slots=True)
class Held:
    """As of one moment, the mean over the endpoints that were weighed."""

    at: float
    """Virtual seconds since the start."""
    kib: float
    """All that is reachable from one watch, without the reader that the endpoints share."""
    rest_kib: float
    """Of one watch and the reader, without their rings and what is made anew with each page."""
    rings: tuple[Ring, ...]
    """Of each kind the fullest."""

    @property
    def over(self) -> tuple[Ring, ...]:
        return tuple(ring for ring in self.rings if ring.count > ring.cap)


def held(at: float, watches: Sequence[EndpointWatch], reader: EngineReader) -> Held:
    """Not the simulated engines, which keep a ledger."""
    rings: dict[str, Ring] = {}
    for ring in (r for watch in watches for r in _rings(watch, reader)):
        rings[ring.what] = max(rings.get(ring.what, ring), ring, key=lambda r: r.count)
    return Held(
        at,
        fmean(kib([watch], [reader]) for watch in watches),
        fmean(kib([watch, reader], _kept(watch, reader)) for watch in watches),
        tuple(rings.values()),
    )


def kib(roots: Iterable[object], without: Iterable[object]) -> float:
    """The size of what is reachable from some objects and not by way of others."""
    seen: set[int] = {id(each) for each in without}
    found = list(roots)
    size = 0
    while found:
        one = found.pop()
        if id(one) in seen or isinstance(one, _CODE):
            continue
        seen.add(id(one))
        size += sys.getsizeof(one)
        found += gc.get_referents(one)
    return size / 1024


def growth(course: Sequence[Held]) -> str:
    """How the rest grew over the second half of a soak, in words; empty where it did not."""
    half = [each for each in course if each.at > course[-1].at / 2]
    hours, sizes = [each.at / 3600 for each in half], [each.rest_kib for each in half]
    line = linear_regression(hours, sizes)
    left = [size - line.slope * at - line.intercept for at, size in zip(hours, sizes, strict=True)]
    spread = sum((at - fmean(hours)) ** 2 for at in hours)
    error = sqrt(sum(each**2 for each in left) / (len(half) - 2) / spread)
    if line.slope <= max(LEAST_KIB_H, SURE * error):
        return ""
    return f"what is in no ring grew by {line.slope:.1f} KiB/h (standard error {error:.1f})"


def _rings(watch: EndpointWatch, reader: EngineReader) -> tuple[Ring, ...]:
    interval, text = watch.interval_s, reader._exposition
    rows = 1.1 * history.DENSE_S / interval + history.HORIZON_S / max(history.SPARSE_STEP_S, interval) + 2
    samples = watch.learned.baselines.by_name.values()
    bins = [len(t.values) for ring in watch.trends.values() for t in ring.trends if t is not None]
    timelines = [len(incident.timeline) for incident in watch.log.incidents]
    return (
        Ring("history rows", len(watch._history), int(rows)),
        Ring("samples of a baseline", max(map(len, samples), default=0), baseline.KEPT),
        Ring("bins of a trend", max(bins, default=0), trends.MAX_BINS),
        Ring("incidents", len(watch.log.incidents), incidents.KEPT),
        Ring("lines of an incident", max(timelines, default=0), incidents.TIMELINE_KEPT),
        Ring("plans of the reader", len(reader._plans), reading.PLANS),
        Ring("characters of heads", exposition.REMEMBERED_CHARS - text._free, exposition.REMEMBERED_CHARS),
        Ring("number texts", len(text._numbers), text._numbers.MOST),
    )


def _kept(watch: EndpointWatch, reader: EngineReader) -> list[object]:
    """The containers of those rings, and what is made anew with each page.

    The reader's text fills slowly, too: some SGLang series carry the process id, so a restart brings new ones.
    """
    rows = (watch._history._dense, watch._history._sparse)
    baselines = watch.learned.baselines.by_name.values()
    return [
        watch.newest,
        watch.seen,
        reader._exposition,
        *rows,
        *(one._samples for one in baselines),
        *watch.trends.values(),
        watch.log.incidents,
        reader._plans,
    ]
