"""The application on prepared frames: keys, pause, failure, replay, sizes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from textual.widgets._toast import Toast

from inferguard_core.frame import MeasureId, ReplayPosition
from inferguard_tui.app import InferGuardApp
from inferguard_tui.screens.endpoint import EndpointScreen
from inferguard_tui.screens.zoom import ZoomScreen
from inferguard_tui.terminal import Terminal
from inferguard_tui.theming import find_themes
from tests.tui import figures, frames
from tests.tui.harness import UNICODE, Controls, PushedFeed, monitor, rows, screen_text, settled

if TYPE_CHECKING:
    from textual.pilot import Pilot

REPLAY = ReplayPosition(42.0, 151.0, 2.0, paused=False, ended=False)


def chosen(pilot: Pilot[None]) -> str | None:
    return pilot.app.focused.id if pilot.app.focused is not None else None


async def test_one_endpoint_opens_its_dashboard() -> None:
    async with monitor(frames.frame(frames.critical())).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert isinstance(pilot.app.screen, EndpointScreen)
        assert rows(pilot)[1].startswith(" ▲ CRITICAL")


async def test_before_the_first_frame_the_screen_says_that_it_waits() -> None:
    async with monitor().run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "waiting for the first frame" in screen_text(pilot.app)


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
@pytest.mark.parametrize("before", [[], ["question_mark"], ["z"]])
async def test_one_key_quits_from_anywhere_and_closes_the_feed(key: str, before: list[str]) -> None:
    feed = PushedFeed(frames.frame(frames.endpoint()))
    app = InferGuardApp(feed, terminal=UNICODE)
    async with app.run_test() as pilot:
        await settled(pilot)
        await pilot.press(*before, key)
        await pilot.pause()
        assert not app.is_running
    assert feed.closed


async def test_moving_between_panels() -> None:
    async with monitor(frames.frame(frames.endpoint())).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        seen = []
        for key in ("j", "down", "k", "up", "up", "g", "G", "home", "end", "escape"):
            await pilot.press(key)
            seen.append(chosen(pilot))
        assert seen == ["kv", "queue", "kv", "status", "incidents", "kv", "status", "kv", "status", None]


async def test_only_panels_in_sight_are_chosen() -> None:
    async with monitor(frames.frame(frames.endpoint())).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("j", "j", "j", "j", "j")
        assert chosen(pilot) == "status"


@pytest.mark.parametrize("key", ["z", "enter"])
async def test_zooming_shows_the_metrics_behind_a_panel(key: str) -> None:
    async with monitor(frames.frame(frames.endpoint())).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("j", key)
        await pilot.pause()
        assert isinstance(pilot.app.screen, ZoomScreen)
        assert "from vllm:kv_cache_usage_perc" in screen_text(pilot.app)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, EndpointScreen)


async def test_a_zoomed_panel_follows_the_frames() -> None:
    feed = PushedFeed(frames.frame(frames.endpoint()))
    async with InferGuardApp(feed, terminal=UNICODE).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("j", "z")
        await pilot.pause()
        feed.push(frames.frame(frames.critical(), seq=2))
        await settled(pilot)
        assert "97.9%" in screen_text(pilot.app)


async def test_a_zoomed_list_scrolls() -> None:
    async with monitor(frames.frame(frames.critical())).run_test(size=(80, 16)) as pilot:
        await settled(pilot)
        await pilot.press("z")
        await pilot.pause()
        assert "Rules without their input" not in screen_text(pilot.app)
        await pilot.press("G")
        await pilot.pause()
        assert "Rules without their input" in screen_text(pilot.app)
        await pilot.press("g", "j", "k", "pagedown", "pageup")
        await pilot.pause()
        assert "▲ CRIT preemption" in screen_text(pilot.app)


async def test_pause_stops_the_view_and_going_on_shows_the_newest() -> None:
    feed = PushedFeed(frames.frame(frames.endpoint()))
    async with InferGuardApp(feed, terminal=UNICODE).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("p")
        feed.push(frames.frame(frames.critical(), seq=2, unix=frames.NOW + 5))
        await settled(pilot)
        assert "PAUSED since 22:13:20" in rows(pilot)[0]
        assert rows(pilot)[1].startswith(" ✔ OK")
        await pilot.press("p")
        await settled(pilot)
        assert "PAUSED" not in rows(pilot)[0]
        assert "22:13:25" in rows(pilot)[0]
        assert rows(pilot)[1].startswith(" ▲ CRITICAL")


@pytest.mark.parametrize(
    ("end", "words"), [(ValueError("no [/x] route"), "no [/x] route"), (None, "the feed ended")]
)
async def test_a_feed_that_fails_is_a_line_and_the_last_frame_stays(
    end: Exception | None, words: str
) -> None:
    feed = PushedFeed(frames.frame(frames.endpoint()))
    async with InferGuardApp(feed, terminal=UNICODE).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        feed.push(end)
        await settled(pilot)
        assert (
            f"\N{MULTIPLICATION SIGN} MONITOR STOPPED  {words}. What is shown is from 22:13:20."
            in rows(pilot)[1]
        )
        assert "52.0%" in screen_text(pilot.app)


async def test_a_feed_that_fails_before_its_first_frame_is_a_line_too() -> None:
    feed = PushedFeed()
    feed.push(OSError("cannot open"))
    async with InferGuardApp(feed, terminal=UNICODE).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert rows(pilot)[0].strip() == "InferGuard"
        assert "MONITOR STOPPED  cannot open" in rows(pilot)[1]


@pytest.mark.parametrize(
    ("key", "asked"),
    [
        ("space", ("toggle", 0.0)),
        ("left", ("skip", -10)),
        ("right", ("skip", 10)),
        ("shift+left", ("skip", -60)),
        ("shift+right", ("skip", 60)),
        ("N", ("incident", 1)),
        ("P", ("incident", -1)),
        ("full_stop", ("step", 1)),
        ("greater_than_sign", ("step", 1)),
        ("less_than_sign", ("step", -1)),
        ("plus", ("speed", 4.0)),
        ("equals_sign", ("speed", 4.0)),
        ("minus", ("speed", 1.0)),
    ],
)
async def test_keys_steer_a_replay(key: str, asked: tuple[str, float]) -> None:
    controls = Controls()
    feed = PushedFeed(frames.frame(frames.endpoint(), replay=REPLAY), replay=controls)
    async with InferGuardApp(feed, terminal=UNICODE).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert "playing" in rows(pilot)[-2]
        await pilot.press(key)
        assert controls.asked == [asked]


async def test_a_live_feed_has_no_replay_bar() -> None:
    async with monitor(frames.frame(frames.endpoint())).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("space", "left")
        assert "playing" not in screen_text(pilot.app)


async def test_the_window_of_charts_is_chosen_and_written_once() -> None:
    long = {
        1800.0: {MeasureId.KV_USAGE: figures.trend(lambda i: 0.1, 360, 5.0, 1800.0)},
        21600.0: {MeasureId.KV_USAGE: figures.trend(lambda i: 0.9, 60, 60.0, 21600.0)},
    }
    async with monitor(frames.frame(frames.endpoint(longer_trends=long))).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        seen = []
        for key in ("left_square_bracket", *["right_square_bracket"] * 3, "left_square_bracket"):
            await pilot.press(key)
            await settled(pilot)
            words = re.findall(r"\d+ (?:min|h)(?: of \d+ (?:min|h))?\b", screen_text(pilot.app))
            seen.append(words)
            assert ("the longest there is" in screen_text(pilot.app)) is (len(seen) == 4)
            assert ("the shortest there is" in screen_text(pilot.app)) is (len(seen) == 1)
        assert seen == [["5 min"], ["30 min"], ["1 h of 6 h"], ["1 h of 6 h"], ["30 min"]]


async def test_the_window_holds_for_the_fleet_too() -> None:
    async with monitor(frames.mixed_fleet()).run_test(size=(200, 50)) as pilot:
        await settled(pilot)
        assert "charts 5 min" in rows(pilot)[0]
        await pilot.press("right_square_bracket")
        await settled(pilot)
        assert "charts 30 min" in rows(pilot)[0]


async def test_resizing_in_mid_flight_draws_the_new_size() -> None:
    feed = PushedFeed(frames.frame(frames.critical()))
    async with InferGuardApp(feed, terminal=UNICODE).run_test(size=(200, 50)) as pilot:
        await settled(pilot)
        for seq, (width, height) in enumerate([(80, 24), (120, 40), (60, 15), (100, 30)], 2):
            feed.push(frames.frame(frames.critical(), seq=seq))
            await pilot.resize_terminal(width, height)
            await settled(pilot)
            assert max(map(len, rows(pilot))) <= width
            assert len(rows(pilot)) == height
            assert "q quit" in rows(pilot)[-1]
            assert "97.9%" in screen_text(pilot.app)


@pytest.mark.parametrize("theme", [each.theme.name for each in find_themes()[0]])
async def test_a_theme_draws_every_screen(theme: str) -> None:
    async with monitor(frames.mixed_fleet(), theme=theme).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("7", "z")
        await settled(pilot)
        assert "▲ CRIT preemption" in screen_text(pilot.app)


async def test_a_bad_theme_file_is_one_toast_and_the_fallback(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "inferguard" / "themes").mkdir(parents=True)
    (tmp_path / "inferguard" / "themes" / "mine.toml").write_text('primary = "[/x]"', "utf-8")
    app = monitor(frames.frame(frames.endpoint()), theme="mine")
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settled(pilot)
        assert app.theme == "night"
        toasts = list(app.screen.query(Toast))
        assert len(toasts) == 1
        assert "theme mine.toml: primary = '[/x]' is not a colour" in screen_text(app)


async def test_a_theme_that_does_not_exist_is_one_toast_and_the_default() -> None:
    app = monitor(frames.frame(frames.endpoint()), theme="nonesuch")
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settled(pilot)
        assert app.theme == "night"
        assert len(list(app.screen.query(Toast))) == 1
        assert "there is no theme nonesuch: night is used" in screen_text(app)


async def test_a_terminal_without_utf8_gets_ascii_only() -> None:
    app = monitor(frames.frame(frames.critical()), terminal=Terminal(ascii_only=True))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert screen_text(app).isascii()
        await pilot.press("z")
        await settled(pilot)
        assert screen_text(app).isascii()


async def test_foreign_markup_is_text() -> None:
    odd = frames.endpoint(models=("[/red] [@click=app.quit]x",))
    async with monitor(frames.frame(odd)).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert "[/red] [@click=app.quit]x" in rows(pilot)[0]
