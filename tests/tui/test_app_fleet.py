"""The application on several endpoints."""

from __future__ import annotations

from dataclasses import replace

from inferguard_core.frame import Severity, Status
from inferguard_tui.app import InferGuardApp
from inferguard_tui.screens.fleet import FleetScreen
from tests.tui import frames
from tests.tui.harness import UNICODE, PushedFeed, monitor, rows, screen_text, settled


async def test_several_endpoints_open_the_fleet() -> None:
    async with monitor(frames.mixed_fleet()).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert isinstance(pilot.app.screen, FleetScreen)
        assert "gpu-07" in rows(pilot)[3]


async def test_the_fleet_opens_an_endpoint_and_comes_back() -> None:
    async with monitor(frames.mixed_fleet()).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("j", "enter")
        await settled(pilot)
        assert "9 gpu-09:8000" in rows(pilot)[0]
        assert rows(pilot)[1].startswith(" \N{MULTIPLICATION SIGN} NO DATA")
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(pilot.app.screen, FleetScreen)


async def test_digits_jump_from_the_fleet_and_between_endpoints() -> None:
    async with monitor(frames.mixed_fleet()).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        for digit in range(1, 10):
            await pilot.press(str(digit))
            await settled(pilot)
            assert f" {digit} gpu-{digit:02d}:8000" in rows(pilot)[0]
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, FleetScreen)


async def test_moving_the_cursor() -> None:
    async with monitor(frames.mixed_fleet()).run_test(size=(120, 12)) as pilot:
        await settled(pilot)
        table = pilot.app.screen.table
        seen = []
        for key in ("j", "down", "k", "up", "G", "g", "end", "home", "pagedown", "pageup"):
            await pilot.press(key)
            seen.append(table.chosen.removeprefix("http://gpu-").partition(":")[0])
        assert seen == ["09", "03", "09", "07", "12", "07", "12", "07", "01", "07"]


async def test_rows_hold_still_under_a_moved_cursor_until_sorted() -> None:
    feed = PushedFeed(frames.frame(frames.endpoint(1), frames.endpoint(2), frames.endpoint(3)))
    async with InferGuardApp(feed, terminal=UNICODE).run_test(size=(120, 12)) as pilot:
        await settled(pilot)
        await pilot.press("j")
        feed.push(frames.frame(frames.endpoint(1), frames.endpoint(2), frames.critical(3), seq=2))
        await settled(pilot)
        assert ["gpu-01" in rows(pilot)[3], "gpu-03" in rows(pilot)[5]] == [True, True]
        await pilot.press("s")
        await settled(pilot)
        assert "gpu-03" in rows(pilot)[3]
        assert pilot.app.screen.table.chosen == "http://gpu-02:8000"
        assert rows(pilot)[5].startswith("▌")


async def test_five_hundred_endpoints_render_and_move() -> None:
    many = [frames.endpoint(number) for number in range(1, 501)]
    many[499] = frames.critical(500)
    feed = PushedFeed(frames.frame(*many))
    async with InferGuardApp(feed, terminal=UNICODE).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert "gpu-500" in rows(pilot)[3]
        await pilot.press("G")
        await settled(pilot)
        assert "gpu-499" in rows(pilot)[-2]
        many[498] = replace(many[498], status=Status.NOTICE, severity=Severity.NOTICE)
        feed.push(frames.frame(*many, seq=2))
        await settled(pilot)
        assert "NOTICE" in rows(pilot)[-2]
        assert pilot.app.screen.table.chosen == "http://gpu-499:8000"


async def test_an_endpoint_that_left_the_frames_is_not_shown_as_another() -> None:
    feed = PushedFeed(frames.mixed_fleet())
    async with InferGuardApp(feed, terminal=UNICODE).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("1")
        await settled(pilot)
        feed.push(frames.frame(frames.critical(2), frames.endpoint(3), seq=2))
        await settled(pilot)
        assert "52.0 %" not in screen_text(pilot.app)
