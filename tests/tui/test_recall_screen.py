"""Past incidents are found by likeness or by words, and open in the panels, named as past."""

from __future__ import annotations

import pytest

from inferguard_core.poll import ProofLevel
from inferguard_tui.app import InferGuardApp
from inferguard_tui.incident.recalled import answer_words, chosen_rows, list_rows
from inferguard_tui.line import text_of, width
from inferguard_tui.screens.endpoint import EndpointScreen
from inferguard_tui.screens.past import PastIncident, PastScreen
from inferguard_tui.screens.recall import RecallScreen
from inferguard_tui.screens.subject import NO_DESK
from tests.tui import conclusions, followups, frames
from tests.tui.desks import NotingDesk
from tests.tui.figures import NOW
from tests.tui.harness import UNICODE, PushedFeed, rows, screen_text, settled

FOUND = followups.similar()


def remembering() -> NotingDesk:
    desk = NotingDesk()
    desk.past = FOUND
    before = frames.warning(
        incident=None, incidents=(frames.RESOLVED,), proof=ProofLevel.RECORDED, name="gpu-01:8000"
    )
    desk.closed = frames.frame(before, unix=NOW - 3160)
    return desk


def recalling(desk: NotingDesk | None) -> tuple[InferGuardApp, PushedFeed]:
    feed = PushedFeed(frames.frame(followups.handled()), desk=desk)
    return InferGuardApp(feed, terminal=UNICODE), feed


@pytest.mark.parametrize("cells", [79, 99, 119, 66])
def test_rows_fit(cells: int) -> None:
    assert max(width(row) for row in list_rows(FOUND, 0, cells)) <= cells
    assert max(width(row) for row in chosen_rows(FOUND, 0, NOW, cells)) <= cells


def test_a_row_has_score_day_grade_cause_and_endpoint() -> None:
    first, second = map(text_of, list_rows(FOUND, 0, 100))
    assert first.startswith("▌0.82  2023-11-12  helped     KV exhausted by demand")
    assert "gpu-01:8000" in first
    assert second.split()[2] == "untried", "nothing was done, so nothing is graded"


@pytest.mark.parametrize(
    ("answer", "query", "words"),
    [
        (None, "", "looking like this incident …"),
        (None, "kv", "looking for: kv …"),
        ("memory is off", "", "memory is off"),
        ((), "", "nothing is remembered like this incident"),
        (FOUND, "kv", "2 for: kv"),
    ],
)
def test_the_title_says_what_was_asked_and_found(answer: object, query: str, words: str) -> None:
    assert answer_words(answer, query) == words  # type: ignore[arg-type]


async def test_it_asks_at_once_for_what_is_like_the_incident() -> None:
    desk = remembering()
    app, _ = recalling(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("r")
        await settled(pilot)
        assert isinstance(app.screen, RecallScreen)
        assert desk.asked == [("recall", "", conclusions.INCIDENT)]
        assert "alike: KV +0.9% a minute, then +1.1%" in screen_text(app)
        await pilot.press("escape")
        assert isinstance(app.screen, EndpointScreen)


async def test_words_are_typed_after_a_slash_and_every_letter_is_text() -> None:
    desk = remembering()
    app, _ = recalling(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("r", "slash", *"jqkv r", "enter")
        await settled(pilot)
        assert desk.asked[-1] == ("recall", "jqkv r", conclusions.INCIDENT)
        assert "2 for: jqkv r" in screen_text(app)
        await pilot.press("j")
        await settled(pilot)
        assert "the queue grew as fast" in screen_text(app)
        await pilot.press("slash", "escape")
        await settled(pilot)
        assert isinstance(app.screen, RecallScreen), "the first escape leaves the field only"


async def test_moving_chooses_and_stops_at_the_ends() -> None:
    app, _ = recalling(remembering())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("r")
        for key, seen in [
            ("k", "0.82"),
            ("j", "0.41"),
            ("down", "0.41"),
            ("up", "0.82"),
            ("G", "0.41"),
            ("g", "0.82"),
        ]:
            await pilot.press(key)
            await settled(pilot)
            assert next(row for row in rows(pilot) if row.startswith("▌")).startswith(f"▌{seen}")


async def test_a_slow_memory_is_waited_for_and_can_be_left() -> None:
    desk = remembering()
    desk.gate.clear()
    app, _ = recalling(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("r")
        await pilot.pause()
        assert "looking like this incident" in screen_text(app)
        await pilot.press("enter")
        await pilot.pause()
        assert "nothing is chosen" in rows(pilot)[-1]
        await pilot.press("escape")
        await pilot.pause()
        assert not [w for w in app.workers if w.group == "recall" and w.is_running]


async def test_why_nothing_is_found_is_a_calm_line() -> None:
    desk = NotingDesk()
    desk.past = "nothing is remembered: memory is off"
    app, _ = recalling(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("r")
        await settled(pilot)
        assert "nothing is remembered: memory is off" in rows(pilot)[2]


async def test_a_kept_incident_that_another_watcher_holds_open_is_not_said_to_be_over() -> None:
    desk = remembering()
    desk.closed = frames.frame(frames.warning(incident=None, incidents=(frames.incident(),)), unix=NOW)
    app, _ = recalling(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("r", "enter")
        await settled(pilot)
        assert "open for 3 m 12 s when kept" in rows(pilot)[2]


@pytest.mark.parametrize(("size", "beside"), [((80, 24), False), ((120, 40), False), ((200, 50), True)])
async def test_a_past_incident_opens_in_the_panels_beside_the_live_one_where_there_is_room(
    size: tuple[int, int], beside: bool
) -> None:
    app, feed = recalling(remembering())
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("r", "enter")
        await settled(pilot)
        assert isinstance(app.screen, PastScreen)
        assert "past, 2023-11-14 21:06:40, lasted 14 m 00 s" in rows(pilot)[2]
        assert ("Now ─" in rows(pilot)[2]) is beside
        assert rows(pilot)[1].startswith(" ▲ CRITICAL")
        feed.push(frames.frame(frames.endpoint(), seq=2, unix=NOW + 5))
        await settled(pilot)
        assert rows(pilot)[1].startswith(" ✔ OK"), "the verdict stays live"
        assert "14 waiting" in screen_text(app), "what is past stands still"
        assert max(map(len, rows(pilot))) <= size[0]
        await pilot.press("i")
        await settled(pilot)
        assert isinstance(app.screen, PastIncident)
        assert "✔ resolved  14 m 00 s" in screen_text(app)
        await pilot.press("escape", "escape")
        assert isinstance(app.screen, RecallScreen)


async def test_an_incident_that_is_not_kept_is_a_line() -> None:
    desk = remembering()
    desk.closed = "nothing is kept of incident x"
    app, _ = recalling(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("r", "enter")
        await settled(pilot)
        assert "nothing is kept of incident x" in rows(pilot)[-1]


async def test_a_recording_has_nothing_to_recall() -> None:
    app, _ = recalling(None)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("r")
        await settled(pilot)
        assert NO_DESK in rows(pilot)[-1]
