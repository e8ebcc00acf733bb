"""What the panels of plain figures say: latency, work, prefix cache, preemption."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inferguard_core.frame import Measure, MeasureId
from inferguard_tui.line import Ink, text_of, width
from inferguard_tui.panels.arrangement import arranged
from inferguard_tui.panels.figures import PREEMPTION, PREFIX, WORK, preemption_content
from inferguard_tui.panels.latency import LATENCY
from inferguard_tui.panels.view import Panel, View, panel_lines
from tests.tui import figures, frames

WIDE = View(100, 12)


def text(panel: Panel, endpoint: object, view: View = WIDE) -> str:
    return "\n".join(text_of(row) for row in panel_lines(panel, endpoint, view))


@pytest.mark.parametrize("panel", [PREFIX, PREEMPTION], ids=lambda panel: panel.id)
@pytest.mark.parametrize("size", [(120, 36), (100, 26), (200, 46)])
def test_prefix_and_preemption_draw_what_was_wherever_they_stand(panel: Panel, size: tuple[int, int]) -> None:
    _, _, cells, rows = arranged(*size)[panel.id]
    drawn = panel_lines(panel, frames.critical(), View(cells, rows))
    assert len(drawn) <= rows
    assert max(width(row) for row in drawn) <= cells
    assert any(mark in text_of(row) for row in drawn for mark in "▂▃▄▅▆▇"), text(
        panel, frames.critical(), View(cells, rows)
    )


def test_a_gap_in_the_hit_rate_is_no_low_one() -> None:
    known = replace(figures.trend(lambda i: 0.5 if i < 100 else None if i < 200 else 0.0), keeps_lowest=True)
    endpoint = frames.endpoint(trends={MeasureId.PREFIX_HIT_RATE: known})
    picture = text_of(panel_lines(PREFIX, endpoint, View(30, 6))[3])
    assert picture.rstrip() == "▄" * 10 + " " * 10 + "▁" * 10


def test_latency_shows_its_window_once() -> None:
    drawn = text(LATENCY, frames.critical())
    assert drawn.count("60 s") == 1
    assert "n 372" in drawn
    assert "p95   12.4 s" in drawn


def test_latency_over_its_goal_stands_out() -> None:
    rows = panel_lines(LATENCY, frames.critical(), WIDE)
    assert Ink.LIMIT in {span.ink for span in rows[1] if "12.4 s" in span.text}
    calm = panel_lines(LATENCY, frames.endpoint(), WIDE)
    assert Ink.LIMIT not in {span.ink for row in calm for span in row}


@pytest.mark.parametrize(
    ("share", "why", "says"),
    [
        (0.78, "", "goal 1.00 s · 78% over ▲"),
        (0.78, "at most: counted over 0.75 s, where a bucket ends", "goal 1.00 s · ≤ 78% over ▲"),
        (0.03, "", "goal 1.00 s · 3.0% over"),
        (0.0, "", "goal 1.00 s · 0% over"),
        (None, "n 3, needs 20", "goal 1.00 s"),
    ],
)
@pytest.mark.parametrize(("cells", "p99"), [(31, ""), (40, "p99 421 ms"), (60, "TTFT p99 421 ms")])
def test_latency_says_which_share_of_requests_is_over_the_goal(
    share: float | None, why: str, says: str, cells: int, p99: str
) -> None:
    known = figures.measures() | {
        MeasureId.TTFT_OVER_GOAL: Measure(share, "ratio", 60.0, 372, why_unknown=why),
        MeasureId.TTFT_P99: Measure(0.421, "seconds", 60.0, 372),
    }
    row = text(LATENCY, frames.endpoint(measures=known), View(cells, 4)).splitlines()[-1]
    assert row.startswith(says)
    assert row.removeprefix(says).lstrip(" ▲·").endswith(p99)


def test_work_shares_decode_among_the_running() -> None:
    assert "31.0 tok/s" in text(WORK, frames.endpoint())  # 1800 / 58


def test_preemption_relates_to_what_finishes() -> None:
    assert "39%" in text(PREEMPTION, frames.critical())  # 2.4 / 6.2


def test_preemption_shows_its_cost_as_an_estimate() -> None:
    endpoint = frames.critical()
    rows = [text_of(row) for row in preemption_content(endpoint, View(24, 5)).lines]
    assert rows[1].split() == ["redo", "tok", "125", "k/s", "est."]
    # 2.4/s of 52,000 tokens, beside 9,800 computed: 124,800 of 134,600.
    assert rows[2].split() == ["prefill", "93%", "est."]


def test_a_cost_that_is_not_known_is_no_zero() -> None:
    unknown = dict(frames.critical().measures)
    unknown[MeasureId.RECOMPUTE_RATE] = Measure(None, "tokens/s", 60.0, why_unknown="not exported: kv_usage")
    rows = [text_of(row) for row in preemption_content(frames.critical(measures=unknown), View(24, 5)).lines]
    assert [row.split()[-1] for row in rows[1:3]] == ["—", "—"]
