"""The theme picker: everything wears the theme under the cursor, and only enter keeps it."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from inferguard_tui.app import InferGuardApp
from inferguard_tui.program import Setup
from inferguard_tui.remembered import Remembered, load, save
from inferguard_tui.screens.endpoint import EndpointScreen
from inferguard_tui.screens.fleet import FleetScreen
from inferguard_tui.screens.themes import REST_S, ThemePicker
from inferguard_tui.terminal import Terminal
from tests.tui import frames
from tests.tui.harness import UNICODE, PushedFeed, rows, screen_text, settled

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from inferguard_core.frame import Frame


def program(
    state_dir: Path | None = None,
    terminal: Terminal = UNICODE,
    shown: Frame | None = None,
) -> InferGuardApp:
    remembered = load(state_dir) if state_dir is not None else Remembered()
    feed = PushedFeed(shown or frames.frame(frames.critical()))
    return InferGuardApp(feed, terminal=terminal, setup=Setup(state_dir=state_dir, remembered=remembered))


async def rested(pilot: Pilot[None]) -> None:
    """The cursor has stayed where it is long enough, and all is drawn."""
    await pilot.pause(REST_S * 3)
    await settled(pilot)


async def opened(pilot: Pilot[None], *keys: str) -> ThemePicker:
    """The picker with its cursor moved by `keys`, at rest."""
    await settled(pilot)
    await pilot.press("t", *keys)
    await rested(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, ThemePicker)
    return screen


def ground_at(app: InferGuardApp, x: int, y: int) -> str:
    """The background of a cell as it is drawn."""
    strip = app.screen._compositor.render_strips()[y].crop(x, x + 1)
    (segment,) = strip
    assert segment.style is not None
    assert segment.style.bgcolor is not None
    return segment.style.bgcolor.name


def background_of(theme: str) -> str:
    """The background that the theme's file names."""
    text = (files("inferguard_themes") / f"{theme}.toml").read_text("utf-8")
    return str(tomllib.loads(text)["background"]).lower()


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_all_on_screen_wears_the_theme_under_the_cursor(size: tuple[int, int]) -> None:
    app = program()
    async with app.run_test(size=size) as pilot:
        picker = await opened(pilot)
        width, height = size
        corners = [(0, 0), (0, height - 1), (width // 4, height // 2), (width - 5, height // 2)]
        assert {ground_at(app, *at) for at in corners} == {background_of("night")}
        while picker.picked != "day":
            await pilot.press("k")
        await rested(pilot)
        assert {ground_at(app, *at) for at in corners} == {background_of("day")}
        text = screen_text(app)
        # The screen beneath is in sight, and so is every role of the theme.
        assert "KV" in text
        assert "CRITICAL" in text
        assert "▲ CRIT  ! WARN  · note  ✔ ok" in text
        assert "esc cancel" in text


async def test_enter_keeps_the_theme(tmp_path: Path) -> None:
    app = program(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        picker = await opened(pilot, "k")
        assert "▸ mono" in screen_text(app)
        assert app.theme == picker.picked == "mono"
        await pilot.press("t", "t", "enter")
        await settled(pilot)
        assert isinstance(app.screen, EndpointScreen)
        kept = app.theme
        assert kept not in ("mono", "night")
    assert load(tmp_path).theme == kept
    assert program(tmp_path).theme == kept


async def test_enter_does_not_wait_for_the_cursor_to_rest(tmp_path: Path) -> None:
    app = program(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        picker = await opened(pilot)
        picker.action_move(-1)
        picker.action_take()
        await rested(pilot)
        assert app.theme == "mono"
    assert load(tmp_path).theme == "mono"


async def test_escape_goes_back_to_the_theme_that_was(tmp_path: Path) -> None:
    app = program(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, "G")
        assert app.theme != "night"
        await pilot.press("escape")
        await rested(pilot)
        assert app.theme == "night"
        assert ground_at(app, 0, 0) == background_of("night")
    assert load(tmp_path) == Remembered()


async def test_a_move_just_before_escape_does_not_come_after_it() -> None:
    app = program()
    async with app.run_test(size=(120, 40)) as pilot:
        picker = await opened(pilot)
        picker.action_move(-1)
        picker.action_close()
        await rested(pilot)
        assert app.theme == "night"


async def test_a_held_key_restyles_once() -> None:
    app = program()
    async with app.run_test(size=(120, 40)) as pilot:
        picker = await opened(pilot)
        worn: list[str] = []
        app.theme_changed_signal.subscribe(picker, lambda theme: worn.append(theme.name), immediate=True)
        for _ in range(8):
            picker.action_move(1)
        await rested(pilot)
        assert worn == [picker.picked]


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_leaving_in_the_midst_keeps_the_theme_that_was(tmp_path: Path, key: str) -> None:
    save(tmp_path, Remembered(theme="ember"))
    app = program(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(pilot, "k")
        assert app.theme != "ember"
        # What is written meanwhile is written without it.
        app.remember(window_s=1800.0)
        await pilot.press(key)
        await pilot.pause()
    assert load(tmp_path) == Remembered(theme="ember", window_s=1800.0)


async def test_a_crash_in_the_midst_keeps_the_theme_that_was(tmp_path: Path, monkeypatch) -> None:
    def fail(_self: InferGuardApp) -> None:
        raise RuntimeError("here")

    monkeypatch.setattr(InferGuardApp, "action_pause", fail)
    save(tmp_path, Remembered(theme="ember"))
    app = program(tmp_path)
    with pytest.raises(RuntimeError, match="here"):  # noqa: PT012 - it ends with the pilot
        async with app.run_test(size=(120, 40)) as pilot:
            await opened(pilot, "k")
            app.remember(window_s=1800.0)
            await pilot.press("p")
    assert isinstance(app.crashed, RuntimeError)
    assert load(tmp_path) == Remembered(theme="ember", window_s=1800.0)


async def test_a_jump_to_an_endpoint_leaves_the_trial(tmp_path: Path) -> None:
    app = program(tmp_path, shown=frames.mixed_fleet())
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert isinstance(app.screen, FleetScreen)
        await opened(pilot, "k")
        await pilot.press("2")
        await rested(pilot)
        assert isinstance(app.screen, EndpointScreen)
        assert app.theme == "night"
    assert load(tmp_path).theme == ""


@pytest.mark.parametrize("ascii_only", [True, False])
async def test_a_terminal_of_few_colours_tries_its_own_only(tmp_path: Path, ascii_only: bool) -> None:
    app = program(tmp_path, Terminal(own_palette=True, ascii_only=ascii_only))
    async with app.run_test(size=(80, 24)) as pilot:
        picker = await opened(pilot)
        assert screen_text(app).isascii() == ascii_only
        offered = {word for row in rows(pilot) if "16 colours" in row for word in row.split()}
        assert {"sixteen", "sixteen-light", "ansi-dark", "ansi-light"} <= offered
        assert "night" not in offered
        seen = set()
        for _ in range(4):
            await pilot.press("t")
            await rested(pilot)
            assert app.theme == picker.picked
            seen.add(app.theme)
            assert ground_at(app, 0, 0) == "default"
        assert seen == {"sixteen", "sixteen-light", "ansi-dark", "ansi-light"}
        await pilot.press("escape")
        await rested(pilot)
        assert app.theme == "sixteen"
    assert load(tmp_path) == Remembered()
