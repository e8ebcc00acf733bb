"""What the diagnosis panel says, and what of it stands where room is short."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from inferguard_core.verdict import CauseScore
from inferguard_tui.line import text_of
from inferguard_tui.panels.diagnosis import DIAGNOSIS
from inferguard_tui.panels.view import View, panel_lines
from tests.tui import conclusions, frames

WIDE = View(100, 12)


def text(endpoint: object, view: View = WIDE) -> str:
    return "\n".join(text_of(row) for row in panel_lines(DIAGNOSIS, endpoint, view))


def test_diagnosis_is_pending_only_while_an_incident_is_open() -> None:
    assert "rules pending" in text(frames.critical(diagnosis=None))
    calm = text(frames.endpoint())
    assert "no incident is open" in calm
    assert "pending" not in calm


def test_diagnosis_ranks_its_causes_and_says_why() -> None:
    drawn = text(frames.critical(), View(100, 20))
    assert "kv_exhausted" in drawn
    assert "0.86" in drawn
    assert "long_contexts 0.31 · arrival_surge 0.18" in drawn
    assert "✔ KV ≥ 0.9 held for 30 s (0.98)" in drawn
    assert "but: few running (12)" in drawn
    assert "not so: KV tokens per running request near what they were before" in drawn
    assert "before it: arrivals 4.2 /s → 9.1 /s" in drawn
    assert "wrong lever: more sequences: 58 of 256 run; KV is the cap" in drawn
    assert "mode preemption_storm · risk high · manual review" in drawn
    assert "measure next" not in drawn
    assert "rules" in drawn.splitlines()[0]
    assert "more in zoom" not in drawn


def test_in_few_rows_the_diagnosis_keeps_cause_reason_and_wrong_lever() -> None:
    title, *body = text(frames.critical(), View(80, 4)).splitlines()
    assert [row[:12].strip() for row in body] == ["kv_exhausted", "✔ running re", "wrong lever:"]
    assert "7 more in zoom" in title


def test_what_of_the_diagnosis_does_not_fit_is_in_the_zoom() -> None:
    assert DIAGNOSIS.detail is not None
    drawn = "\n".join(text_of(row) for row in DIAGNOSIS.detail(frames.critical(), WIDE))
    for words in ("not known here: swapping", "✔ requests wait (0 → 38)", "measure next: p99 of inter-token"):
        assert words in drawn
    assert "kv_usage 97.9% · limit 90.0%" in drawn


@pytest.mark.parametrize(("cells", "rows"), [(80, 4), (42, 7), (53, 10), (99, 14)])
@pytest.mark.parametrize("second", ["long_contexts", "abort_storm"])
def test_the_next_two_causes_stand_with_their_scores_on_one_line_at_every_size(
    cells: int, rows: int, second: str
) -> None:
    told = conclusions.diagnosis()
    close = replace(
        told, ranked=(*told.ranked[:1], CauseScore(second, 0.31), CauseScore("arrival_surge", 0.18))
    )
    drawn = text(frames.critical(diagnosis=close), View(cells, rows))
    assert f"{second} 0.31 · arrival_surge 0.18" in drawn
    assert "wrong lever: " in drawn


def test_long_names_of_runners_up_take_the_place_of_the_bar_or_a_row_each() -> None:
    told = conclusions.diagnosis()
    best = replace(told.ranked[0], cause="conservative_admission")
    others = (CauseScore("prefill_interference", 0.45), CauseScore("compute_bound", 0.31))
    long = frames.critical(diagnosis=replace(told, cause="conservative_admission", ranked=(best, *others)))
    first = text(long, View(80, 4)).splitlines()[1]
    assert first.endswith("█░ 0.86  prefill_interference 0.45 · compute_bound 0.31")
    narrow = text(long, View(42, 7)).splitlines()
    assert [row.split()[::2] for row in narrow[2:4]] == [
        ["prefill_interference", "0.45"],
        ["compute_bound", "0.31"],
    ]


@pytest.mark.parametrize(
    ("also_ran", "says"),
    [
        (None, "all others below 0.30"),
        ((), "all others 0.00"),
        ((CauseScore("prefix_thrash", 0.25),), "prefix_thrash 0.25 · all others 0.00"),
        ((CauseScore("prefix_thrash", 0.25), CauseScore("sequence_cap", 0.1)), "sequence_cap 0.10"),
    ],
)
@pytest.mark.parametrize(("cells", "rows"), [(80, 4), (42, 7), (53, 10), (53, 20)])
def test_where_nothing_comes_near_the_scores_say_so(
    also_ran: tuple[CauseScore, ...] | None, says: str, cells: int, rows: int
) -> None:
    told = replace(conclusions.diagnosis(), ranked=conclusions.diagnosis().ranked[:1], also_ran=also_ran)
    drawn = text(frames.critical(diagnosis=told), View(cells, rows))
    named = " ".join(drawn.replace("█", "").replace("░", "").split())
    assert [part for part in says.split(" · ") if part not in named] == []
    assert DIAGNOSIS.detail is not None
    zoomed = " ".join(text_of(row) for row in DIAGNOSIS.detail(frames.critical(diagnosis=told), WIDE))
    assert says in zoomed


def test_every_reason_that_fits_stands_before_the_wrong_lever() -> None:
    rows = text(frames.critical(), View(80, 12)).splitlines()
    lever = next(at for at, row in enumerate(rows) if row.startswith("wrong lever"))
    ticks = [at for at, row in enumerate(rows) if row.startswith("✔")]
    assert len(ticks) == len(conclusions.diagnosis().ranked[0].speaks_for)
    assert max(ticks) < lever


def test_an_unclear_diagnosis_says_what_to_measure() -> None:
    drawn = text(frames.critical(diagnosis=conclusions.unclear()), View(60, 5))
    assert "unclear: no cause reaches 0.50" in drawn
    assert "compute_bound 0.40" in drawn
    assert "measure next: GPU clocks (nvidia-smi dmon)" in drawn


@pytest.mark.parametrize(
    ("cells", "note"),
    [
        (100, "of the last incident · rules · N more in zoom"),
        (58, "of the last incident · N more in zoom"),
        (42, "of the last incident"),
    ],
)
def test_the_title_leaves_its_source_out_before_it_cuts_a_word(cells: int, note: str) -> None:
    title = text(frames.critical(incident=None), View(cells, 7)).splitlines()[0]
    said = title.removeprefix("─ Diagnosis ").strip("─ ")
    assert re.sub(r"\d", "N", said) == note
