"""An investigation is asked for by a key; what comes of it says what it rests on and what nothing supports."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inferguard_tui.app import InferGuardApp
from inferguard_tui.incident.thinking import thinking_lines
from inferguard_tui.line import text_of, width
from inferguard_tui.screens.diagnose import DiagnoseScreen
from inferguard_tui.screens.subject import NO_DESK
from tests.tui import followups, frames
from tests.tui.desks import NotingDesk
from tests.tui.figures import NOW
from tests.tui.harness import UNICODE, PushedFeed, rows, screen_text, settled


def told(asked: str = "", cells: int = 100) -> str:
    return "\n".join(text_of(row).rstrip() for row in thinking_lines(followups.handled(), asked, NOW, cells))


def test_words_expectations_and_steps_are_shown_and_what_nothing_supports_is_struck() -> None:
    words = told()
    assert "22:13:08, 12 s ago · decomposed" in words
    assert "requests are thrown back and computed again." in words
    struck = words.partition("Struck out: no evidence supports it")[2]
    assert "× GPU temperature rose to 91 C" in struck
    assert "capacity cliff predicted █████████░░░ 0.71  ~50 s" in words
    assert "confidence: share of past forecasts that came true, 17 of 24 (brain)" in words
    assert "from vllm:kv_cache_usage_perc" in words
    assert "  1 root: asked for the window, 1 call, 820 tokens" in words


def test_an_investigation_that_found_nothing_says_so_before_its_steps() -> None:
    bare = replace(followups.thought(), narrative=(), advisories=(), diagnosis=None)
    shown = thinking_lines(replace(followups.handled(), brain=bare), "", NOW, 100)
    words = "\n".join(text_of(row) for row in shown)
    assert words.index("Nothing is expected beyond what the rules say now.") < words.index("  1 root: asked")
    assert "Nothing is expected" not in told()


def test_why_it_went_no_deeper_is_said() -> None:
    shallow = replace(
        followups.handled(), brain=replace(followups.thought(), error="deadline of 20 s passed")
    )
    words = "\n".join(text_of(row) for row in thinking_lines(shallow, "", NOW, 100))
    assert "no deeper: deadline of 20 s passed" in words


@pytest.mark.parametrize("cells", [71, 91, 113])
def test_nothing_is_wider_than_the_dialog(cells: int) -> None:
    assert max(width(row) for row in thinking_lines(followups.handled(), "asked " * 40, NOW, cells)) <= cells


async def test_d_asks_and_shows_the_answer_when_it_comes() -> None:
    desk = NotingDesk()
    feed = PushedFeed(frames.frame(frames.critical()), desk=desk)
    app = InferGuardApp(feed, terminal=UNICODE)
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await pilot.press("d")
        await settled(pilot)
        assert isinstance(app.screen, DiagnoseScreen)
        assert desk.asked == [("investigate", "http://gpu-01:8000")]
        assert "the answer shows here when it comes" in screen_text(app)
        feed.push(frames.frame(frames.critical(brain=followups.thought()), seq=2))
        await settled(pilot)
        assert "the answer shows here when it comes" not in screen_text(app)
        assert "thrown back and computed again" in screen_text(app)
        assert len(desk.asked) == 1
        await pilot.press("d")
        await settled(pilot)
        assert len(desk.asked) == 2
        assert "the answer shows here when it comes" in screen_text(app)
        await pilot.press("escape")
        assert not isinstance(app.screen, DiagnoseScreen)


async def test_why_not_is_a_line_in_it() -> None:
    feed = PushedFeed(frames.frame(frames.critical()), desk=NotingDesk("no brain is set up"))
    app = InferGuardApp(feed, terminal=UNICODE)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("d")
        await settled(pilot)
        assert "no brain is set up" in screen_text(app)
        assert "the answer shows here" not in screen_text(app)


async def test_a_recording_cannot_be_thought_about() -> None:
    app = InferGuardApp(PushedFeed(frames.frame(frames.critical())), terminal=UNICODE)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("d")
        await pilot.pause()
        assert NO_DESK in rows(pilot)[-1]
