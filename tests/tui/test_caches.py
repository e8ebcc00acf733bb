"""Rich remembers texts; a monitor that stays open has it forget them."""

from __future__ import annotations

from rich.cells import cached_cell_len, cell_len
from rich.segment import Segment

from inferguard_tui.caches import forget_texts


def test_texts_that_were_measured_and_cut_are_forgotten() -> None:
    for number in range(50):
        cell_len(f"≈ {number} s")
        Segment(f"≈ {number} s").split_cells(2)
    assert cached_cell_len.cache_info().currsize >= 50
    assert Segment._split_cells.cache_info().currsize >= 50
    forget_texts()
    assert cached_cell_len.cache_info().currsize == 0
    assert Segment._split_cells.cache_info().currsize == 0
