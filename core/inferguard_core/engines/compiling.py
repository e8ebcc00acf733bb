"""From the series of a page to its plan: which row reads what, once for each shape of page."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from inferguard_core.engines import labels as roles
from inferguard_core.engines.buckets import histogram_plan
from inferguard_core.engines.info import capacity_tokens, shown
from inferguard_core.engines.plan import HistogramPlan, Plan, RankPlan
from inferguard_core.engines.recognise import generation, oldest_possible
from inferguard_core.engines.row import Born, Choice, Family, Kind, Pick, Row
from inferguard_core.engines.table import VLLM, Table, canonical
from inferguard_core.engines.tree import Leaf, Tree, grow, together
from inferguard_core.engines.version import Version, parse_version
from inferguard_core.printable import printable
from inferguard_core.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from inferguard_core.exposition import Series

PER_LIMIT: Final = 64
"""Label values of one family that are kept apart; an engine has a dozen."""
MODEL_LIMIT: Final = 64
RANK_LIMIT: Final = 1024

RANKED: Final = (Signal.KV_USAGE, Signal.RUNNING, Signal.WAITING, Signal.SCHEDULER_SECONDS)
"""Signals kept for each rank where there are several. The scheduler's clock is among them because the least
of several clocks shows a stopped one only once the others have passed it."""


@dataclass(slots=True)
class Shape:
    """The known series of a page, by sample name, and what the page proves."""

    table: Table
    samples: Mapping[str, list[Leaf]]
    declared: frozenset[str]
    """Names in TYPE lines."""
    version: Version
    """The server's word, or the newest thing on the page: at least this."""
    generation: str
    """Of vLLM; empty for others and where the page does not show it."""
    families: Mapping[int, Family]
    whole: bool
    """The engine's own page; a re-export may leave families out."""
    doubts: list[str] = field(default_factory=list)

    def shows(self, family: Family) -> bool:
        """Whether the page names the family, with or without a sample."""
        bare = family.name.removesuffix("_total")
        return family.name in self.samples or family.name in self.declared or bare in self.declared

    def declared_zero(self, pick: Pick) -> bool:
        """Whether a pick without a series is 0 because the page names its family."""
        family = self._bearing(pick)
        return family is not None and self.shows(family)

    def born_zero(self, pick: Pick) -> bool:
        """Whether a pick without a series is 0 because this version has its family (`Born.VERSION`)."""
        family = self._bearing(pick)
        if family is None or family.born is not Born.VERSION or not self.whole:
            return False
        return any(s.holds(self.version, self.generation) for s in family.spans)

    def _bearing(self, pick: Pick) -> Family | None:
        """The pick's family, if its series exist only after their first event."""
        family = self.table.by_name.get(pick.name)
        since = parse_version(pick.since)
        if family is None or family.born is Born.NEVER or (since is not None and self.version < since):
            return None
        return family

    def leaves(self, pick: Pick) -> list[Leaf]:
        """The pick's series; none where they no longer count in this version."""
        until = parse_version(pick.until)
        if until is not None and self.version > until:
            return []
        return [leaf for leaf in self.samples.get(pick.name, ()) if roles.matches(leaf[1], pick.where)]


def compile_plan(
    table: Table, series: Sequence[Series], declared: Iterable[str], version: Version | None
) -> Plan:
    """The plan for pages that hold exactly these series in this order.

    Args:
        table: Of the engine that the page belongs to.
        series: Of the page's samples.
        declared: Family names of the page's TYPE lines.
        version: What the server says it is; None where it was not asked.
    """
    shape = _shape(table, series, declared, version)
    draft = _Draft(shape)
    for row in table.rows.values():
        draft.add_row(row)
    for family in table.plain:
        draft.add_plain(family)
    return draft.finished(series)


def _shape(table: Table, series: Sequence[Series], declared: Iterable[str], version: Version | None) -> Shape:
    samples: dict[str, list[Leaf]] = {}
    for i, one in enumerate(series):
        name = canonical(one.name)
        if name in table.families:
            samples.setdefault(name, []).append((i, one.labels))
    samples = {name: _without_partial_priorities(leaves) for name, leaves in samples.items()}
    named = frozenset(canonical(name) for name in declared)
    families = {i: table.families[name] for name, leaves in samples.items() for i, _ in leaves}
    present = frozenset(f.name for f in families.values()) | (named & table.by_name.keys())
    era = generation(present, _has_engine_label(samples), version) if table is VLLM else ""
    seen = (*families.values(), *(table.by_name[name] for name in named & table.by_name.keys()))
    return Shape(
        table,
        samples,
        declared=named,
        version=oldest_possible(seen, version),
        generation=era,
        families=families,
        whole=any(one.name.startswith(table.prefix) for one in series),
    )


def _has_engine_label(samples: Mapping[str, list[Leaf]]) -> bool:
    return any("engine" in labels for _, labels in samples.get("vllm:num_requests_running", ()))


def _without_partial_priorities(leaves: list[Leaf]) -> list[Leaf]:
    """Only the totals, where a family has both totals and their shares by priority."""
    totals = [leaf for leaf in leaves if not roles.is_partial_priority(leaf[1])]
    return totals or leaves


class _Draft:
    """A plan while it is put together."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.constants: dict[str, float] = {}
        self.trees: dict[str, Tree] = {}
        self.ratios: list[str] = []
        self.switches: dict[str, str] = {}
        self.histograms: dict[str, HistogramPlan] = {}
        self.spellings: dict[str, str] = {}
        self.ranked: dict[Signal, Choice] = {}

    def add_row(self, row: Row) -> None:
        """The first way to read the signal that has series or is 0 on this page; else one born with the version.

        A way whose family is on the page without the series in question comes before the next way: it will be
        the source as soon as something happens, and a counter that changed its source would look reset.
        """
        shape = self.shape
        for choice in row.choices:
            if self._read(row, choice):
                return
            if any(map(shape.declared_zero, choice.deciding)):
                self._add_zero(row, choice)
                return
        born = next((c for c in row.choices if any(map(shape.born_zero, c.deciding))), None)
        if born is not None:
            self._add_zero(row, born)

    def _add_zero(self, row: Row, choice: Choice) -> None:
        self.constants[row.signal] = 0.0
        self.spellings[row.signal] = str(choice.picks[0])

    def _read(self, row: Row, choice: Choice) -> bool:
        first = choice.picks[0]
        family = self.shape.table.by_name.get(first.name)
        if family is not None and family.kind is Kind.HISTOGRAM:
            return self._add_histogram(row.signal, family, self._parts(first))
        if family is not None and family.kind is Kind.INFO:
            return self._add_capacity(row, family)
        found = [(p, leaves) for p in choice.picks if (leaves := self.shape.leaves(p))]
        if not found or not (choice.any_of or found[0][0] is first):
            return False
        self._add_tree(row.signal, found, row)
        return True

    def _add_tree(self, key: Signal, found: Sequence[tuple[Pick, list[Leaf]]], row: Row) -> None:
        families = self.shape.table.families
        self.trees[key] = together([grow(families[p.name], leaves) for p, leaves in found])
        self.spellings[key] = " + ".join(str(p) for p, _ in found)
        if families[found[0][0].name].unit == "ratio":
            self.ratios.append(key)
        if row.off_at_zero is not None:
            self.switches[key] = row.off_at_zero
        if key in RANKED:
            self.ranked[key] = Choice(tuple(p for p, _ in found))

    def _add_capacity(self, row: Row, family: Family) -> bool:
        size = capacity_tokens(labels for _, labels in self.shape.samples.get(family.name, ()))
        if size is not None:
            self.constants[row.signal] = size
            self.spellings[row.signal] = family.name
        return size is not None

    def _parts(self, pick: Pick) -> dict[str, list[Leaf]]:
        """The series of a picked histogram by what they hold."""
        suffixes = ("_bucket", "_sum", "_count")
        parts = {s: self.shape.leaves(replace(pick, name=pick.name + s)) for s in suffixes}
        return {suffix: leaves for suffix, leaves in parts.items() if leaves}

    def _add_histogram(self, key: str, family: Family, parts: Mapping[str, list[Leaf]]) -> bool:
        if not parts:
            return False
        plan = histogram_plan(parts)
        if isinstance(plan, str):
            self.shape.doubts.append(f"{family.name} {plan}; left out")
            return False
        self.histograms[key] = plan
        self.spellings[key] = family.name
        return True

    def add_plain(self, family: Family) -> None:
        """A family under its own id, apart for each value of its `per` labels."""
        suffixes = {Kind.HISTOGRAM: ("_bucket", "_sum", "_count"), Kind.SUMMARY: ("_sum", "_count")}
        apart: dict[str, dict[str, list[Leaf]]] = {}
        for suffix in suffixes.get(family.kind, ("",)):
            for leaf in self.shape.samples.get(family.name + suffix, ()):
                apart.setdefault(_plain_key(family, leaf[1]), {}).setdefault(suffix, []).append(leaf)
        if len(apart) > PER_LIMIT:
            self.shape.doubts.append(f"{family.name} has {len(apart)} values of {family.per[0]}; left out")
            return
        for key, parts in apart.items():
            if family.kind is Kind.HISTOGRAM:
                # A metrics server is not asked for buckets that nobody looks at.
                if "_bucket" in parts:
                    self._add_histogram(key, family, parts)
                continue
            for suffix, leaves in parts.items():
                self.trees[key + suffix] = grow(family, leaves)
                self.spellings[key + suffix] = family.name + suffix
                if family.unit == "ratio" and not suffix:
                    self.ratios.append(key)

    def _ranks(self) -> tuple[RankPlan, ...]:
        by_rank: dict[str, dict[str, list[Tree]]] = {}
        for signal, choice in self.ranked.items():
            for pick in choice.picks:
                groups: dict[str, list[Leaf]] = {}
                for leaf in self.shape.leaves(pick):
                    groups.setdefault(roles.rank_name(roles.rank_of(leaf[1])), []).append(leaf)
                for name, leaves in groups.items():
                    tree = grow(self.shape.table.families[pick.name], leaves)
                    by_rank.setdefault(name, {}).setdefault(signal, []).append(tree)
        by_rank.pop("", None)
        if len(by_rank) < 2:
            return ()
        if len(by_rank) > RANK_LIMIT:
            self.shape.doubts.append(f"{len(by_rank)} ranks on one page; they are not kept apart")
            return ()
        return tuple(
            RankPlan(name, {signal: together(trees) for signal, trees in signals.items()})
            for name, signals in by_rank.items()
        )

    def finished(self, series: Sequence[Series]) -> Plan:
        shape = self.shape
        known = (series[i].labels for i in shape.families)
        models = dict.fromkeys(printable(m) for labels in known if (m := roles.model_of(labels)))
        infos = tuple(
            tuple((i, shown(labels)) for i, labels in shape.samples[f.name])
            for f in shape.table.by_name.values()
            if f.kind is Kind.INFO and f.name in shape.samples and ":" in f.name
        )
        return Plan(
            engine=shape.table.engine,
            generation=shape.generation,
            models=tuple(models)[:MODEL_LIMIT],
            constants=self.constants,
            trees=self.trees,
            ratios=tuple(self.ratios),
            switches=self.switches,
            histograms=self.histograms,
            ranks=self._ranks(),
            infos=infos,
            families=shape.families,
            spellings=self.spellings,
            doubts=tuple(shape.doubts),
        )


def _plain_key(family: Family, labels: roles.Labels) -> str:
    values = [labels[name] for name in family.per if name in labels]
    return f"{family.plain_id}[{printable(','.join(values), 80)}]" if values else family.plain_id
