"""What the application does apart from frames: palette, own keys, settings, the last view."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

from inferguard_core.secret import SecretStr
from inferguard_core.settings import Settings
from inferguard_core.settings.model import Access, Brain
from inferguard_tui.app import InferGuardApp
from inferguard_tui.keys import every_binding
from inferguard_tui.program import Setup
from inferguard_tui.remembered import FILE, MAX_BYTES, Remembered, load, save
from inferguard_tui.screens.endpoint import EndpointScreen
from inferguard_tui.screens.help import HelpScreen
from inferguard_tui.screens.picker import Choice, Search, matching
from inferguard_tui.screens.settings import SettingsScreen
from tests.tui import frames
from tests.tui.harness import UNICODE, PushedFeed, rows, screen_text, settled

if TYPE_CHECKING:
    from pathlib import Path

    from inferguard_tui.terminal import Terminal


def program(setup: Setup | None = None, terminal: Terminal = UNICODE) -> InferGuardApp:
    return InferGuardApp(PushedFeed(frames.frame(frames.critical())), terminal=terminal, setup=setup)


def fleet(setup: Setup) -> InferGuardApp:
    return InferGuardApp(PushedFeed(frames.mixed_fleet()), terminal=UNICODE, setup=setup)


async def test_the_palette_finds_and_does_whatever_is_bound_here() -> None:
    app = program()
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        ours = {binding.id: binding.tooltip for binding in every_binding()}
        active = {active.binding.id for active in app.screen.active_bindings.values()}
        bound = {ours[name] for name in (ours.keys() & active) - {"app.palette"}}
        assert len(bound) > 10
        await pilot.press("colon")
        await settled(pilot)
        assert isinstance(app.screen, Search)
        words = [choice.words for choice in app.screen.found]
        assert set(words) == bound
        assert words.index("Leave at once") == len(words) - 1
        await pilot.press(*"quit"[:2], "backspace", "backspace", *"these keys")
        assert next(choice.words for choice in app.screen.found) == "Show these keys"
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, HelpScreen)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("snooze", "subject.snooze"),
        ("dry-run", "subject.preview"),
        ("ack", "subject.acknowledge"),
        ("card", "subject.copy"),
        ("window", "app.shorter"),
    ],
)
async def test_the_palette_knows_a_command_by_the_word_of_the_key_line(typed: str, first: str) -> None:
    app = InferGuardApp(PushedFeed(frames.frame(frames.critical())), terminal=UNICODE)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("colon", *typed)
        assert isinstance(app.screen, Search)
        assert app.screen.picked == first


async def test_typing_in_the_palette_does_nothing_else() -> None:
    app = program()
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+p", "q", "p", "z", "1", "space", "j")
        assert isinstance(app.screen, Search)
        assert app.screen.query_text == "qpz1 j"
        assert "nothing of that name" in screen_text(app)
        await pilot.press("enter")
        assert isinstance(app.screen, EndpointScreen)
        assert app.watching.paused_unix is None


async def test_the_palette_moves_by_arrows() -> None:
    app = program()
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("colon")
        await settled(pilot)
        assert isinstance(app.screen, Search)
        assert "j or ↓" in {choice.note for choice in app.screen.found}
        first, second, *_ = app.screen.found
        assert app.screen.picked == first.id
        await pilot.press("down")
        assert app.screen.picked == second.id
        await pilot.press("up", "up")
        assert app.screen.picked == first.id


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "abc"),
        ("pause", "a"),
        ("view stop", "a"),
        ("mon", "ca"),
        ("shkys", "b"),
        ("st", "a"),
        ("xyz", ""),
        ("PAUSE", "a"),
    ],
)
def test_entries_are_found_by_words_their_beginnings_and_their_letters(query: str, found: str) -> None:
    choices = (
        Choice("a", "Pause: stop the view; common"),
        Choice("b", "Show these keys"),
        Choice("c", "Monday"),
    )
    assert "".join(choice.id for choice in matching(choices, query)) == found


async def test_own_keys_work_and_are_named() -> None:
    app = program(Setup(keymap={"app.pause": "P", "endpoint.zoom": "v"}))
    async with app.run_test(size=(200, 40)) as pilot:
        await settled(pilot)
        assert " v zoom " in rows(pilot)[-1]
        await pilot.press("p")
        assert app.watching.paused_unix is None
        await pilot.press("P")
        assert app.watching.paused_unix is not None


async def test_the_settings_are_shown_with_their_origin_and_without_secrets() -> None:
    settings = Settings(
        access=Access(endpoints=("http://me:hunter2@gpu:8000",)),
        brain=Brain(gmi_api_key=SecretStr("hunter2")),
        keys={"app.pause": "P"},
        origins={
            "brain.gmi_api_key": "environment",
            "access.endpoints": ".env",
            "keys.app.pause": "/etc/x.toml",
        },
    )
    app = program(Setup(settings=settings))
    async with app.run_test(size=(120, 300)) as pilot:
        await settled(pilot)
        await pilot.press("comma")
        await settled(pilot)
        assert isinstance(app.screen, SettingsScreen)
        shown = {row.strip(" │●").split("  ")[0]: row.strip(" │●").split() for row in rows(pilot)}
    text = "\n".join(" ".join(row) for row in shown.values())
    assert "hunter2" not in text
    assert shown["gmi_api_key"] == ["gmi_api_key", "set", "environment"]
    assert shown["bearer_token"] == ["bearer_token", "unset", "default"]
    assert shown["endpoints"] == ["endpoints", "http://***@gpu:8000", ".env"]
    assert shown["kv_alert_threshold"] == ["kv_alert_threshold", "0.85", "default"]
    assert shown["app.pause"] == ["app.pause", "P", "/etc/x.toml"]
    fields = {name for model in Settings.tables.values() for name in model.__annotations__ if name[0] != "_"}
    assert fields - {"model_config"} <= shown.keys()


async def test_the_last_view_comes_back(tmp_path: Path) -> None:
    async with program(Setup(state_dir=tmp_path)).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("right_square_bracket", "right_square_bracket")
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    app = program(Setup(state_dir=tmp_path, remembered=load(tmp_path)))
    assert app.watching.span_s == 21_600.0


async def test_the_endpoint_that_was_looked_at_is_under_the_cursor_again(tmp_path: Path) -> None:
    async with fleet(Setup(state_dir=tmp_path)).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("3")
        await settled(pilot)
    third = frames.mixed_fleet().endpoints[2]
    assert load(tmp_path).endpoint == third.endpoint
    async with fleet(Setup(state_dir=tmp_path, remembered=load(tmp_path))).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        (cursor,) = [row for row in rows(pilot) if row.startswith("▌")]
        assert third.name in cursor


async def test_an_endpoint_that_is_gone_leaves_the_cursor_with_the_worst() -> None:
    gone = Setup(remembered=Remembered(endpoint="http://gone:1", sort="gone"))
    async with fleet(gone).run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        (cursor,) = [row for row in rows(pilot) if row.startswith("▌")]
        assert "CRITICAL" in cursor


def test_a_theme_that_is_gone_is_not_missed() -> None:
    assert program(Setup(remembered=Remembered(theme="deleted"))).theme == "night"


def test_a_view_survives_being_written_and_read(tmp_path: Path) -> None:
    view = Remembered("http://gpu:8000", 1800.0, "day", "name")
    save(tmp_path / "new" / "state", view)
    assert load(tmp_path / "new" / "state") == view
    assert [path.name for path in (tmp_path / "new" / "state").iterdir()] == [FILE]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"theme": 7}',
        '{"window_s": 7}',
        '{"window_s": [300]}',
        "\xff",
        '{"sort": "' + "x" * 3000 + '"}',
        " " * (MAX_BYTES + 1),
        "[" * 5000,
    ],
    ids=["cut", "list", "theme", "window", "window list", "bytes", "long", "huge", "deep"],
)
def test_a_corrupt_view_is_a_line_in_the_log_and_no_view(tmp_path: Path, text: str, caplog) -> None:
    (tmp_path / FILE).write_bytes(text.encode("latin-1"))
    logger = logging.getLogger("inferguard")
    logger.addHandler(caplog.handler)
    try:
        assert load(tmp_path) == Remembered()
    finally:
        logger.removeHandler(caplog.handler)
    assert len(caplog.records) == 1
    assert f"{FILE} is not used: " in caplog.text


def test_a_state_directory_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    save(tmp_path / "file" / "state", Remembered(theme="day"))
    assert load(tmp_path / "file" / "state") == Remembered()


def test_what_a_newer_version_wrote_is_left_out(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(json.dumps({"theme": "day", "zoomed": "kv"}), "utf-8")
    assert load(tmp_path) == Remembered(theme="day")
