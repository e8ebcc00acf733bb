"""What the brain sees coming stands beside the advice, with its confidence and its horizon, incident or not."""

from __future__ import annotations

from dataclasses import replace

from inferguard_core.followup import BrainAdvisory, BrainResult
from inferguard_core.verdict import Evidence
from inferguard_tui.line import text_of, width
from inferguard_tui.panels.advisories import ADVISORIES
from inferguard_tui.panels.view import View
from tests.tui import conclusions, frames

CLIFF = BrainAdvisory(
    "capacity_cliff_predicted",
    "KV pool full in 49–98 s if it goes on",
    0.58,
    "share of slopes × tau",
    66.3,
    (Evidence("kv_usage", 0.81, "ratio", threshold=1.0, window_s=116.0),),
)
RESULT = BrainResult(0.0, "rules", (CLIFF,))


def lines(endpoint: object, cells: int = 120, height: int = 8) -> list[str]:
    content = ADVISORIES.content(endpoint, View(cells, height))  # type: ignore[arg-type]
    assert all(width(row) <= cells for row in content.lines)
    return [text_of(row) for row in content.lines]


def test_without_an_incident_it_stands_alone() -> None:
    calm = replace(frames.endpoint(), brain=RESULT)
    (row,) = lines(calm)
    for words in ("capacity_cliff_predicted", "0.58", "ADVISORY", "~66 s", "KV pool full in 49–98 s"):
        assert words in row, row


def test_it_comes_after_the_advice_and_gives_way_where_rows_are_few() -> None:
    endpoint = frames.critical(
        advisories=conclusions.advisories("http://a"),
        fix=conclusions.fix(),
        impact=conclusions.impact(),
        brain=RESULT,
    )
    rows = lines(endpoint, height=12)
    assert "capacity_cliff_predicted" in rows[-1]
    assert len(lines(endpoint, height=3)) == 3
    assert not any("capacity_cliff" in row for row in lines(endpoint, height=1))


def test_the_zoom_has_its_formula_and_numbers() -> None:
    endpoint = replace(frames.endpoint(), brain=RESULT)
    assert ADVISORIES.detail is not None
    told = "\n".join(text_of(row) for row in ADVISORIES.detail(endpoint, View(100, 40)))
    assert "confidence: share of slopes × tau (brain)" in told
    assert "kv_usage" in told
