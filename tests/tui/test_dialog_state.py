"""Header and verdict stand above every dialog and page, as live as they are on the dashboard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inferguard_core.settings import Settings
from inferguard_tui.app import InferGuardApp
from inferguard_tui.program import Setup
from inferguard_tui.screens.dialog import Dialog
from inferguard_tui.screens.endpoint import EndpointScreen
from inferguard_tui.screens.fleet import FleetScreen
from inferguard_tui.screens.past import PastIncident
from inferguard_tui.screens.prompt import Prompt
from inferguard_tui.terminal import Terminal
from tests.tui import followups, frames
from tests.tui.desks import NotingDesk
from tests.tui.harness import UNICODE, PushedFeed, pressed, rows, settled

SIZES = [(80, 24), (120, 40)]
DIALOGS = ["question_mark", "comma", "colon", "t", "c", "z", "d", "x", "n", "s"]
SAYS_OK, SAYS_CRITICAL = " ✔ OK  nothing wrong", " ▲ CRITICAL  KV exhausted"
ADVISED = replace(frames.endpoint(), advisories=frames.critical().advisories, incidents=(frames.incident(),))
"""Fine again, with all that every key needs."""


def monitor(feed: PushedFeed, terminal: Terminal = UNICODE) -> InferGuardApp:
    return InferGuardApp(feed, terminal=terminal, setup=Setup(settings=Settings()))


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("key", DIALOGS)
async def test_a_state_that_gets_worse_is_seen_above_a_dialog(key: str, size: tuple[int, int]) -> None:
    feed = PushedFeed(frames.frame(ADVISED), desk=NotingDesk())
    app = monitor(feed)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        before = rows(pilot)[:2]
        await pressed(key)(pilot)
        assert isinstance(app.screen, Dialog)
        assert before[1].startswith(SAYS_OK)
        assert rows(pilot)[:2] == before
        feed.push(frames.frame(frames.critical()))
        await settled(pilot)
        worse = rows(pilot)[:2]
        assert worse[1].startswith(SAYS_CRITICAL)
        await pressed("escape")(pilot)
        assert isinstance(app.screen, EndpointScreen)
        assert rows(pilot)[:2] == worse


async def test_the_state_is_seen_above_a_question_about_a_preview() -> None:
    desk = NotingDesk()
    desk.preview = followups.rehearsed("live")
    feed = PushedFeed(frames.frame(ADVISED), desk=desk)
    app = monitor(feed)
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed("x", "enter")(pilot)
        assert isinstance(app.screen, Prompt)
        feed.push(frames.frame(frames.critical()))
        await settled(pilot)
        assert rows(pilot)[1].startswith(SAYS_CRITICAL)


@pytest.mark.parametrize("key", ["question_mark", "c"])
async def test_above_a_dialog_over_the_fleet_stands_the_fleet(key: str) -> None:
    feed = PushedFeed(frames.mixed_fleet())
    app = monitor(feed)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        before = rows(pilot)[:2]
        await pressed(key)(pilot)
        assert isinstance(app.screen, Dialog)
        assert rows(pilot)[:2] == before
        feed.push(frames.frame(frames.endpoint(1), frames.endpoint(2)))
        await settled(pilot)
        assert rows(pilot)[1] == " ✔ OK  nothing wrong is seen on 2"
        await pressed("escape")(pilot)
        assert isinstance(app.screen, FleetScreen)


async def test_a_dialog_stands_under_the_endpoint_that_it_was_opened_on() -> None:
    feed = PushedFeed(frames.mixed_fleet())
    app = monitor(feed)
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed("5")(pilot)
        before = rows(pilot)[:2]
        await pressed("question_mark")(pilot)
        assert rows(pilot)[:2] == before
        assert " 5 " in before[0]


async def test_a_monitor_that_stopped_is_told_above_a_dialog() -> None:
    feed = PushedFeed(frames.frame(frames.endpoint()))
    app = monitor(feed)
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed("question_mark")(pilot)
        feed.push(RuntimeError("no such host"))
        await settled(pilot)
        assert "MONITOR STOPPED  no such host" in rows(pilot)[1]


async def test_the_lines_above_a_dialog_are_plain_where_the_terminal_is() -> None:
    app = monitor(PushedFeed(frames.frame(frames.critical())), Terminal(ascii_only=True))
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed("question_mark")(pilot)
        assert rows(pilot)[1].startswith(" ^ CRITICAL")
        assert "\n".join(rows(pilot)).isascii()


@pytest.mark.parametrize("keys", [("i",), ("r",), ("r", "enter"), ("r", "enter", "i")], ids="-".join)
async def test_a_state_that_gets_worse_is_seen_above_a_page(keys: tuple[str, ...]) -> None:
    desk = NotingDesk()
    desk.past = followups.similar()
    desk.closed = frames.frame(frames.critical())
    feed = PushedFeed(frames.frame(ADVISED), desk=desk)
    app = monitor(feed)
    async with app.run_test(size=(80, 24)) as pilot:
        await pressed(*keys)(pilot)
        assert len(app.screen_stack) == 2 + len(keys)
        assert isinstance(app.screen, PastIncident) is (keys[-1] == "i" and len(keys) > 1)
        assert rows(pilot)[1].startswith(SAYS_OK)
        feed.push(frames.frame(frames.critical()))
        await settled(pilot)
        assert rows(pilot)[1].startswith(SAYS_CRITICAL)
