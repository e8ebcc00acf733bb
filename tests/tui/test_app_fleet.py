"""The application on several endpoints."""

from __future__ import annotations

import time
from dataclasses import replace

from inferguard_core.frame import Severity, Status
from inferguard_tui.app import InferGuardApp
from inferguard_tui.fleet.order import Group
from inferguard_tui.screens.dialect import DialectScreen
from inferguard_tui.screens.fleet import FleetScreen
from inferguard_tui.screens.incident import IncidentScreen
from tests.tui import frames
from tests.tui.desks import NotingDesk
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
        assert "52.0%" not in screen_text(pilot.app)


async def test_the_filter_narrows_with_each_letter_and_escape_shows_all() -> None:
    async with monitor(frames.mixed_fleet()).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        table = pilot.app.screen.table
        assert table.count == 12
        counts = []
        for key in ("slash", "s", "g", "l", "q"):
            await pilot.press(key)
            await settled(pilot)
            counts.append(table.count)
        assert counts == [12, 11, 1, 1, 0], "the one that was never polled holds no s"
        assert "no endpoint matches" in screen_text(pilot.app)
        assert pilot.app.is_running, "a q is a letter here"
        await pilot.press("backspace", "enter")
        await settled(pilot)
        assert table.chosen == "http://gpu-02:8000"
        assert "filter sgl: 1 of 12" in screen_text(pilot.app)
        await pilot.press("j", "escape")
        await settled(pilot)
        assert table.count == 12
        assert "filter" not in screen_text(pilot.app).replace("/ filter", "")


async def test_a_filter_holds_while_frames_come() -> None:
    feed = PushedFeed(frames.mixed_fleet())
    async with InferGuardApp(feed, terminal=UNICODE).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("slash", *"critical", "enter")
        feed.push(
            frames.frame(*(frames.critical(n) if n < 3 else frames.endpoint(n) for n in range(1, 9)), seq=2)
        )
        await settled(pilot)
        assert pilot.app.screen.table.count == 2
        assert "filter critical: 2 of 8" in screen_text(pilot.app)


async def test_grouping_and_ordering_go_round_and_are_told() -> None:
    async with monitor(frames.mixed_fleet()).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        seen = []
        for key in ("o", "o", "o", "S"):
            await pilot.press(key)
            await settled(pilot)
            seen.append(rows(pilot)[2].strip())
        assert seen[:2] == ["grouped by engine", "grouped by model"]
        assert seen[2].startswith("#")
        assert seen[3] == "sorted by KV"
        assert pilot.app.remembered.sort == "KV"


async def test_moving_passes_over_headings_and_keeps_the_first_one_in_sight() -> None:
    async with monitor(frames.mixed_fleet()).run_test(size=(120, 12)) as pilot:
        await settled(pilot)
        await pilot.press("o", "G", "g")
        await settled(pilot)
        assert "vLLM 0.32.0" in rows(pilot)[4]
        assert rows(pilot)[5].startswith("▌")


async def test_what_is_asked_is_asked_about_the_endpoint_under_the_cursor() -> None:
    desk = NotingDesk()
    feed = PushedFeed(frames.mixed_fleet(), desk=desk)
    async with InferGuardApp(feed, terminal=UNICODE).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("j", "d")
        await settled(pilot)
        assert desk.asked == [("investigate", "http://gpu-09:8000")]
        await pilot.press("escape", "j", "i")
        await settled(pilot)
        assert isinstance(pilot.app.screen, IncidentScreen)
        assert "gpu-03:8000" in rows(pilot)[0]
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(pilot.app.screen, FleetScreen)
        await pilot.press("c")
        await settled(pilot)
        assert isinstance(pilot.app.screen, DialectScreen)


async def test_an_order_that_was_remembered_is_used_and_an_unknown_one_is_not() -> None:
    assert FleetScreen(sort="KV")._look.sort.value == "KV"
    assert FleetScreen(sort="nonesuch")._look.sort.value == "worst"


async def test_five_hundred_rows_are_narrowed_and_grouped_within_a_key_stroke() -> None:
    many = [frames.endpoint(number) for number in range(1, 501)]
    feed = PushedFeed(frames.frame(*many))
    async with InferGuardApp(feed, terminal=UNICODE).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        table = pilot.app.screen.table
        begun = time.process_time()
        for wanted in ("g", "gp", "gpu-4", "gpu-49"):
            table.show(replace(table.look, wanted=wanted, group=Group.ENGINE))
        took = (time.process_time() - begun) / 4
        assert table.count == 11
        assert took < 0.05, f"{took * 1000:.0f} ms of CPU for one letter"
