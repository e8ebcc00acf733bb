"""What was concluded of an incident that the live frame says nothing more of: from the memory, asked once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from inferguard_tui.app import InferGuardApp
from tests.tui import conclusions, followups, frames
from tests.tui.desks import NotingDesk
from tests.tui.harness import UNICODE, PushedFeed, screen_text, settled

if TYPE_CHECKING:
    from inferguard_core.frame import EndpointFrame


def watching(desk: NotingDesk, endpoint: EndpointFrame | None = None) -> tuple[InferGuardApp, PushedFeed]:
    """An application on one frame of an endpoint, one that a person has handled unless another is given."""
    feed = PushedFeed(frames.frame(endpoint or followups.handled()), desk=desk)
    return InferGuardApp(feed, terminal=UNICODE), feed


async def test_what_was_concluded_of_an_older_incident_comes_from_the_memory() -> None:
    desk = NotingDesk()
    then = replace(conclusions.diagnosis(), incident_id=frames.RESOLVED.id, cause="prefix_broken")
    desk.closed = frames.frame(frames.endpoint(diagnosis=then, incidents=(frames.RESOLVED,)))
    app, feed = watching(desk)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("i", "h")
        await settled(pilot)
        assert "prefix reuse broke (0.86)" in screen_text(app)
        feed.push(frames.frame(followups.handled(), seq=2))
        await settled(pilot)
        assert [asked for asked in desk.asked if asked[0] == "closed_frame"] == [
            ("closed_frame", frames.RESOLVED.id)
        ]


async def test_what_another_watcher_concluded_of_an_open_incident_comes_from_the_memory() -> None:
    desk, known = NotingDesk(), frames.incident()
    there = replace(conclusions.diagnosis(), incident_id=known.id, cause="prefix_broken")
    desk.closed = frames.frame(frames.endpoint(diagnosis=there, incidents=(known,)))
    app, _ = watching(desk, frames.endpoint(incidents=(known,)))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("i")
        await settled(pilot)
        assert "prefix reuse broke (0.86)" in screen_text(app)


async def test_an_older_incident_that_nobody_kept_says_so() -> None:
    app, _ = watching(NotingDesk())
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("i", "h")
        await settled(pilot)
        assert "what was concluded is not kept here" in screen_text(app)
