"""Pictures of the screens at four sizes in every state; the last check, after what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from inferguard_tui.app import InferGuardApp
from tests.tui import followups, frames
from tests.tui.desks import NotingDesk
from tests.tui.harness import UNICODE, PushedFeed, monitor, pressed, settled

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_core.frame import Frame

SIZES = [(80, 24), (100, 30), (120, 40), (200, 50)]
STATES: dict[str, Callable[[], Frame]] = {
    "waiting": lambda: frames.frame(frames.waiting()),
    "ok": lambda: frames.frame(frames.endpoint()),
    "critical": lambda: frames.frame(frames.critical()),
    "filling": lambda: frames.frame(frames.filling()),
    "dead": lambda: frames.frame(frames.dead()),
    "fleet": frames.mixed_fleet,
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", STATES)
def test_screen(snap_compare: Any, state: str, size: tuple[int, int]) -> None:
    assert snap_compare(monitor(STATES[state]()), terminal_size=size, run_before=settled)


def test_light_theme(snap_compare: Any) -> None:
    app = monitor(STATES["critical"](), theme="day")
    assert snap_compare(app, terminal_size=(120, 40), run_before=settled)


INCIDENT_STATES: dict[str, Callable[[], Frame]] = {
    "handled": lambda: frames.frame(followups.handled()),
    "fresh": lambda: frames.frame(frames.filling()),
}


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", INCIDENT_STATES)
def test_incident(snap_compare: Any, state: str, size: tuple[int, int]) -> None:
    app = InferGuardApp(PushedFeed(INCIDENT_STATES[state](), desk=NotingDesk()), terminal=UNICODE)
    assert snap_compare(app, terminal_size=size, run_before=pressed("i"))
