"""Partial repaints that send the changed cells only.

Textual crops a repaint at its right end and sends everything left of it that belongs to the same widget: a clock
at the end of the header costs the whole header every second. Over SSH that is most of the traffic. This replaces
the last step, turning chops into bytes, and relies on Textual's internals; the exact pin of Textual covers it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.control import Control
from textual._compositor import ChopsUpdate, Compositor

if TYPE_CHECKING:
    from rich.console import Console


class FrugalCompositor(Compositor):
    """A compositor whose partial updates are cropped on both sides."""

    def render_partial_update(self) -> ChopsUpdate | None:
        update = super().render_partial_update()
        return None if update is None else CroppedUpdate(update.chops, update.spans, update.chop_ends)


class CroppedUpdate(ChopsUpdate):
    """Writes each span's cells and no others."""

    def render_segments(self, console: Console) -> str:
        sequences: list[str] = []
        for y, start, end in self.spans:
            for chop_end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                first, last = max(x, start), min(chop_end, end)
                if strip is None or first >= last:
                    continue
                sequences.append(Control.move_to(first, y).segment.text)
                sequences.append(strip.crop(first - x, last - x).render(console))
        return "".join(sequences)
