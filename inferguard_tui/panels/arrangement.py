"""Where panels stand at a size: bands of columns, from tables. Reads no content, so nothing jumps as data changes.

The first arrangement that a size has room for is taken. Below the smallest, bands are left out from the bottom:
KV and queue stand first and stay.
"""

from __future__ import annotations

from typing import NamedTuple


class Cell(NamedTuple):
    """A panel's place, in cells."""

    x: int
    y: int
    width: int
    height: int


class Band(NamedTuple):
    """Panels side by side: their shares of the width, the least height, the share of rows to spare, the most."""

    shares: tuple[tuple[str, int], ...]
    height: int
    grow: int = 0
    most: int = 20


class Arrangement(NamedTuple):
    min_width: int
    min_height: int
    bands: tuple[Band, ...]


GAP = 2
"""Columns left empty between two panels."""

_SMALL = (("latency", 31), ("work", 21), ("prefix", 21), ("preemption", 21))
"""Shares that are also the cells that each needs for its longest figures: 100 with the gaps."""
_WIDE = Arrangement(
    150,
    42,
    (
        Band((("kv", 5), ("queue", 4), ("latency", 4)), 9, 2),
        Band((("work", 1), ("prefix", 1), ("preemption", 1), ("status", 1)), 7),
        Band((("anomalies", 1), ("diagnosis", 1)), 10, 3),
        Band((("advisories", 1),), 9, 2),
        Band((("incidents", 1),), 5, 1),
    ),
)
_TALL = Arrangement(
    100,
    35,
    (
        Band((("kv", 1), ("queue", 1)), 7, 1),
        Band(_SMALL, 6),
        Band((("anomalies", 5), ("diagnosis", 4)), 9, 3),
        Band((("advisories", 1),), 6, 2),
        Band((("incidents", 5), ("status", 4)), 7, 1),
    ),
)
_MEDIUM = Arrangement(
    100,
    25,
    (
        Band((("kv", 1), ("queue", 1)), 6, 1),
        Band(_SMALL, 4),
        Band((("anomalies", 4), ("diagnosis", 3)), 6, 3),
        Band((("advisories", 1),), 5, 2),
        Band((("incidents", 5), ("status", 4)), 4, 1),
    ),
)
_ROOMY_COLUMN = Arrangement(
    0,
    30,
    (
        Band((("kv", 1),), 6, 2),
        Band((("queue", 1),), 1),
        Band((("latency", 1),), 1),
        Band((("work", 1),), 1),
        Band((("status", 1),), 1),
        Band((("anomalies", 1),), 5, 2),
        Band((("diagnosis", 1),), 5, 2),
        Band((("advisories", 1),), 5, 2),
        Band((("incidents", 1),), 3, 1),
    ),
)
_COLUMN = Arrangement(
    0,
    0,
    (
        Band((("kv", 1),), 1),
        Band((("queue", 1),), 1),
        Band((("latency", 1),), 1),
        Band((("work", 1),), 1),
        Band((("status", 1),), 1),
        Band((("anomalies", 1),), 5, 2),
        Band((("diagnosis", 1),), 4, 2),
        Band((("advisories", 1),), 4, 3),
        Band((("incidents", 1),), 2, 1),
    ),
)
ARRANGEMENTS = (_WIDE, _TALL, _MEDIUM, _ROOMY_COLUMN, _COLUMN)


def arranged(width: int, height: int) -> dict[str, Cell]:
    """The place of each panel that is shown in `width` by `height` cells."""
    chosen = next(a for a in ARRANGEMENTS if width >= a.min_width and height >= a.min_height)
    bands, spare = _fitting(chosen.bands, height)
    heights = _grown(bands, spare)
    places: dict[str, Cell] = {}
    y = 0
    for band, rows in zip(bands, heights, strict=True):
        x = 0
        widths = _widths(band, width)
        for (panel, _), cells in zip(band.shares, widths, strict=True):
            places[panel] = Cell(x, y, cells, rows)
            x += cells + GAP
        y += rows
    return places


def _fitting(bands: tuple[Band, ...], height: int) -> tuple[tuple[Band, ...], int]:
    """The leading bands that fit, the last one cut where a part of it does, and the rows left over."""
    kept: list[Band] = []
    room = height
    for band in bands:
        # A title with nothing under it is no panel.
        if room < min(band.height, 2):
            break
        kept.append(band._replace(height=min(band.height, room)))
        room -= kept[-1].height
    return tuple(kept), room


def _grown(bands: tuple[Band, ...], spare: int) -> list[int]:
    """Heights with the spare rows given out by share."""
    total = sum(band.grow for band in bands)
    if not total:
        heights = [band.height for band in bands]
        if heights:
            heights[-1] += spare
        return heights
    heights = [min(band.most, band.height + spare * band.grow // total) for band in bands]
    left = spare - sum(heights) + sum(band.height for band in bands)
    # What division left over goes one by one to those with the greatest use for it.
    for index in sorted(range(len(bands)), key=lambda i: -bands[i].grow):
        if left and heights[index] < bands[index].most:
            heights[index] += 1
            left -= 1
    # The last band is a list: it takes what no other has a use for.
    heights[-1] += left
    return heights


def _widths(band: Band, width: int) -> list[int]:
    total = sum(share for _, share in band.shares)
    room = max(0, width - GAP * (len(band.shares) - 1))
    widths = [room * share // total for _, share in band.shares]
    widths[-1] += room - sum(widths)
    return widths
