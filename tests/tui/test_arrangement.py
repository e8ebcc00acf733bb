"""Where panels stand: inside the room, apart from each other, the first ones always."""

from __future__ import annotations

import pytest

from inferguard_tui.panels.arrangement import Cell, arranged
from inferguard_tui.panels.catalogue import PANELS

BOARD_ROWS = 3
"""Header, verdict and keys are not the board's."""
SIZES = [(80, 24), (100, 30), (120, 40), (200, 50), (60, 20), (40, 12), (132, 43), (300, 100)]


def inside(cell: Cell, width: int, height: int) -> bool:
    return cell.x >= 0 and cell.y >= 0 and cell.x + cell.width <= width and cell.y + cell.height <= height


def overlap(a: Cell, b: Cell) -> bool:
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_nothing_is_clipped_and_nothing_overlaps(width: int, height: int) -> None:
    cells = list(arranged(width, height - BOARD_ROWS).values())
    assert all(inside(cell, width, height - BOARD_ROWS) for cell in cells)
    assert not [(a, b) for i, a in enumerate(cells) for b in cells[i + 1 :] if overlap(a, b)]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_row_is_used(width: int, height: int) -> None:
    cells = arranged(width, height - BOARD_ROWS).values()
    assert max(cell.y + cell.height for cell in cells) == height - BOARD_ROWS


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_kv_and_queue_are_in_the_first_24_rows(width: int, height: int) -> None:
    cells = arranged(width, height - BOARD_ROWS)
    assert all(cells[panel].y + cells[panel].height <= 24 - BOARD_ROWS for panel in ("kv", "queue"))


@pytest.mark.parametrize(("width", "height"), [(120, 40), (200, 50), (100, 30)])
def test_a_large_screen_shows_every_panel(width: int, height: int) -> None:
    assert arranged(width, height - BOARD_ROWS).keys() == {panel.id for panel in PANELS}


def test_the_first_panels_stay_in_the_smallest_room() -> None:
    assert list(arranged(30, 2)) == ["kv", "queue"]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("replay_row", [0, 1])
def test_no_title_stands_without_a_line_under_it(width: int, height: int, replay_row: int) -> None:
    compact = {panel.id for panel in PANELS if panel.compact is not None}
    cells = arranged(width, height - BOARD_ROWS - replay_row)
    assert all(cell.height > 1 or panel in compact for panel, cell in cells.items())


def test_a_replay_bar_costs_no_panel_at_80_by_24() -> None:
    assert "incidents" in arranged(80, 24 - BOARD_ROWS - 1)
    assert arranged(80, 24 - BOARD_ROWS)["advisories"].height == 5
