"""The things that a memory keeps besides incidents, each a value with its own endpoint and time."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def _uid() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class ReadingRow:
    """The numbers of one endpoint at one instant, or their worst within one bin."""

    endpoint: str
    unix: float
    values: Mapping[str, float] = field(default_factory=dict)
    """By `MeasureId`; what was unknown is not in it."""


@dataclass(frozen=True, slots=True)
class Taught:
    """What one endpoint has taught us by now: `Learned.to_json`. An older one gives way."""

    endpoint: str
    unix: float
    learned: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """One line of `watch --json`."""

    endpoint: str
    unix: float
    event: Mapping[str, Any]
    uid: str = field(default_factory=_uid)
    """Makes a second writing of the same one no second event."""


@dataclass(frozen=True, slots=True)
class Audited:
    """What somebody or something did; never changed, never thinned out."""

    unix: float
    entry: Mapping[str, Any]
    uid: str = field(default_factory=_uid)


@dataclass(frozen=True, slots=True)
class Sent:
    """Entries of the outbox that a store elsewhere has confirmed."""

    numbers: tuple[int, ...]
