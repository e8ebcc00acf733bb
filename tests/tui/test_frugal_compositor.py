"""A partial repaint sends the changed cells, where Textual would send all that stands left of them too."""

from __future__ import annotations

import pytest
from rich.console import Console
from rich.segment import Segment
from textual._compositor import ChopsUpdate
from textual.strip import Strip

from inferguard_tui.screens.frugal_compositor import CroppedUpdate, FrugalCompositor
from tests.tui import frames
from tests.tui.harness import monitor, settled

ROW = "InferGuard gpu-01:8000  poll 2 s 22:13:20"


def sent(start: int, end: int, kind: type[ChopsUpdate] = CroppedUpdate) -> str:
    """What is written when cells [start, end) of a widget that holds the row changed."""
    update = kind([{0: Strip([Segment(ROW)])}], [(0, start, end)], [[len(ROW)]])
    return update.render_segments(Console(color_system=None))


@pytest.mark.parametrize(("start", "end"), [(len(ROW) - 1, len(ROW)), (0, 3), (11, 22), (0, len(ROW))])
def test_only_the_cells_of_the_span_are_written(start: int, end: int) -> None:
    assert sent(start, end) == f"\x1b[1;{start + 1}H{ROW[start:end]}"


def test_textual_itself_still_sends_what_stands_to_the_left() -> None:
    """When this fails, Textual crops on its own and ours can go."""
    assert ROW[:-1] in sent(len(ROW) - 1, len(ROW), ChopsUpdate)


def test_cells_beside_the_widget_are_not_written() -> None:
    assert sent(len(ROW) + 5, len(ROW) + 9) == ""


async def test_our_screens_paint_with_it() -> None:
    async with monitor(frames.frame(frames.endpoint())).run_test() as pilot:
        await settled(pilot)
        assert isinstance(pilot.app.screen._compositor, FrugalCompositor)
