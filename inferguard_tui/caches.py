"""Bounds for what Rich remembers of texts: its own are thousands of entries, and ours are numbers that do not return.

A monitor that is left open would fill them with some MiB of texts it never draws again. Nothing else is cleared:
colours and styles do return.
"""

from __future__ import annotations

from rich.cells import cached_cell_len
from rich.segment import Segment

EVERY_S = 60.0
"""What is drawn again and again is measured anew this often, in under a millisecond."""


def forget_texts() -> None:
    """Empty the caches of text widths and of cut segments."""
    cached_cell_len.cache_clear()
    Segment._split_cells.cache_clear()  # noqa: SLF001 - Rich has no public way; a test says if it goes
