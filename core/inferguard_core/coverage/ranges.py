"""From and to which version an engine exports a name, a signal, or a combination of them.

A range is half open: it ends before the version that ends it. Tables know the versions at which something changed
and no others, so a name that was there to 0.5.2 beside another that came with 0.5.3 leaves no gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from inferguard_core.engines.table import TABLES
from inferguard_core.engines.version import OLDEST, Version, parse_version
from inferguard_core.reading import Engine
from inferguard_core.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from inferguard_core.engines.row import Choice, Pick, Span


@dataclass(frozen=True, slots=True)
class Line:
    """One engine generation and the versions of it that the tables speak of."""

    title: str
    engine: Engine
    generation: str
    first: Version
    last: Version | None = None
    """None: still made."""

    @property
    def boundaries(self) -> tuple[Version, ...]:
        """Versions at which what is exported may change, in order; the first is the line's own."""
        spans = [span for family in TABLES[self.engine].by_name.values() for span in family.spans]
        picks = [p for row in TABLES[self.engine].rows.values() for c in row.choices for p in c.picks]
        begins = {_since(span) for span in spans}
        begins |= {parse_version(t) or OLDEST for s in spans for t in (s.hidden,) if t}
        begins |= {parse_version(p.since) or OLDEST for p in picks if p.since}
        ends = {
            v for text in (*(s.until for s in spans), *(p.until for p in picks)) if (v := parse_version(text))
        }
        after = {_after(end, begins) for end in ends}
        known = {v for v in begins | after if v > self.first and (self.last is None or v <= self.last)}
        return (self.first, *sorted(known))


LINES: Final = (
    Line("vLLM V1", Engine.VLLM, "V1", (0, 7, 1, 0)),
    Line("vLLM V0", Engine.VLLM, "V0", (0, 4, 0, 0), (0, 10, 2, 0)),
    Line("SGLang", Engine.SGLANG, "", (0, 3, 5, 1)),
)


class Range(NamedTuple):
    since: Version
    before: Version | None
    """None: to the last version of its line."""


def where(line: Line, holds: Callable[[Version], bool]) -> tuple[Range, ...]:
    """The stretches of versions in which `holds`, which may change at the line's boundaries only."""
    found: list[Range] = []
    began: Version | None = None
    for version in line.boundaries:
        if holds(version) and began is None:
            began = version
        elif began is not None and not holds(version):
            found.append(Range(began, version))
            began = None
    return (*found, Range(began, None)) if began is not None else tuple(found)


def exported(wanted: str, line: Line, version: Version, *, hidden: bool = False) -> bool:
    """Whether a version exports a signal or, by its name, a family; `hidden` takes what a flag would show."""
    if wanted in TABLES[line.engine].by_name:
        return _shows(_spans(line, wanted), line, version, hidden=hidden)
    row = TABLES[line.engine].rows.get(Signal(wanted))
    choices = row.choices if row is not None else ()
    return any(_picked(p, line, version, hidden=hidden) for choice in choices for p in choice.deciding)


def spellings(signal: Signal, line: Line) -> Iterator[tuple[str, tuple[Range, ...]]]:
    """The names that answer for a signal, best first, with the versions of each; hidden ones count."""
    row = TABLES[line.engine].rows.get(signal)
    for choice in row.choices if row is not None else ():
        for name, picked in _named(choice):
            ranges = where(line, lambda v, p=picked: _picked(p, line, v, hidden=True))  # type: ignore[misc]
            if ranges:
                yield name, ranges


def spelled(found: tuple[Range, ...], line: Line) -> str:
    """`all`, `0.8.0+`, `before 0.5.7`, `0.4.10 until 0.5.3`; empty for none."""
    return ", ".join(_range(r, line) for r in found)


def _range(found: Range, line: Line) -> str:
    if found.since == line.first:
        return "all" if found.before is None else f"before {_version(found.before)}"
    start = _version(found.since)
    return f"{start}+" if found.before is None else f"{start} until {_version(found.before)}"


def _version(version: Version) -> str:
    major, minor, patch, post = version
    return f"{major}.{minor}.{patch}" + (f".post{post}" if post else "")


def _named(choice: Choice) -> Iterator[tuple[str, Pick]]:
    """The first name of a sum as it stands, each further one with a plus."""
    for place, picked in enumerate(choice.picks):
        yield (f"+ `{picked}`" if place else f"`{picked}`"), picked


def _picked(picked: Pick, line: Line, version: Version, *, hidden: bool) -> bool:
    since, until = parse_version(picked.since), parse_version(picked.until)
    if (since is not None and version < since) or (until is not None and version > until):
        return False
    return _shows(_spans(line, picked.name), line, version, hidden=hidden)


def _shows(spans: tuple[Span, ...], line: Line, version: Version, *, hidden: bool) -> bool:
    return any(s.holds(version, line.generation) and (hidden or not s.hides(version)) for s in spans)


def _spans(line: Line, name: str) -> tuple[Span, ...]:
    """Of a family, or of a histogram by its sample `_count` or `_sum`."""
    table = TABLES[line.engine]
    return (table.by_name.get(name) or table.families[name]).spans


def _since(span: Span) -> Version:
    return parse_version(span.since) or OLDEST


def _after(end: Version, begins: set[Version]) -> Version:
    """The first version after `end`: the next patch where nothing is known to lie between."""
    major, minor, patch, post = end
    following = (major, minor, patch + 1, 0)
    between = any(end < version < following for version in begins)
    return (major, minor, patch, post + 1) if between else following
