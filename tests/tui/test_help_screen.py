"""The help: every key that works here, by screen, in sight at forty rows; and what is out of sight is said."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from inferguard_tui.app import InferGuardApp
from inferguard_tui.keymap import effective
from inferguard_tui.keys import (
    ENDPOINT_KEYS,
    FLEET_KEYS,
    INCIDENT_KEYS,
    NUMBER_KEYS,
    PANEL_KEYS,
    PAST_KEYS,
    PROGRAM_KEYS,
    RECALL_KEYS,
    REPLAY_KEYS,
    SUBJECT_KEYS,
    bindings_of,
    every_binding,
)
from inferguard_tui.line import text_of, width
from inferguard_tui.panels.help import help_lines
from inferguard_tui.program import Setup
from inferguard_tui.screens.endpoint import EndpointScreen
from inferguard_tui.screens.help import HelpScreen
from inferguard_tui.terminal import Terminal
from inferguard_tui.widgets.page import Page
from tests.tui import frames
from tests.tui.harness import UNICODE, Controls, PushedFeed, monitor, screen_text, settled

if TYPE_CHECKING:
    from textual.binding import Binding, BindingType

    from inferguard_core.frame import Frame

SCREENS = {
    "fleet": [*FLEET_KEYS, *SUBJECT_KEYS],
    "endpoint": [*ENDPOINT_KEYS, *SUBJECT_KEYS, *PANEL_KEYS],
    "incident": [*INCIDENT_KEYS, *SUBJECT_KEYS],
    "recall": [*RECALL_KEYS, *SUBJECT_KEYS],
    "past": [*PAST_KEYS, *SUBJECT_KEYS],
}


def here(keys: list[BindingType]) -> list[Binding]:
    """All that can work on a screen: it shows a fleet, and replays."""
    return bindings_of([*keys, *NUMBER_KEYS, *REPLAY_KEYS, *PROGRAM_KEYS])


def words(text: str) -> Counter[str]:
    return Counter(text.split())


@pytest.mark.parametrize("cells", [40, 71, 91, 110, 185])
@pytest.mark.parametrize("rows", [None, 18, 33])
@pytest.mark.parametrize("keys", SCREENS.values(), ids=SCREENS)
def test_the_help_has_every_key_and_what_it_does(
    keys: list[BindingType], rows: int | None, cells: int
) -> None:
    shown = help_lines(here(keys), cells, rows)
    assert all(width(row) <= cells for row in shown)
    text = "\n".join(text_of(row) for row in shown)
    listed = [binding for binding in here(keys) if not binding.key.isdigit() or binding.key == "1"]
    told = words(" ".join(binding.tooltip for binding in listed))
    assert told <= words(text)
    assert "j or ↓" in text or keys is SCREENS["past"]
    assert "shift-←" in text
    # The digits are one row.
    assert text.count("1-9") == 1


@pytest.mark.parametrize("replays", [True, False])
@pytest.mark.parametrize(
    "shown", [frames.mixed_fleet(), frames.frame(frames.critical())], ids=["fleet", "one"]
)
async def test_at_forty_rows_nothing_is_out_of_sight(shown: Frame, replays: bool) -> None:
    app = InferGuardApp(PushedFeed(shown, replay=Controls() if replays else None), terminal=UNICODE)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        for key in ("", "i"):
            await pilot.press(*key, "question_mark")
            await settled(pilot)
            assert isinstance(app.screen, HelpScreen)
            page = app.screen.query_one(Page)
            assert " Keys " in screen_text(app)
            assert "Leave at once" in screen_text(app)
            assert "0 is zero" in screen_text(app)
            # What is below belongs to other screens.
            told = [text_of(row) for row in page.lines]
            here = told.index("On other screens") - 1
            assert here <= page.size.height
            assert ("Ten seconds back" in "\n".join(told[:here])) == replays
            await pilot.press("question_mark")
            await settled(pilot)
            assert not isinstance(app.screen, HelpScreen)


async def test_at_24_rows_the_help_says_how_much_is_below() -> None:
    async with monitor(frames.frame(frames.critical())).run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("question_mark")
        await settled(pilot)
        page = pilot.app.screen.query_one(Page)
        for _ in range(300):
            below = len(page.lines) - page.scroll_offset.y - page.size.height
            if below == 0:
                break
            assert f" {below} more below " in screen_text(pilot.app)
            await pilot.press("j")
            await settled(pilot)
        assert "more below" not in screen_text(pilot.app)
        assert "Close without doing anything" in screen_text(pilot.app)
        await pilot.press("g")
        await settled(pilot)
        assert "more below" in screen_text(pilot.app)
        # With enough room there is nothing below.
        await pilot.resize_terminal(120, 120)
        await settled(pilot)
        await settled(pilot)
        assert "more below" not in screen_text(pilot.app)
        await pilot.press("question_mark")
        assert isinstance(pilot.app.screen, EndpointScreen)


async def test_the_help_has_every_key_there_is_also_a_moved_one() -> None:
    setup = Setup(keymap={"recall.open": "f6"})
    app = InferGuardApp(PushedFeed(frames.frame(frames.critical())), terminal=UNICODE, setup=setup)
    async with app.run_test(size=(200, 120)) as pilot:
        await settled(pilot)
        await pilot.press("question_mark")
        await settled(pilot)
        shown = [text_of(row) for row in app.screen.query_one(Page).lines]
    listed = [b for b in every_binding() if not b.key.isdigit() or b.key == "1"]
    assert words(" ".join(b.tooltip for b in listed)) <= words(" ".join(shown))
    longest = max(listed, key=lambda b: len(b.tooltip)).tooltip
    assert " ".join(shown).count(longest) == 1
    assert any(re.search(r"\bf6 +Show the past incident in the panels", row) for row in shown)
    assert shown.index("On other screens") > next(i for i, row in enumerate(shown) if "app.quit" in row)


def test_the_keys_stand_under_their_screen() -> None:
    rows = [text_of(row) for row in help_lines(here(SCREENS["fleet"]), 71)]
    heads = [row for row in rows if row and not row.startswith(" ")]
    # The bindings come in the order that the screen, the digits, the replay and the program list theirs.
    assert heads == ["Fleet", "Endpoint and its incident", "Everywhere", "Replay", "Shapes"]


def test_columns_are_used_only_where_one_is_too_long() -> None:
    keys = here(SCREENS["endpoint"])
    one = help_lines(keys, 185)
    assert help_lines(keys, 185, len(one)) == one
    assert help_lines(keys, 60, 5) == help_lines(keys, 60)
    two = help_lines(keys, 185, len(one) - 1)
    assert len(two) < 0.7 * len(one)
    assert any("app.pause" in text_of(row) for row in two)


def test_the_help_names_the_keys_in_effect_and_the_ids() -> None:
    bindings = bindings_of(PROGRAM_KEYS)
    rows = [text_of(row) for row in help_lines(effective(bindings, {"app.pause": "f5,P"}), 100)]
    row = next(row for row in rows if "monitor goes on" in row)
    assert row.split()[:3] == ["f5", "or", "P"]
    assert row.endswith("app.pause")


async def test_on_a_plain_terminal_no_arrow_looks_like_another_key() -> None:
    feed = PushedFeed(frames.frame(frames.critical()), replay=Controls())
    app = InferGuardApp(feed, terminal=Terminal(ascii_only=True))
    async with app.run_test(size=(120, 60)) as pilot:
        await settled(pilot)
        assert "left -10 s  right +10 s" in screen_text(app)
        await pilot.press("question_mark")
        await settled(pilot)
        told = "\n".join(text_of(row) for row in app.screen.query_one(Page).lines)
        for keys, what in (
            ("left", "Ten seconds back"),
            ("j or down", "Choose the next panel"),
            ("<", "One poll back"),
        ):
            assert re.search(rf"(?<!\S){keys} +{what}", told)
        assert "shift-left" in told
        await pilot.press("escape", "colon")
        await settled(pilot)
        assert "j or down" in screen_text(app)
        assert " down/up move" in screen_text(app)
