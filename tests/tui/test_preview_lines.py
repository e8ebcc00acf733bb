"""The lines of a preview: what stands at its top, and how old its figures are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from inferguard_tui.incident.preview import preview_lines
from inferguard_tui.line import text_of
from inferguard_tui.panels.advisories import standing
from tests.tui import followups, frames

if TYPE_CHECKING:
    from inferguard_core.followup import Execution

HANDLED = followups.handled()
THROTTLE, _ = standing(HANDLED)


def told(answer: Execution, cells: int) -> str:
    return "\n".join(text_of(row).rstrip() for row in preview_lines(THROTTLE, (1, 2), HANDLED, answer, cells))


def test_what_the_guards_say_stands_above_the_fold_of_a_small_terminal() -> None:
    def top(answer: Execution) -> str:
        return "\n".join(told(answer, 71).split("\n")[:6])

    assert "guards         all 4 agree" in top(followups.rehearsed())
    assert "guards         2 of 3 say no" in top(followups.refused())


@pytest.mark.parametrize(
    ("cells", "mode"),
    [(100, "LIVE: enter asks for its name, then sends"), (66, "LIVE: enter, then its name")],
)
def test_the_title_says_what_enter_does_without_being_cut(cells: int, mode: str) -> None:
    assert told(followups.rehearsed("live"), cells).split("\n")[0].endswith(f" {mode} ─")


def test_figures_older_than_the_screen_say_how_old_they_are() -> None:
    def resting(ago: float) -> str:
        advised = replace(THROTTLE, created_unix=frames.NOW - ago)
        shown = preview_lines(advised, (1, 2), HANDLED, followups.rehearsed(), 100)
        (row,) = (text_of(row).strip() for row in shown if "rests on" in text_of(row))
        return row

    assert "the figures are of 3 m 10 s ago, when it was advised" in resting(190)
    assert "ago" not in resting(1)
