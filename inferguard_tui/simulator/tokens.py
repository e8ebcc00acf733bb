"""Text to token counts and back, good enough for load: four bytes of prompt are a token, as of English text."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from inferguard_tui.simulator.request import Segment

if TYPE_CHECKING:
    from collections.abc import Iterator

BYTES_PER_TOKEN = 4
SLICE_TOKENS = 64
"""Prompts are cut into slices of this many tokens; equal slices in equal places can share cache."""
SOCKET_CONTENT = 1 << 33
"""Content ids of text from the socket start here, away from the simulated clients' own."""
WORDS = (
    "the",
    "engine",
    "reads",
    "its",
    "weights",
    "once",
    "a",
    "step",
    "and",
    "every",
    "row",
    "adds",
    "one",
)


def segments_of(parts: list[str]) -> tuple[Segment, ...]:
    """Segments of a prompt that is the concatenation of `parts`; never empty."""
    segments: list[Segment] = []
    for part in parts:
        data = part.encode()
        width = SLICE_TOKENS * BYTES_PER_TOKEN
        for start in range(0, len(data), width):
            piece = data[start : start + width]
            tokens = -(-len(piece) // BYTES_PER_TOKEN)
            segments.append(Segment(SOCKET_CONTENT + zlib.crc32(piece), tokens))
    return tuple(segments) or (Segment(SOCKET_CONTENT, 1),)


def words() -> Iterator[str]:
    """One word a token, without end."""
    while True:
        for word in WORDS:
            yield f" {word}"
