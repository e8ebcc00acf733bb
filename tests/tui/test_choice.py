"""A question whose answers are on keys, and what it says to any other key."""

from __future__ import annotations

import pytest

from inferguard_tui.screens.choice import Choice
from tests.tui import followups, frames
from tests.tui.harness import monitor, screen_text, settled


@pytest.mark.parametrize("key", ["enter", "9"])
async def test_a_key_that_is_no_answer_is_told_which_are(key: str) -> None:
    chosen: list[str] = []
    app = monitor(frames.frame(followups.handled()))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.push_screen(Choice("How long?", (("1", "short"), ("2", "long"), ("0", "not")), chosen.append))
        await settled(pilot)
        assert "j/k" not in screen_text(app)
        await pilot.press(key)
        await pilot.pause()
        assert "press 1, 2 or 0" in screen_text(app)
        assert chosen == []
        await pilot.press("2")
        await pilot.pause()
        assert chosen == ["2"]
        assert not isinstance(app.screen, Choice)


async def test_a_question_can_be_left_without_an_answer() -> None:
    app = monitor(frames.frame(followups.handled()))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.push_screen(Choice("How long?", (("1", "short"), ("2", "long")), lambda _: None))
        await settled(pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(app.screen, Choice)
