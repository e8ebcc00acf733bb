"""Pictures of the screens at four sizes in every state; the last check, after what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from inferguard_core.frame import ReplayPosition
from inferguard_core.poll import ProofLevel
from inferguard_tui.app import InferGuardApp
from tests.tui import followups, frames
from tests.tui.desks import NotingDesk
from tests.tui.harness import UNICODE, Controls, PushedFeed, monitor, pressed, settled

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_core.followup import Execution
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


def preview_desk(preview: Execution | str) -> NotingDesk:
    desk = NotingDesk()
    desk.preview = preview
    return desk


DIALOGS: dict[str, tuple[tuple[str, ...], NotingDesk]] = {
    "dry run": (("x",), preview_desk(followups.rehearsed())),
    "refused": (("x",), preview_desk(followups.refused())),
    "confirmation": (("x", "enter"), preview_desk(followups.rehearsed("live"))),
    "dialect": (("c",), NotingDesk()),
    "diagnose": (("d",), NotingDesk()),
    "note": (("i", "n"), NotingDesk()),
    "snooze": (("s",), NotingDesk()),
}


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("dialog", DIALOGS)
def test_dialog(snap_compare: Any, dialog: str, size: tuple[int, int]) -> None:
    keys, desk = DIALOGS[dialog]
    app = InferGuardApp(PushedFeed(frames.frame(followups.handled()), desk=desk), terminal=UNICODE)
    assert snap_compare(app, terminal_size=size, run_before=pressed(*keys))


def remembering() -> NotingDesk:
    desk = NotingDesk()
    desk.past = followups.similar()
    before = frames.critical(incident=None, incidents=(frames.RESOLVED,), proof=ProofLevel.RECORDED)
    desk.closed = frames.frame(before, unix=frames.NOW - 3160)
    return desk


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("keys", [("r",), ("r", "enter")], ids=["list", "past"])
def test_recall(snap_compare: Any, keys: tuple[str, ...], size: tuple[int, int]) -> None:
    app = InferGuardApp(PushedFeed(frames.frame(followups.handled()), desk=remembering()), terminal=UNICODE)
    assert snap_compare(app, terminal_size=size, run_before=pressed(*keys))


FLEETS = {"grouped": ("o",), "filtered": ("slash", *"no data", "enter"), "filtering": ("slash", *"gpu-0")}


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("look", FLEETS)
def test_fleet(snap_compare: Any, look: str, size: tuple[int, int]) -> None:
    app = monitor(frames.mixed_fleet())
    assert snap_compare(app, terminal_size=size, run_before=pressed(*FLEETS[look]))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_replay(snap_compare: Any, size: tuple[int, int]) -> None:
    stands = ReplayPosition(60.0, 180.0, 4.0, True, False, (30.0, 120.0))
    feed = PushedFeed(frames.frame(frames.critical(), replay=stands), replay=Controls())
    app = InferGuardApp(feed, terminal=UNICODE)
    assert snap_compare(app, terminal_size=size, run_before=settled)
