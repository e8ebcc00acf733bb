"""The fleet's rows and their order."""

from __future__ import annotations

from itertools import pairwise

import pytest

from inferguard_core.frame import Measure, MeasureId
from inferguard_tui.fleet.columns import (
    COLUMNS,
    LEAVE_FIRST,
    LEAVE_ORDER,
    SHORT_SPARK_CELLS,
    SPARK_CELLS,
    fitting,
    heading,
    row,
)
from inferguard_tui.fleet.lines import heading_line, look_words
from inferguard_tui.fleet.order import REST_S, Group, Heading, Look, Sort, entries, matches, may_sort, next_of
from inferguard_tui.glyphs import EIGHTHS
from inferguard_tui.line import Ink, text_of, width
from tests.tui import conclusions, figures, frames

FLEET = frames.mixed_fleet().endpoints
KEYS = [endpoint.endpoint for endpoint in FLEET]


def test_the_worst_come_first_and_equals_keep_their_place() -> None:
    order = [key.removeprefix("http://gpu-").partition(":")[0] for key in entries(FLEET, Look())]
    assert order == ["07", "09", "03", "10", "08", "06", "05", "01", "02", "04", "11", "12"]


@pytest.mark.parametrize(
    ("moved_ago", "may"), [(None, True), (0.0, False), (REST_S - 0.1, False), (REST_S, True), (-5.0, True)]
)
def test_rows_hold_still_while_somebody_moves(moved_ago: float | None, may: bool) -> None:
    moved = None if moved_ago is None else frames.NOW - moved_ago
    assert may_sort(KEYS, KEYS, moved, frames.NOW) is may


def test_a_new_endpoint_is_shown_at_once() -> None:
    assert may_sort(KEYS[:-1], KEYS, frames.NOW, frames.NOW)


def test_columns_leave_in_the_stated_order() -> None:
    left = [tuple(column.id for column in fitting(cells)) for cells in range(220, 20, -1)]
    gone = [name for before, after in pairwise(left) for name in before if name not in after]
    assert gone == list(LEAVE_ORDER[: len(gone)])
    assert len(gone) == len(LEAVE_ORDER)


@pytest.mark.parametrize("cells", [99, 119])
def test_both_sparklines_stand_beside_a_scrollbar_in_a_hundred_cells_and_in_120(cells: int) -> None:
    asked = {"state", "kv_spark", "kv", "queue_spark", "waiting", "running", "ttft", "cause"}
    assert asked <= {column.id for column in fitting(cells)}
    assert {"decode", "since"} <= {column.id for column in fitting(119)}


def test_sparklines_give_way_after_the_first_columns_and_only_as_far_as_they_must() -> None:
    for cells in range(60, 220):
        shown = fitting(cells)
        sparks = {column.cells for column in shown if column.id.endswith("_spark")}
        assert len(sparks) <= 1
        assert all(SHORT_SPARK_CELLS <= size <= SPARK_CELLS for size in sparks)
        if sparks and sparks != {SPARK_CELLS}:
            assert not {column.id for column in shown} & set(LEAVE_FIRST)
            assert cells - width(row(FLEET[0], 1, frames.NOW, cells, under_cursor=False)) <= 1


def test_a_short_sparkline_shows_the_whole_span() -> None:
    rising = frames.critical(7)
    for cells in (100, 120, 200):
        (queue,) = [column for column in fitting(cells) if column.id == "queue_spark"]
        drawn = queue.cell(rising, frames.NOW)[0]
        assert len(drawn) == queue.cells
        assert EIGHTHS.index(drawn[0]) + 3 < EIGHTHS.index(drawn[-1])


def test_all_columns_fit_a_wide_screen() -> None:
    assert [(c.id, c.cells) for c in fitting(200)] == [(c.id, c.cells) for c in COLUMNS]


@pytest.mark.parametrize("cells", range(70, 220))
def test_a_quantile_never_goes_without_what_it_rests_on(cells: int) -> None:
    names, drawn = (
        text_of(heading(cells)),
        text_of(row(frames.critical(7), 7, frames.NOW, cells, under_cursor=False)),
    )
    assert ("TTFT p95    n" in names) is ("12.4 s  372" in drawn)
    assert ("ITL p95    n" in names) is ("185 ms 3720" in drawn)
    assert ("TTFT" in names) is ("12.4 s" in drawn)


@pytest.mark.parametrize(
    ("n", "says"),
    [
        (20, "12.4 s   20"),
        (9_999, "12.4 s 9999"),
        (12_345, "12.4 s 12 k"),
        (123_456, "12.4 s 123k"),
        (2e6, "12.4 s  2 M"),
    ],
)
def test_however_many_the_count_keeps_its_cells(n: float, says: str) -> None:
    known = figures.measures() | {MeasureId.TTFT_P95: Measure(12.4, "seconds", 60.0, n)}
    drawn = text_of(row(frames.critical(7, measures=known), 7, frames.NOW, 120, under_cursor=False))
    assert says in drawn
    assert drawn.index(says) + len(says) == text_of(heading(120)).index("TTFT p95    n") + len(
        "TTFT p95    n"
    )


def test_a_quantile_that_too_few_answer_for_is_unknown() -> None:
    few = figures.measures() | {
        MeasureId.TTFT_P95: Measure(None, "seconds", 60.0, 7, why_unknown="n 7, needs 20")
    }
    drawn = text_of(row(frames.critical(7, measures=few), 7, frames.NOW, 120, under_cursor=False))
    assert "—    7" in drawn


@pytest.mark.parametrize("cells", [40, 80, 100, 120, 200])
@pytest.mark.parametrize("under_cursor", [False, True])
def test_a_row_keeps_to_its_width(cells: int, under_cursor: bool) -> None:
    rows = [row(e, n, frames.NOW, cells, under_cursor=under_cursor) for n, e in enumerate(FLEET, 1)]
    assert max(map(width, rows)) <= cells
    assert width(heading(cells)) <= cells
    assert "…" not in text_of(heading(cells))


@pytest.mark.parametrize("cells", [80, 120, 200])
def test_headings_stand_over_their_columns(cells: int) -> None:
    shown, names = (
        text_of(row(frames.critical(7), 7, frames.NOW, cells, under_cursor=False)),
        text_of(heading(cells)),
    )
    assert shown.index("gpu-07") == names.index("endpoint")
    assert shown.index("▲ CRITICAL") == names.index("state")
    assert shown.index("58") + len("58") == names.index("run") + len("run")
    assert shown.index("kv_exhausted") == names.index("cause")


def test_a_dead_endpoint_shows_old_values_as_old() -> None:
    dead = row(frames.dead(9), 9, frames.NOW, 120, under_cursor=False)
    assert "\N{MULTIPLICATION SIGN} NO DATA" in text_of(dead)
    assert "refused, 48 s" in text_of(dead)
    assert {span.ink for span in dead if "52%" in span.text} == {Ink.STALE}


@pytest.mark.parametrize("cells", [80, 100, 120, 200])
def test_the_cause_is_shown_at_every_size(cells: int) -> None:
    assert "kv_exhausted" in text_of(row(frames.critical(7), 7, frames.NOW, cells, under_cursor=False))


def test_a_cause_of_an_incident_that_is_over_is_not_shown_as_one_of_now() -> None:
    calm = frames.endpoint(diagnosis=conclusions.diagnosis())
    assert "kv_exhausted" not in text_of(row(calm, 1, frames.NOW, 200, under_cursor=False))


def test_an_endpoint_never_polled_shows_no_zero() -> None:
    shown = text_of(row(frames.waiting(5), 5, frames.NOW, 120, under_cursor=False))
    assert "0" not in shown.replace("gpu-05:8000", "").replace(" 5 ", "")


def test_the_cursor_row_keeps_the_colour_of_its_state() -> None:
    chosen = row(frames.critical(7), 7, frames.NOW, 120, under_cursor=True)
    assert text_of(chosen).startswith("▌")
    assert width(chosen) == 120
    assert {span.ink for span in chosen} == {Ink.CURSOR, Ink.CRITICAL}


def shown(look: Look) -> list[str]:
    """Numbers of the endpoints, names of the headings."""
    return [
        entry.name if isinstance(entry, Heading) else entry.removeprefix("http://gpu-").partition(":")[0]
        for entry in entries(FLEET, look)
    ]


@pytest.mark.parametrize(
    ("sort", "first"),
    [(Sort.KV, "07"), (Sort.QUEUE, "07"), (Sort.TTFT, "07"), (Sort.NAME, "01"), (Sort.WORST, "07")],
)
def test_each_order_puts_its_most_first(sort: Sort, first: str) -> None:
    assert shown(Look(sort))[0] == first


@pytest.mark.parametrize("sort", [Sort.KV, Sort.QUEUE, Sort.TTFT, Sort.TOKENS])
def test_what_is_not_known_stands_last(sort: Sort) -> None:
    assert shown(Look(sort))[-1] == "05"


def test_groups_stand_with_the_worst_first_and_count_their_states() -> None:
    rows = entries(FLEET, Look(group=Group.ENGINE))
    headings = [entry for entry in rows if isinstance(entry, Heading)]
    assert [h.name for h in headings] == ["vLLM 0.32.0", "engine not known", "SGLang 0.5.23"]
    assert isinstance(rows[0], Heading)
    assert rows[1] == "http://gpu-07:8000"
    assert sum(h.count for h in headings) == len(FLEET)
    assert headings[0].states[0] == (frames.Status.CRITICAL, 1)


def test_grouping_by_model_names_models() -> None:
    names = [entry.name for entry in entries(FLEET, Look(group=Group.MODEL)) if isinstance(entry, Heading)]
    assert names == ["openai/gpt-oss-120b", "model not known"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("07", True),
        ("GPU-07", True),
        ("vllm", True),
        ("oss-120b", True),
        ("critical", True),
        ("kv_exhausted", True),
        ("KV exhausted", True),
        ("vllm 07", True),
        ("vllm 08", False),
        ("sglang", False),
        ("[", False),
        ("", True),
    ],
)
def test_a_filter_finds_by_name_engine_model_state_and_cause(wanted: str, found: bool) -> None:
    assert matches(frames.critical(7), wanted) is found


def test_the_choices_go_round() -> None:
    seen = [Sort.WORST]
    while (after := next_of(seen[-1])) not in seen:
        seen.append(after)
    assert set(seen) == set(Sort)
    assert next_of(next_of(next_of(Group.NONE))) is Group.NONE


@pytest.mark.parametrize("cells", [60, 80, 100, 120, 200])
def test_a_heading_fills_its_line_and_fits(cells: int) -> None:
    odd = frames.endpoint(models=("publisher/" + "very-long-model-name-" * 9,))
    (found,) = [
        e for e in entries((odd, frames.critical(2)), Look(group=Group.ENGINE)) if isinstance(e, Heading)
    ]
    assert width(heading_line(found, cells)) == cells
    found = next(e for e in entries((odd,), Look(group=Group.MODEL)) if isinstance(e, Heading))
    assert width(heading_line(found, cells)) == cells


def test_how_it_is_looked_at_is_said_where_it_is_not_the_usual_way() -> None:
    assert look_words(Look(), 12, 12) == ""
    told = look_words(Look(Sort.KV, Group.MODEL, "x"), 3, 12)
    assert told == "filter x: 3 of 12 · sorted by KV · grouped by model"
