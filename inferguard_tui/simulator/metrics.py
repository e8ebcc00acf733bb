"""Counters, gauges and histograms that render to the Prometheus text format with little work per page.

A line whose value did not change keeps its text. Only what the simulated pages need is here: no
registry, no threads, no escaping beyond what label values of ours can contain.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

Labels = Mapping[str, str]


def number(value: float) -> str:
    """`value` as prometheus_client writes it, which is Go's shortest form from 1e6 on."""
    if value != value:  # noqa: PLR0124 - the only value that differs from itself
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(float(value))
    dot = text.find(".")
    if value > 0 and dot > 6:
        digits = (text[:dot] + text[dot + 1 :]).rstrip("0")
        return f"{digits[0]}{'.' if len(digits) > 1 else ''}{digits[1:]}e+{dot - 1:02d}"
    return text


def series(name: str, labels: Labels) -> str:
    """`name{a="1",b="2"}`, labels in alphabetical order as the clients write them."""
    if not labels:
        return name
    inner = ",".join(f'{key}="{_escape(labels[key])}"' for key in sorted(labels))
    return f"{name}{{{inner}}}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


class Block(Protocol):
    """A run of lines of a page."""

    def text(self) -> str:
        """The lines, each ended by a newline."""
        ...


@dataclass(slots=True)
class Static:
    """Lines that never change."""

    lines: str

    def text(self) -> str:
        return self.lines


class Value:
    """One sample: a counter's or a gauge's child. Counters are only ever added to."""

    __slots__ = ("_head", "_shown", "_text", "value")

    def __init__(self, head: str, value: float = 0.0) -> None:
        self.value = value
        self._head = head
        self._shown = math.nan
        self._text = ""

    def text(self) -> str:
        if self.value != self._shown:
            self._shown = self.value
            self._text = f"{self._head} {number(self.value)}\n"
        elif not self._text:
            self._text = f"{self._head} {number(self.value)}\n"
        return self._text


class Histogram:
    """Counts per bucket and a sum. `sum_first` is the order of the multiprocess collector (SGLang)."""

    def __init__(
        self, name: str, labels: Labels, edges: tuple[float, ...], *, sum_first: bool = False
    ) -> None:
        self.count = 0
        self.sum = 0.0
        self._edges = edges
        self._counts = [0] * (len(edges) + 1)
        self._heads = [
            series(f"{name}_bucket", {**labels, "le": number(edge)}) for edge in (*edges, math.inf)
        ]
        self._count_head = series(f"{name}_count", labels)
        self._sum_head = series(f"{name}_sum", labels)
        self._sum_first = sum_first
        self._shown = -1
        self._text = ""

    def observe(self, value: float, times: int = 1) -> None:
        self._counts[bisect_left(self._edges, value)] += times
        self.count += times
        self.sum += value * times

    def text(self) -> str:
        if self.count != self._shown:
            self._shown = self.count
            self._text = self._render()
        return self._text

    def _render(self) -> str:
        total = 0
        lines: list[str] = []
        for head, count in zip(self._heads, self._counts, strict=True):
            total += count
            lines.append(f"{head} {total}.0\n" if total < 1_000_000 else f"{head} {number(total)}\n")
        count_line = f"{self._count_head} {number(self.count)}\n"
        sum_line = f"{self._sum_head} {number(self.sum)}\n"
        if self._sum_first:
            return "".join((sum_line, *lines, count_line))
        return "".join((*lines, count_line, sum_line))


@dataclass(slots=True)
class Family:
    """One metric family. Children may be added at any time, as a client does on a label set's first use."""

    name: str
    kind: str
    words: str
    children: list[Block] = field(default_factory=list)
    created_at: float | None = None
    """When set, each child brings a `_created` sample with this unix time."""
    hide_empty: bool = False
    """A multiprocess page has no line of a family without samples; a single-process one has its header."""
    _created: list[str] = field(default_factory=list)

    def value(self, labels: Labels, value: float = 0.0) -> Value:
        child = Value(series(self.name, labels), value)
        self._add(child, labels)
        return child

    def histogram(self, labels: Labels, edges: tuple[float, ...], *, sum_first: bool = False) -> Histogram:
        child = Histogram(self.name, labels, edges, sum_first=sum_first)
        self._add(child, labels)
        return child

    def summary(self, labels: Labels) -> tuple[Value, Value]:
        """Count and sum of a summary without quantiles."""
        count = Value(series(f"{self.name}_count", labels))
        total = Value(series(f"{self.name}_sum", labels))
        self.children.append(count)
        self._add(total, labels)
        return count, total

    def _add(self, child: Block, labels: Labels) -> None:
        self.children.append(child)
        if self.created_at is not None:
            base = self.name.removesuffix("_total") if self.kind == "counter" else self.name
            self._created.append(f"{series(f'{base}_created', labels)} {number(self.created_at)}\n")

    def text(self) -> str:
        if self.hide_empty and not self.children:
            return ""
        head = f"# HELP {self.name} {self.words}\n# TYPE {self.name} {self.kind}\n"
        body = "".join([child.text() for child in self.children])
        if not self._created:
            return head + body
        base = self.name.removesuffix("_total") if self.kind == "counter" else self.name
        created = f"# HELP {base}_created {self.words}\n# TYPE {base}_created gauge\n"
        return head + body + created + "".join(self._created)


class Page:
    """An exposition under construction and, afterwards, its current text."""

    def __init__(
        self, common: Labels, *, created_at: float | None = None, multiprocess: bool = False
    ) -> None:
        self.common = common
        self._created_at = created_at
        self._multiprocess = multiprocess
        self._blocks: list[Block] = []
        self._families: dict[str, Family] = {}

    def rank(self, **labels: str) -> Page:
        """The same page for one of several cores: what it adds carries these labels too."""
        view = Page({**self.common, **labels}, created_at=self._created_at, multiprocess=self._multiprocess)
        view._blocks, view._families = self._blocks, self._families
        return view

    def static(self, lines: Iterable[str]) -> None:
        self._blocks.append(Static("".join(f"{line}\n" for line in lines)))

    def family(self, name: str, kind: str, words: str) -> Family:
        """A new family, or the one of this name when another core has begun it."""
        if name in self._families:
            return self._families[name]
        created = self._created_at if kind in ("counter", "histogram", "summary") else None
        family = Family(name, kind, words, created_at=created, hide_empty=self._multiprocess)
        self._blocks.append(family)
        self._families[name] = family
        return family

    def counter(self, name: str, words: str, **labels: str) -> Value:
        """A counter with one child, shown from the start at 0."""
        return self.family(name, "counter", words).value({**self.common, **labels})

    def gauge(self, name: str, words: str, value: float = 0.0, **labels: str) -> Value:
        return self.family(name, "gauge", words).value({**self.common, **labels}, value)

    def histogram(self, name: str, words: str, edges: tuple[float, ...], **labels: str) -> Histogram:
        family = self.family(name, "histogram", words)
        return family.histogram({**self.common, **labels}, edges, sum_first=self._multiprocess)

    def text(self) -> str:
        return "".join([block.text() for block in self._blocks])
