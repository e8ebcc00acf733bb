"""A dialog that covers the verdict says in its frame how things stand beneath it."""

from __future__ import annotations

import pytest

from inferguard_tui.app import InferGuardApp
from inferguard_tui.screens.dialog import Dialog
from inferguard_tui.terminal import Terminal
from tests.tui import frames
from tests.tui.desks import NotingDesk
from tests.tui.harness import UNICODE, PushedFeed, rows, settled

SHAPES = [(UNICODE, "▲ CRITICAL"), (Terminal(ascii_only=True), "^ CRITICAL")]


@pytest.mark.parametrize(("terminal", "said"), SHAPES, ids=["unicode", "ascii"])
@pytest.mark.parametrize("key", ["c", "z", "question_mark"])
async def test_a_state_that_gets_worse_is_seen_over_a_dialog(key: str, terminal: Terminal, said: str) -> None:
    feed = PushedFeed(frames.frame(frames.endpoint()))
    app = InferGuardApp(feed, terminal=terminal)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press(key)
        await settled(pilot)
        assert isinstance(app.screen, Dialog)
        assert not any(said in row for row in rows(pilot))
        feed.push(frames.frame(frames.critical()))
        await settled(pilot)
        assert said in rows(pilot)[1]


@pytest.mark.parametrize("key", ["t", "s", "n"])
async def test_a_small_dialog_leaves_the_verdict_in_sight(key: str) -> None:
    feed = PushedFeed(frames.frame(frames.critical()), desk=NotingDesk())
    app = InferGuardApp(feed, terminal=UNICODE)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press(key)
        await settled(pilot)
        assert isinstance(app.screen, Dialog)
        assert "▲ CRITICAL" in rows(pilot)[1]
        assert sum("▲ CRITICAL" in row for row in rows(pilot)) == 1
