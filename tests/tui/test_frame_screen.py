"""What is painted while a dialog stands over a screen: what changed since the last frame, where it can be seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from inferguard_tui.app import InferGuardApp
from inferguard_tui.screens.dialog import Dialog
from inferguard_tui.screens.frugal_compositor import FrugalCompositor
from tests.tui import frames
from tests.tui.desks import NotingDesk
from tests.tui.harness import UNICODE, PushedFeed, pressed, settled

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.geometry import Region

COVERING, SEEN_PAST = ["question_mark", "colon", "c", "d"], ["t", "n", "s"]


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> list[Region]:
    """The regions of all paints."""
    found: list[Region] = []
    paint = FrugalCompositor.render_update

    def noted(self: FrugalCompositor, **how: Any) -> RenderableType | None:
        found.extend(self._dirty_regions)
        return paint(self, **how)

    monkeypatch.setattr(FrugalCompositor, "render_update", noted)
    return found


@pytest.mark.parametrize("key", [*COVERING, *SEEN_PAST])
async def test_a_second_that_passes_costs_a_few_cells_under_a_dialog(key: str, painted: list[Region]) -> None:
    now = frames.frame(frames.critical())
    feed = PushedFeed(now, desk=NotingDesk())
    app = InferGuardApp(feed, terminal=UNICODE)
    async with app.run_test(size=(120, 40)) as pilot:
        await pressed(key)(pilot)
        assert isinstance(app.screen, Dialog)
        for second in range(1, 4):
            feed.push(replace(now, seq=now.seq + second, unix=now.unix + second))
            await settled(pilot)
            cells, painted[:] = sum(region.area for region in painted), []
            # The seconds of the clock and of how long the incident lasts; twice where they shine through as well.
            assert second == 1 or 0 < cells <= 4


@pytest.mark.parametrize("key", ["question_mark", "colon", *SEEN_PAST])
async def test_what_changes_beneath_is_painted_where_the_dialog_lets_it_be_seen(
    key: str, painted: list[Region]
) -> None:
    fine = replace(frames.endpoint(), incidents=(frames.incident(),))
    feed = PushedFeed(frames.frame(fine), desk=NotingDesk())
    app = InferGuardApp(feed, terminal=UNICODE)
    async with app.run_test(size=(120, 40)) as pilot:
        await pressed(key)(pilot)
        assert isinstance(app.screen, Dialog)
        painted.clear()
        feed.push(frames.frame(frames.warning()))
        await settled(pilot)
        kv = app.screen_stack[1].query_one("#kv").region
        assert any(region.overlaps(kv) for region in painted) is (key in SEEN_PAST)
