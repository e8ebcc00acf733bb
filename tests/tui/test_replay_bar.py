"""The replay bar shows state, speed, place, and where incidents opened, in one line at any width."""

from __future__ import annotations

import pytest

from inferguard_core.frame import ReplayPosition
from inferguard_tui.line import Ink, text_of, width
from inferguard_tui.panels.replay import replay_line


@pytest.mark.parametrize("cells", [20, 40, 80, 100, 120, 200])
def test_it_fits(cells: int) -> None:
    bar = replay_line(ReplayPosition(50.0, 100.0, 16.0, False, False, (0.0, 25.0, 100.0)), cells)
    assert width(bar) <= cells


def test_incidents_are_marked_where_they_opened_in_text_and_ink() -> None:
    bar = replay_line(ReplayPosition(0.0, 100.0, 1.0, True, False, (50.0,)), 80)
    text = text_of(bar)
    assert text.count("▲") == 1
    track = text[text.index("●") : text.rindex("─") + 1]
    assert abs(track.index("▲") / len(track) - 0.5) < 0.03
    assert [span.ink for span in bar if "▲" in span.text] == [Ink.CRITICAL]


def test_the_place_goes_before_a_mark_in_the_same_cell() -> None:
    text = text_of(replay_line(ReplayPosition(50.0, 100.0, 1.0, False, False, (50.0,)), 80))
    assert "●" in text
    assert "▲" not in text


@pytest.mark.parametrize(
    ("paused", "ended", "word"), [(False, False, "playing"), (True, False, "paused"), (True, True, "ended")]
)
def test_the_state_is_a_word(paused: bool, ended: bool, word: str) -> None:
    assert text_of(replay_line(ReplayPosition(1.0, 2.0, 1.0, paused, ended), 80)).startswith(f" {word}")


@pytest.mark.parametrize("cells", [20, 40, 80, 120])
def test_what_a_key_came_to_is_said_in_words_beside_the_track(cells: int) -> None:
    told = ReplayPosition(50.0, 100.0, 16.0, True, False, (25.0,), "no incident opens after this")
    bar = replay_line(told, cells)
    assert width(bar) <= cells
    if cells >= 80:
        assert "no incident opens after this" in text_of(bar)
        assert "●" in text_of(bar)
