"""The order of a fleet: which rows, in which groups, and still while somebody is reading them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from inferguard_core.frame import MeasureId, Status
from inferguard_core.printable import printable
from inferguard_tui.panels.header import engine_words
from inferguard_tui.panels.measures import value
from inferguard_tui.panels.verdict import cause, rank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_core.frame import EndpointFrame

REST_S = 10.0
"""Seconds of frames after the last cursor movement before rows may change place again."""


class Sort(StrEnum):
    """What stands first. Equals keep the order in which they were given; the unknown stands last."""

    WORST = "worst"
    KV = "KV"
    QUEUE = "queue"
    TTFT = "TTFT"
    TOKENS = "tok/s"
    NAME = "name"


class Group(StrEnum):
    """What stands together."""

    NONE = "none"
    ENGINE = "engine"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Look:
    """How a person looks at a fleet."""

    sort: Sort = Sort.WORST
    group: Group = Group.NONE
    wanted: str = ""
    """Words that a row must hold, all of them."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A line above a group."""

    name: str
    count: int
    states: tuple[tuple[Status, int], ...]
    """How many are in each state, worst first."""


_Choice = TypeVar("_Choice", Sort, Group)
Entry = str | Heading
"""Key of an endpoint, or a line above some."""
_MEASURES = {
    Sort.KV: MeasureId.KV_USAGE,
    Sort.QUEUE: MeasureId.WAITING,
    Sort.TTFT: MeasureId.TTFT_P95,
    Sort.TOKENS: MeasureId.GENERATION_RATE,
}


def next_of(choice: _Choice) -> _Choice:
    """The one after it, round."""
    every = list(type(choice))
    return every[(every.index(choice) + 1) % len(every)]


def matches(endpoint: EndpointFrame, wanted: str) -> bool:
    """Whether name, engine, models, state and cause hold every word of `wanted`, in whatever case."""
    held = " ".join(
        (
            endpoint.name,
            engine_words(endpoint),
            *endpoint.models,
            endpoint.status.value,
            cause(endpoint),
            endpoint.diagnosis.cause
            if endpoint.diagnosis is not None and endpoint.incident is not None
            else "",
        )
    ).casefold()
    return all(word in held for word in wanted.casefold().split())


def entries(endpoints: Sequence[EndpointFrame], look: Look) -> tuple[Entry, ...]:
    """The rows: those wanted, in order, under headings where they are grouped."""
    wanted = [e for e in endpoints if matches(e, look.wanted)] if look.wanted else endpoints
    ordered = sorted(wanted, key=lambda e: _place(e, look.sort))
    if look.group is Group.NONE:
        return tuple(e.endpoint for e in ordered)
    groups: dict[str, list[EndpointFrame]] = {}
    for endpoint in ordered:
        groups.setdefault(_group(endpoint, look.group), []).append(endpoint)
    # The group with the worst member first, so that trouble is never below the fold of a quiet group.
    names = sorted(groups, key=lambda name: (-max(rank(e.status) for e in groups[name]), name))
    rows: list[Entry] = []
    for name in names:
        rows += [_heading(name, groups[name]), *(e.endpoint for e in groups[name])]
    return tuple(rows)


def _place(endpoint: EndpointFrame, sort: Sort) -> tuple[bool, float, str]:
    if sort is Sort.WORST:
        return False, -rank(endpoint.status), ""
    if sort is Sort.NAME:
        return False, 0.0, endpoint.name.casefold()
    known = value(endpoint, _MEASURES[sort])
    return known is None, -(known or 0.0), ""


def _group(endpoint: EndpointFrame, group: Group) -> str:
    if group is Group.ENGINE:
        return engine_words(endpoint) or "engine not known"
    return ", ".join(printable(m) for m in endpoint.models) or "model not known"


def _heading(name: str, members: Sequence[EndpointFrame]) -> Heading:
    counts = Counter(e.status for e in members)
    return Heading(name, len(members), tuple(sorted(counts.items(), key=lambda item: -rank(item[0]))))


def may_sort(order: Sequence[str], wanted: Sequence[str], moved_unix: float | None, unix: float) -> bool:
    """Whether rows may change place now; `wanted` are the keys that there should be.

    Always when endpoints came or went. Otherwise not within `REST_S` of the last movement of the cursor, counted
    on the frames' own clock; a clock that was set back counts as rest.
    """
    if set(order) != set(wanted):
        return True
    return moved_unix is None or not 0.0 <= unix - moved_unix < REST_S
