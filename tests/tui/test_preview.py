"""The preview says where, with what, on what evidence and what every guard says; sending needs a typed name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inferguard_core.followup import Check, Execution, Outcome
from inferguard_tui.app import InferGuardApp
from inferguard_tui.incident.preview import is_live, payload_lines, preview_lines, why_not_sent
from inferguard_tui.line import text_of, width
from inferguard_tui.panels.advisories import standing
from inferguard_tui.screens.endpoint import EndpointScreen
from inferguard_tui.screens.preview import PreviewScreen
from inferguard_tui.screens.subject import NO_DESK
from tests.tui import followups, frames
from tests.tui.desks import NotingDesk
from tests.tui.harness import UNICODE, PushedFeed, rows, screen_text, settled

HANDLED = followups.handled()
THROTTLE, COMPACTION = standing(HANDLED)


def told(answer: Execution | str | None, cells: int = 100) -> str:
    return "\n".join(text_of(row).rstrip() for row in preview_lines(THROTTLE, (1, 2), HANDLED, answer, cells))


@pytest.fixture(autouse=True)
def _kim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "kim")


def sent(outcome: Outcome) -> Execution:
    """What the desk answers once it has sent, or tried to."""
    return replace(followups.rehearsed("live"), mode="live", outcome=outcome)


def previewing(desk: NotingDesk | None) -> InferGuardApp:
    return InferGuardApp(PushedFeed(frames.frame(HANDLED), desk=desk), terminal=UNICODE)


@pytest.mark.parametrize("cells", [71, 91, 113])
@pytest.mark.parametrize("answer", [None, "off", followups.rehearsed(), followups.refused()])
def test_nothing_is_wider_than_the_dialog(cells: int, answer: Execution | str | None) -> None:
    assert max(width(row) for row in preview_lines(THROTTLE, (1, 2), HANDLED, answer, cells)) <= cells


def test_a_rehearsal_names_target_parameters_evidence_guards_and_what_is_compared() -> None:
    words = told(followups.rehearsed())
    for part in (
        "throttle_concurrency → gpu-01:8000",
        "DRY RUN",
        "would POST to  http://127.0.0.1:9100/actuate",
        "58 → 44 · pool holds 49.2",
        "needs          a gateway that can hold requests back",
        "data 2 s old",
        "✔ allowlist    in the allowlist",
        "all 4 agree",
        "preemptions and TTFT p95 at like arrivals",
        "last time      helped, 2023-11-12 02:26:40 (20231111T021000Z)",
    ):
        assert part in words


def test_every_guard_that_says_no_is_named_with_its_reason() -> None:
    words = told(followups.refused())
    assert "outcome        refused: not in INFERGUARD_ACTUATION_ALLOWLIST" in words
    assert "2 of" in words
    assert "× cooldown     last throttle_concurrency here 41 s ago; allowed every 300 s (live only)" in words
    assert "no webhook is set" in words
    assert "never sent here" in words


def test_why_not_is_a_calm_line_and_the_advice_still_stands() -> None:
    words = told("actuation is off")
    assert "not so         actuation is off" in words
    assert "58 → 44" in words


def test_only_a_live_session_is_live() -> None:
    assert is_live(followups.rehearsed("live"))
    assert not is_live(followups.rehearsed("dry_run"))
    assert not is_live("off")
    assert not is_live(None)


def test_the_payload_is_the_body_as_json() -> None:
    lines = [text_of(row).strip() for row in payload_lines(followups.rehearsed(), 80)]
    assert '"target_concurrency": 44' in lines


async def test_opening_rehearses_the_first_advice_and_digits_another() -> None:
    desk = NotingDesk()
    desk.preview = followups.rehearsed()
    app = previewing(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("x")
        await settled(pilot)
        assert isinstance(app.screen, PreviewScreen)
        assert desk.asked == [("dry_run", "a2", "kim")]
        await pilot.press("2")
        await settled(pilot)
        assert desk.asked[-1] == ("dry_run", "a3", "kim")
        assert "recommend_compaction" in screen_text(app)
        await pilot.press("9")
        assert len(desk.asked) == 2
        await pilot.press("escape")
        assert isinstance(app.screen, EndpointScreen)


async def test_a_slow_desk_shows_that_it_is_asked_and_can_be_left() -> None:
    desk = NotingDesk()
    desk.gate.clear()
    app = previewing(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("x")
        await pilot.pause()
        assert "are being asked" in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, EndpointScreen)
        assert not [w for w in app.workers if w.group == "rehearsal" and w.is_running]


async def test_the_payload_shows_on_p_and_the_monitor_is_not_paused_by_it() -> None:
    desk = NotingDesk()
    desk.preview = followups.rehearsed()
    app = previewing(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("x", "p")
        await settled(pilot)
        assert '"target_concurrency": 44' in screen_text(app)
        await pilot.press("p")
        await settled(pilot)
        assert "Guards: all must agree" in screen_text(app)
        await pilot.press("escape")
        await settled(pilot)
        assert "PAUSED" not in screen_text(app)


async def test_outside_live_mode_enter_sends_nothing() -> None:
    desk = NotingDesk()
    desk.preview = followups.rehearsed()
    app = previewing(desk)
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await pilot.press("x", "enter")
        await settled(pilot)
        assert "nothing is sent outside live mode" in screen_text(app)
        assert [asked[0] for asked in desk.asked] == ["dry_run"]


async def test_a_refused_rehearsal_cannot_be_sent() -> None:
    desk = NotingDesk()
    desk.preview = followups.rehearsed("live", outcome=Outcome.REFUSED, detail="cooldown")
    app = previewing(desk)
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await pilot.press("x", "enter")
        await settled(pilot)
        assert "not sent: a guard says no" in screen_text(app)
        assert [asked[0] for asked in desk.asked] == ["dry_run"]


@pytest.mark.parametrize("typed", ["throttle", "THROTTLE_CONCURRENCY", "yes"])
async def test_in_live_mode_anything_but_the_name_sends_nothing(typed: str) -> None:
    desk = NotingDesk()
    desk.preview = followups.rehearsed("live")
    app = previewing(desk)
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await pilot.press("x", "enter", *typed, "enter")
        await settled(pilot)
        assert "not sent: that is not throttle_concurrency" in screen_text(app)
        assert [asked[0] for asked in desk.asked] == ["dry_run"]


async def test_in_live_mode_the_typed_name_sends_and_the_answer_shows() -> None:
    desk = NotingDesk()
    desk.preview = followups.rehearsed("live")
    desk.sent = followups.execution(grade=None, verification=())
    app = previewing(desk)
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await pilot.press("x", "enter", *"wrong", "enter")
        await settled(pilot)
        await pilot.press("enter", *"throttle_concurrency", "enter")
        await settled(pilot)
        assert desk.asked[-1] == ("dispatch", "a2", "kim", "throttle_concurrency")
        assert "outcome        applied" in screen_text(app)
        assert "not sent" not in screen_text(app)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome.APPLIED, "applied"),
        (Outcome.REJECTED, "declined by the receiver"),
        (Outcome.UNKNOWN, "no clear answer; it may have been applied"),
    ],
)
async def test_what_was_sent_is_said_and_not_offered_again(outcome: Outcome, said: str) -> None:
    desk = NotingDesk()
    desk.preview = followups.rehearsed("live")
    desk.sent = sent(outcome)
    app = previewing(desk)
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await pilot.press("x")
        await settled(pilot)
        assert "enter send" in screen_text(app)
        assert "enter asks for its name" in screen_text(app)
        await pilot.press("enter", *"throttle_concurrency", "enter")
        await settled(pilot)
        shown = screen_text(app)
        assert "enter" not in shown
        assert f"LIVE: {said}" in shown
        assert "p payload" in shown
        await pilot.press("enter")
        await settled(pilot)
        assert f"{said}: nothing more is sent" in screen_text(app)
        assert [asked[0] for asked in desk.asked] == ["dry_run", "dispatch"]


async def test_what_could_not_be_sent_may_be_tried_again() -> None:
    desk = NotingDesk()
    desk.preview = followups.rehearsed("live")
    desk.sent = sent(Outcome.NOT_SENT)
    app = previewing(desk)
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await pilot.press("x")
        for _ in range(2):
            await settled(pilot)
            assert "enter send" in screen_text(app)
            await pilot.press("enter", *"throttle_concurrency", "enter")
        await settled(pilot)
        assert [asked[0] for asked in desk.asked] == ["dry_run", "dispatch", "dispatch"]


def test_what_was_sent_before_is_not_offered_when_it_is_looked_at_again() -> None:
    before = Check("once", False, "was sent before: applied", live_only=True)
    mode = Check("mode", True, "mode live")
    again = followups.rehearsed("live", checks=(mode, before))
    assert why_not_sent(again) == "not sent: a guard says no: was sent before: applied"
    assert "LIVE: a guard says no" in told(again)
    assert "enter" not in told(again)


@pytest.mark.parametrize("preview", [followups.rehearsed(), followups.refused(), "actuation is off"])
async def test_keys_that_do_nothing_are_not_offered(preview: Execution | str) -> None:
    desk = NotingDesk()
    desk.preview = preview
    app = previewing(desk)
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await pilot.press("x")
        await settled(pilot)
        assert "enter send" not in screen_text(app)
        assert ("p payload" in screen_text(app)) == isinstance(preview, Execution)
        assert "1-9 other" in screen_text(app)
        assert "esc close" in screen_text(app)


async def test_closing_does_not_cancel_what_is_under_way() -> None:
    desk = NotingDesk()
    desk.preview = followups.rehearsed("live")
    app = previewing(desk)
    async with app.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await pilot.press("x")
        await settled(pilot)
        desk.gate.clear()
        await pilot.press("enter", *"throttle_concurrency", "enter", "escape")
        await pilot.pause()
        assert [w for w in app.workers if w.group == "sending" and w.is_running]
        desk.gate.set()
        await settled(pilot)
        assert app.is_running


async def test_without_advice_or_desk_there_is_a_line() -> None:
    app = previewing(None)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("x")
        await pilot.pause()
        assert NO_DESK in rows(pilot)[-1]
    feed = PushedFeed(frames.frame(frames.endpoint()), desk=NotingDesk())
    app = InferGuardApp(feed, terminal=UNICODE)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("x")
        await pilot.pause()
        assert "nothing is advised here" in rows(pilot)[-1]
