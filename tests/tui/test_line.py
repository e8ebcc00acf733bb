"""Lines of inked text: cells, cutting, wrapping, ASCII."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from inferguard_tui.glyphs import bar, to_ascii
from inferguard_tui.line import (
    Ink,
    Span,
    cut,
    fitted,
    flowed,
    left,
    line,
    right,
    spread,
    text_of,
    width,
    wrapped,
)

WIDE = "模型"


def test_a_cut_is_shown() -> None:
    assert cut("preemption", 6) == "preem…"
    assert cut("short", 6) == "short"


def test_wide_characters_count_as_two_cells() -> None:
    assert width(line(WIDE)) == 4
    assert left(WIDE, 6) == WIDE + "  "
    assert right(WIDE, 6) == "  " + WIDE


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "M", "Z"])), st.integers(0, 30))
def test_a_placed_text_takes_exactly_its_cells(text: str, cells: int) -> None:
    assert cell_len(left(text, cells)) == cells
    assert cell_len(right(text, cells)) == cells


def test_the_end_of_a_spread_line_stays_whole() -> None:
    assert text_of(spread(line("beginnings"), line("end"), 12)) == "beginni… end"


def test_a_line_is_cut_in_the_span_where_it_overflows() -> None:
    assert fitted(line(Span("ab", Ink.KEY), "cdefgh"), 5) == (Span("ab", Ink.KEY), Span("cd…"))


def test_wrapping_keeps_the_first_indent_and_sets_the_rest_in() -> None:
    assert wrapped("  one two three", 10, 4) == ["  one two", "    three"]


def test_parts_that_do_not_fit_are_left_out_whole() -> None:
    assert flowed(("one", "two", "three"), 9) == "one · two"


def test_a_change_in_ascii_is_no_comparison() -> None:
    plain = to_ascii(line(Span("concurrency 79 → 71 →", Ink.STRONG)))
    assert text_of(plain) == "concurrency 79 ->71 >"


def test_ascii_keeps_the_width_and_marks_what_it_cannot_show() -> None:
    plain = to_ascii(line(Span("▁▂█ ▲ — 模", Ink.SERIES)))
    assert plain == (Span("..# ^ - ??", Ink.SERIES),)


def test_a_bar_is_bounded() -> None:
    assert (bar(0.5, 4), bar(2.0, 4), bar(-1.0, 4)) == ("██░░", "████", "░░░░")
