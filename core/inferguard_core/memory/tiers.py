"""Readings in steps that widen with age: a second for an hour, ten for a day, a minute for the rest.

A bin of a wider step is made of those of the finer one when it is over, so that it is the same whoever writes it
and however often they were interrupted. It keeps the worst value, as a sparkline does.
"""

from __future__ import annotations

import json
import struct
from itertools import pairwise
from math import isnan, nan
from typing import TYPE_CHECKING, Final, NamedTuple

from inferguard_core.frame import LOWEST_IS_WORST, MeasureId
from inferguard_core.memory.records import ReadingRow

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

NAMES: Final = tuple(measure.value for measure in MeasureId)
MIN_KEPT: Final = 600.0
"""Seconds of the finest readings that not even a full store gives up: what sparklines begin with."""


class Tier(NamedTuple):
    step_s: int
    kept_s: float


TIERS: Final = (Tier(1, 3600.0), Tier(10, 86400.0), Tier(60, float("inf")))
"""Finest first. The last is kept for as long as the settings say."""


def pack(values: Mapping[str, float]) -> bytes:
    """The numbers in the order of `NAMES`, four bytes each; an unknown one is NaN."""
    return struct.pack(f"<{len(NAMES)}f", *(_small(values.get(name, nan)) for name in NAMES))


def unpack(packed: bytes, names: Sequence[str]) -> dict[str, float]:
    values = struct.unpack(f"<{len(packed) // 4}f", packed)
    return {name: value for name, value in zip(names, values, strict=False) if not isnan(value)}


def worst(rows: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Each number at its worst."""
    found: dict[str, float] = {}
    for row in rows:
        for name, value in row.items():
            pick = min if name in LOWEST_IS_WORST else max
            found[name] = pick(value, found.get(name, value))
    return found


def layouts(connection: sqlite3.Connection) -> dict[int, tuple[str, ...]]:
    return {
        n: tuple(json.loads(names)) for n, names in connection.execute("SELECT number, names FROM layouts")
    }


def roll_up(
    connection: sqlite3.Connection,
    endpoint: int,
    layout: int,
    names: Mapping[int, tuple[str, ...]],
    until: float,
) -> None:
    """Make the wider bins that were over at `until` and are not there yet."""
    for finer, tier in pairwise(TIERS):
        last = connection.execute(
            "SELECT max(bin) FROM readings WHERE endpoint = ? AND step = ?", (endpoint, tier.step_s)
        ).fetchone()[0]
        begin = 0 if last is None else last + tier.step_s
        end = int(until // tier.step_s) * tier.step_s
        if end <= begin:
            continue
        rows = connection.execute(
            "SELECT bin, layout, packed FROM readings WHERE endpoint = ? AND step = ? AND bin >= ? AND bin < ?",
            (endpoint, finer.step_s, begin, end),
        )
        bins: dict[int, list[dict[str, float]]] = {}
        for second, kind, packed in rows:
            bins.setdefault(second // tier.step_s * tier.step_s, []).append(unpack(packed, names[kind]))
        connection.executemany(
            "INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?, ?)",
            [(endpoint, tier.step_s, b, layout, pack(worst(found))) for b, found in bins.items()],
        )


def prune(connection: sqlite3.Connection, now: float, max_days: float) -> None:
    """Let go of readings past their age."""
    for (endpoint,) in connection.execute("SELECT number FROM endpoints").fetchall():
        for tier in TIERS:
            oldest = now - min(tier.kept_s, max_days * 86400.0)
            connection.execute(
                "DELETE FROM readings WHERE endpoint = ? AND step = ? AND bin < ?",
                (endpoint, tier.step_s, oldest),
            )


def shed(connection: sqlite3.Connection, now: float) -> int:
    """Let go of the oldest tenth of the readings; how many went."""
    before = connection.total_changes
    span = connection.execute("SELECT min(bin) FROM readings").fetchone()[0]
    if span is None:
        return 0
    until = min(span + (now - span) / 10.0, now - MIN_KEPT)
    connection.execute("DELETE FROM readings WHERE bin < ?", (until,))
    return connection.total_changes - before


def since(connection: sqlite3.Connection, endpoint: str, begin: float) -> tuple[ReadingRow, ...]:
    """Readings of `endpoint` from `begin` on, oldest first, each span in the finest steps that are kept of it."""
    names = layouts(connection)
    found: list[ReadingRow] = []
    until = float("inf")
    for tier in TIERS:
        rows = connection.execute(
            "SELECT bin, layout, packed FROM readings WHERE step = ? AND bin >= ? AND bin + ? <= ?"
            " AND endpoint = (SELECT number FROM endpoints WHERE url = ?) ORDER BY bin DESC",
            (tier.step_s, begin, tier.step_s, until, endpoint),
        ).fetchall()
        found += [ReadingRow(endpoint, float(b), unpack(packed, names[kind])) for b, kind, packed in rows]
        until = found[-1].unix if found else until
    return tuple(reversed(found))


def _small(value: float) -> float:
    """`value` as four bytes hold it; past their range it is unknown."""
    return value if abs(value) < 3.0e38 else nan
