"""Every key of the incident, from the dashboard and from the incident's own screen, with a desk that notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inferguard_tui import person as person_module
from inferguard_tui.app import InferGuardApp
from inferguard_tui.screens.choice import Choice
from inferguard_tui.screens.endpoint import EndpointScreen
from inferguard_tui.screens.incident import IncidentScreen
from inferguard_tui.screens.prompt import Prompt
from inferguard_tui.screens.subject import NO_DESK, NO_INCIDENT
from inferguard_tui.screens.zoom import ZoomScreen
from inferguard_tui.terminal import Terminal
from tests.tui import conclusions, followups, frames
from tests.tui.desks import NotingDesk
from tests.tui.harness import UNICODE, PushedFeed, rows, screen_text, settled

if TYPE_CHECKING:
    from inferguard_core.frame import EndpointFrame

KIM = "kim"


@pytest.fixture(autouse=True)
def _kim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", KIM)


def watching(
    desk: NotingDesk | None, endpoint: EndpointFrame | None = None
) -> tuple[InferGuardApp, PushedFeed]:
    feed = PushedFeed(frames.frame(endpoint or followups.handled()), desk=desk)
    return InferGuardApp(feed, terminal=UNICODE), feed


@pytest.mark.parametrize("keys", [["i"], ["enter"], ["G", "k", "enter"]])
async def test_the_incident_opens_from_the_verdict_and_from_the_log(keys: list[str]) -> None:
    app, _ = watching(NotingDesk())
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press(*keys)
        await settled(pilot)
        assert isinstance(app.screen, IncidentScreen)
        assert rows(pilot)[2].startswith(" ▲ open  3 m 12 s")
        await pilot.press("escape")
        assert isinstance(app.screen, EndpointScreen)


async def test_enter_on_another_panel_and_z_on_the_log_still_zoom() -> None:
    app, _ = watching(NotingDesk())
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        for keys in (["g", "enter"], ["G", "k", "z"]):
            await pilot.press(*keys)
            await pilot.pause()
            assert isinstance(app.screen, ZoomScreen)
            await pilot.press("escape")


async def test_without_an_incident_there_is_a_line_and_no_screen() -> None:
    app, _ = watching(NotingDesk(), frames.endpoint())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for key in ("i", "a", "n", "s"):
            await pilot.press(key)
            await pilot.pause()
            assert NO_INCIDENT in rows(pilot)[-1]
            assert isinstance(app.screen, EndpointScreen)


async def test_a_recording_says_that_nothing_can_be_asked() -> None:
    app, _ = watching(None)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for key in ("a", "n", "s"):
            await pilot.press(key)
            await pilot.pause()
            assert NO_DESK in rows(pilot)[-1]


@pytest.mark.parametrize("before", [[], ["i"]])
async def test_acknowledging_names_the_person_and_says_so(before: list[str]) -> None:
    desk = NotingDesk()
    app, _ = watching(desk, frames.critical())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press(*before, "a")
        await pilot.pause()
        assert desk.asked == [("acknowledge", conclusions.INCIDENT, KIM)]
        assert "kim is on it" in rows(pilot)[-1]


async def test_acknowledging_again_takes_it_back() -> None:
    desk = NotingDesk()
    app, _ = watching(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("a")
        await pilot.pause()
        assert "kim is no longer on it" in rows(pilot)[-1]


@pytest.mark.parametrize(("key", "seconds"), [("1", 900.0), ("2", 3600.0), ("0", 0.0)])
async def test_a_snooze_is_for_a_time_or_ended(key: str, seconds: float) -> None:
    desk = NotingDesk()
    app, _ = watching(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("s")
        await pilot.pause()
        assert isinstance(app.screen, Choice)
        assert "15 minutes" in screen_text(app)
        await pilot.press(key)
        await pilot.pause()
        assert desk.asked == [("snooze", conclusions.INCIDENT, person_module.person(), seconds)]
        assert isinstance(app.screen, EndpointScreen)


async def test_a_closed_choice_asks_nothing() -> None:
    desk = NotingDesk()
    app, _ = watching(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("s", "escape")
        await pilot.pause()
        assert desk.asked == []


async def test_a_note_takes_every_letter_that_is_a_key_elsewhere() -> None:
    desk = NotingDesk()
    app, _ = watching(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("i", "n")
        await pilot.pause()
        assert isinstance(app.screen, Prompt)
        await pilot.press(*"quit? a5", "space", "z", "enter")
        await pilot.pause()
        assert desk.asked == [("note", conclusions.INCIDENT, KIM, "quit? a5 z")]
        assert "the note is kept" in rows(pilot)[-1]


async def test_an_empty_or_closed_note_is_none() -> None:
    desk = NotingDesk()
    app, _ = watching(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("n", "space", "enter", "n", "x", "escape")
        await pilot.pause()
        assert desk.asked == []
        assert isinstance(app.screen, EndpointScreen)


async def test_a_note_belongs_to_the_incident_it_was_begun_for() -> None:
    desk = NotingDesk()
    app, feed = watching(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("n", "x")
        other = frames.incident(id="gpu-01:8000/later")
        feed.push(frames.frame(frames.critical(incident=other, incidents=(other,)), seq=2))
        await settled(pilot)
        await pilot.press("enter")
        assert desk.asked == [("note", conclusions.INCIDENT, KIM, "x")]


async def test_ctrl_c_leaves_while_somebody_types() -> None:
    app, _ = watching(NotingDesk())
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("n", "q")
        assert app.is_running
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert not app.is_running


async def test_a_refusal_of_the_desk_is_shown() -> None:
    app, _ = watching(NotingDesk(refuses="incident x is not in this session"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("a")
        await pilot.pause()
        assert "incident x is not in this session" in rows(pilot)[-1]


async def test_going_through_the_log_stops_at_its_ends() -> None:
    desk = NotingDesk()
    app, _ = watching(desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("i", "l")
        await pilot.pause()
        assert "this is the newest incident" in rows(pilot)[-1]
        await pilot.press("h")
        await pilot.pause()
        assert "✔ resolved" in rows(pilot)[2]
        assert "1 of 2" in rows(pilot)[2]
        await pilot.press("a", "h")
        await pilot.pause()
        assert ("acknowledge", frames.RESOLVED.id, KIM) in desk.asked
        assert "oldest" in rows(pilot)[-1]
        await pilot.press("l")
        await pilot.pause()
        assert "▲ open" in rows(pilot)[2]


async def test_a_chosen_incident_stays_when_another_opens() -> None:
    app, feed = watching(NotingDesk())
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("i")
        other = frames.incident(id="gpu-01:8000/later")
        handled = followups.handled()
        later = frames.critical(incident=other, incidents=(other, *handled.incidents))
        feed.push(frames.frame(later, seq=2))
        await settled(pilot)
        assert "20231114T221010Z" in rows(pilot)[2]
        assert "2 of 3" in rows(pilot)[2]


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40), (200, 50)])
async def test_all_of_it_can_be_scrolled_to(size: tuple[int, int]) -> None:
    app, _ = watching(NotingDesk())
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("i")
        await settled(pilot)
        assert "─ Why ─" in screen_text(app)
        await pilot.press("G")
        await settled(pilot)
        assert "the queue grew as fast" in screen_text(app)
        await pilot.press(
            "g", "j", "k", "ctrl+d", "ctrl+u", "pagedown", "pageup", "down", "up", "end", "home"
        )
        await settled(pilot)
        assert "─ Why ─" in screen_text(app)
        assert max(map(len, rows(pilot))) <= size[0]


async def test_the_incident_in_ascii_is_ascii() -> None:
    feed = PushedFeed(frames.frame(followups.handled()), desk=NotingDesk())
    app = InferGuardApp(feed, terminal=Terminal(ascii_only=True))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("i")
        await settled(pilot)
        assert screen_text(app).isascii()
        await pilot.press("s")
        await settled(pilot)
        assert screen_text(app).isascii()


def test_the_person_behind_sudo_is_named_without_what_a_terminal_would_act_on() -> None:
    assert person_module.person({"SUDO_USER": "kim\x1b[1m"}) == "kim[1m"
    assert person_module.person({}) != ""


async def test_the_verdict_says_who_is_on_it() -> None:
    app, _ = watching(NotingDesk())
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        assert "● kim 3 m 12 s" in rows(pilot)[1]
