"""How things stand is in sight over every dialog, and goes on."""

from __future__ import annotations

import pytest

from inferguard_core.settings import Settings
from inferguard_tui.app import InferGuardApp
from inferguard_tui.program import Setup
from inferguard_tui.screens.dialog import Dialog
from inferguard_tui.terminal import Terminal
from tests.tui import frames
from tests.tui.desks import NotingDesk
from tests.tui.harness import UNICODE, PushedFeed, rows, settled

SHAPES = [(UNICODE, "▲ CRITICAL"), (Terminal(ascii_only=True), "^ CRITICAL")]


@pytest.mark.parametrize(("terminal", "said"), SHAPES, ids=["unicode", "ascii"])
@pytest.mark.parametrize("key", ["c", "z", "question_mark", "comma", "colon", "d", "t", "s", "n"])
@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=str)
async def test_a_state_that_gets_worse_is_seen_over_a_dialog(
    key: str, terminal: Terminal, said: str, size: tuple[int, int]
) -> None:
    feed = PushedFeed(frames.frame(frames.warning()), desk=NotingDesk())
    app = InferGuardApp(feed, terminal=terminal, setup=Setup(settings=Settings()))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press(key)
        await settled(pilot)
        assert isinstance(app.screen, Dialog)
        assert "WARNING" in rows(pilot)[1]
        feed.push(frames.frame(frames.critical()))
        await settled(pilot)
        assert rows(pilot)[1].strip().startswith(said)
        assert "gpu-01" in rows(pilot)[0]
        assert sum(said in row for row in rows(pilot)[:3]) == 1


@pytest.mark.parametrize("key", ["question_mark", "c", "t"])
async def test_over_a_fleet_a_dialog_shows_how_all_of_it_stands(key: str) -> None:
    feed = PushedFeed(frames.mixed_fleet(), desk=NotingDesk())
    app = InferGuardApp(feed, terminal=UNICODE)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        before = rows(pilot)[:2]
        await pilot.press(key)
        await settled(pilot)
        assert isinstance(app.screen, Dialog)
        assert rows(pilot)[:2] == before
        assert "12 endpoints" in before[0]
