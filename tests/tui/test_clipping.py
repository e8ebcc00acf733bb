"""Nothing on the dashboard is cut at the sizes it is made for: what does not fit is left out whole."""

from __future__ import annotations

import pytest

from inferguard_tui.line import text_of, width
from inferguard_tui.panels.arrangement import arranged
from inferguard_tui.panels.catalogue import PANELS
from inferguard_tui.panels.verdict import endpoint_verdict
from inferguard_tui.panels.view import View, Watching, panel_lines
from tests.tui import conclusions, frames

SIZES = [(80, 24), (100, 30), (120, 40), (200, 50)]
STATES = {
    "critical": frames.critical(),
    "unclear": frames.critical(diagnosis=conclusions.unclear()),
    "filling": frames.filling(),
    "healthy": frames.endpoint(),
}
BOARD_ROWS = 3
_PANELS = {panel.id: panel for panel in PANELS}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("replay_row", [0, 1])
def test_no_row_and_no_title_is_cut(size: tuple[int, int], state: str, replay_row: int) -> None:
    endpoint = STATES[state]
    for name, cell in arranged(size[0], size[1] - BOARD_ROWS - replay_row).items():
        panel, view = _PANELS[name], View(cell.width, cell.height)
        own = (
            (panel.compact(endpoint, view),)
            if panel.compact is not None and cell.height == 1
            else panel.content(endpoint, View(cell.width, cell.height - 1)).lines
        )
        assert max(width(row) for row in own) <= cell.width, name
        drawn = [text_of(row) for row in panel_lines(panel, endpoint, view)]
        # `MODEL …` stands in the command itself; `… 3 more` is the count of what was left out.
        cut = [row for row in drawn if "…" in row.replace("MODEL …", "") and "  … " not in row]
        assert not cut, name
        if cell.height > 1 and panel.content(endpoint, view).note:
            assert panel.content(endpoint, View(cell.width, cell.height - 1)).note in drawn[0]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", STATES)
def test_the_verdict_is_not_cut(size: tuple[int, int], state: str) -> None:
    frame = frames.frame(STATES[state])
    assert "…" not in text_of(endpoint_verdict(frame, STATES[state], Watching(), size[0]))
