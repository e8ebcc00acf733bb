"""Only cells that changed are repainted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inferguard_tui.line import Ink, Span, line
from inferguard_tui.widgets.line_view import LineView, changed_runs
from tests.tui.harness import Harness, screen_text

if TYPE_CHECKING:
    from textual.geometry import Region

    from inferguard_tui.line import Line


@pytest.mark.parametrize(
    ("before", "after", "runs"),
    [
        (line("same"), line("same"), []),
        (line("12:00:01"), line("12:00:02"), [(7, 8)]),
        (line("abc"), line("abcdef"), [(3, 6)]),
        (line("abcdef"), line("abc"), [(3, 6)]),
        (line(Span("ok", Ink.OK)), line(Span("ok", Ink.CRITICAL)), [(0, 2)]),
        (line(Span("a ", Ink.OK), "b"), line(Span("a", Ink.OK), " b"), []),
        (line("1", " " * 10, "2"), line("3", " " * 10, "4"), [(0, 12)]),
        (line("1", " " * 60, "2"), line("3", " " * 60, "4"), [(0, 1), (61, 62)]),
        (line("模x"), line("型y"), [(0, 3)]),
        (line(Span("  ", Ink.CURSOR)), line("  "), [(0, 2)]),
    ],
)
def test_changes_are_found_cell_by_cell(before: Line, after: Line, runs: list[tuple[int, int]]) -> None:
    assert list(changed_runs(before, after)) == runs


class Watched(LineView):
    """Notes what was asked to be repainted."""

    DEFAULT_CSS = "Watched { height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self.repainted: list[Region] = []

    def refresh(self, *regions: Region, **how: bool) -> Watched:
        self.repainted.extend(regions)
        return super().refresh(*regions, **how)


async def test_equal_lines_repaint_nothing_and_a_change_its_own_cells() -> None:
    view = Watched()
    async with Harness(view).run_test(size=(30, 4)) as pilot:
        view.draw((line("KV 97.9%"), line("steady")))
        await pilot.pause()
        view.repainted.clear()
        view.draw((line("KV 97.9%"), line("steady")))
        assert view.repainted == []
        view.draw((line("KV 98.1%"), line("steady")))
        assert [(r.x, r.y, r.width, r.height) for r in view.repainted] == [(4, 0, 3, 1)]
        await pilot.pause()
        assert screen_text(pilot.app).splitlines()[:2] == ["KV 98.1%", "steady"]


async def test_fewer_lines_leave_nothing_behind() -> None:
    view = Watched()
    async with Harness(view).run_test(size=(30, 4)) as pilot:
        view.draw((line("one"), line("two")))
        await pilot.pause()
        view.draw((line("one"),))
        await pilot.pause()
        assert screen_text(pilot.app).split() == ["one"]


async def test_an_ascii_terminal_gets_ascii() -> None:
    view = LineView(ascii_only=True)
    async with Harness(view).run_test(size=(30, 4)) as pilot:
        view.draw((line("▲ CRITICAL — ▁█"),))
        await pilot.pause()
        assert screen_text(pilot.app).strip() == "^ CRITICAL - .#"
