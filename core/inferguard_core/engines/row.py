"""The shape of the engine tables: which families exist, in which versions, and what they mean to us.

Only data lives in rows; everything that acts on them is generic. A `Family` says how one exposed name is
folded into one number; a `Row` says which families answer for a signal, best first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from inferguard_core.engines.version import OLDEST, Version, parse_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.signals import Signal

SHOWN_VALUES: Final = 3


class Kind(StrEnum):
    """How a family is exposed."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"
    SUMMARY = "summary"
    INFO = "info"
    """A constant whose labels are the news; declared as a gauge or an info."""
    GAUGE_HISTOGRAM = "gaugehistogram"
    """Gauges with `gt` and `le` labels and non-cumulative buckets; not a histogram to any parser."""


class Fold(StrEnum):
    """How several series become one number."""

    SUM = "sum"
    MAX = "max"
    MIN = "min"
    MEAN = "mean"


class Born(StrEnum):
    """When a series that is not on the page is known to be 0, because it exists only after its first event."""

    NEVER = "never"
    DECLARED = "declared"
    """The page names its family, by a TYPE line or by another label set."""
    VERSION = "version"
    """The above, or the page (or the server's own word) shows a version that has the family.

    Not on a re-export, which may leave families out.
    """


@dataclass(frozen=True, slots=True)
class Span:
    """The versions that define a name; both ends inclusive."""

    since: str
    until: str = ""
    """Empty while it is still there."""
    generation: str = ""
    """`V0` or `V1` of vLLM; empty where there is only one."""
    hidden: str = ""
    """From this version it is shown only with --show-hidden-metrics-for-version."""

    def holds(self, version: Version, generation: str = "") -> bool:
        """Whether an engine of this version defines the name, hidden or not."""
        if generation and self.generation and generation != self.generation:
            return False
        last = parse_version(self.until)
        return (parse_version(self.since) or OLDEST) <= version and (last is None or version <= last)

    def hides(self, version: Version) -> bool:
        since = parse_version(self.hidden)
        return since is not None and version >= since


@dataclass(frozen=True, slots=True)
class Family:
    """One exposed name and how its series fold into one number.

    Series that differ only in twin labels (tp_rank, pp_rank, moe_ep_rank) report one truth several times and
    fold by `twins`; series that differ only in pid fold by `pids`; then other labels fold by `dims`, then
    models and data-parallel ranks by `fold`.
    """

    name: str
    kind: Kind
    unit: str
    spans: tuple[Span, ...]
    fold: Fold = Fold.SUM
    dims: Fold | None = None
    """None: a count or a counter is summed, any other quantity follows `fold`."""
    twins: Fold = Fold.MAX
    pids: Fold = Fold.MAX
    per: tuple[str, ...] = ()
    """Labels whose values stay apart in the plain ids: `request_success[stop]`."""
    born: Born = Born.NEVER
    signed: bool = False
    """May be negative."""
    unknowns: bool = False
    """The engine documents NaN or a negative value as "unknown": left out without a doubt."""
    needs: str = ""
    """The flag or feature without which a version that defines the family does not show it."""

    @property
    def since(self) -> Version:
        return min(parse_version(s.since) or OLDEST for s in self.spans)

    @property
    def until(self) -> Version | None:
        """The last version with it; None while it is still there."""
        ends = [parse_version(s.until) for s in self.spans]
        return None if None in ends else max(e for e in ends if e is not None)

    @property
    def plain_id(self) -> str:
        """The id of a family that has no signal: its name without engine prefix and `_total`."""
        bare = self.name.rpartition(":")[2]
        return bare.removesuffix("_total") if self.kind is Kind.COUNTER else bare

    @property
    def fold_dims(self) -> Fold:
        if self.dims is not None:
            return self.dims
        return Fold.SUM if self.kind is Kind.COUNTER else self.fold


def v1(since: str, until: str = "", hidden: str = "") -> Span:
    return Span(since, until, "V1", hidden)


def v0(since: str, until: str = "0.10.2", hidden: str = "") -> Span:
    return Span(since, until, "V0", hidden)


@dataclass(frozen=True, slots=True)
class Pick:
    """Some series of one family."""

    name: str
    """A family; for a histogram with `_count` or `_sum` behind it, that number."""
    where: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """Label to the accepted values; a value ending in `*` accepts what begins so, an empty one no such label."""
    since: str = ""
    """When these label values came, where that is later than the family."""
    until: str = ""
    """The last version in which they count."""

    def __str__(self) -> str:
        """The name and what is chosen of it; a long list of accepted values is left out."""
        shown = {k: "|".join(filter(None, v)) for k, v in self.where.items() if len(v) <= SHOWN_VALUES}
        inner = ",".join(f"{label}={values}" for label, values in shown.items())
        return f"{self.name}{{{inner}}}" if inner else self.name


def pick(name: str, *, since: str = "", until: str = "", **where: str | tuple[str, ...]) -> Pick:
    accepted = {label: (v,) if isinstance(v, str) else v for label, v in where.items()}
    return Pick(name, MappingProxyType(accepted), since, until)


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to read a signal: the sum of its picks."""

    picks: tuple[Pick, ...]
    any_of: bool = False
    """False: the first pick must be there, the others add to it where they exist. True: any will do."""

    @property
    def deciding(self) -> tuple[Pick, ...]:
        """The picks that decide whether this way is open."""
        return self.picks if self.any_of else self.picks[:1]

    def __str__(self) -> str:
        return " + ".join(str(p) for p in self.picks)


@dataclass(frozen=True, slots=True)
class Row:
    """A signal and the ways to read it, best first; two ways are never added. No way: only the note."""

    signal: Signal
    choices: tuple[Choice, ...]
    off_at_zero: Signal | None = None
    """The signal is unknown while this one (it may be itself) reads 0: the feature is off."""
    note: str = ""
    """What to say where it cannot be read and no newer version would help; usually the flag it takes."""


def row(signal: Signal, *ways: str | Pick | Choice, off_at_zero: Signal | None = None, note: str = "") -> Row:
    choices = tuple(_choice(way) for way in ways)
    return Row(signal, choices, off_at_zero, note)


def total(*picks: str | Pick, any_of: bool = False) -> Choice:
    """The sum of several families."""
    return Choice(tuple(Pick(p) if isinstance(p, str) else p for p in picks), any_of)


def _choice(way: str | Pick | Choice) -> Choice:
    return way if isinstance(way, Choice) else total(way)
