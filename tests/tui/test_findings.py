"""What the panels of conclusions say: anomalies, advisories with fix and impact, incidents."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from inferguard_core.frame import Blind
from inferguard_core.verdict import CauseScore, Condition, Impact
from inferguard_tui.cli.words import execution_words
from inferguard_tui.line import text_of
from inferguard_tui.panels.advisories import ADVISORIES, change
from inferguard_tui.panels.anomalies import ANOMALIES
from inferguard_tui.panels.diagnosis import DIAGNOSIS
from inferguard_tui.panels.incidents import INCIDENTS
from inferguard_tui.panels.view import View, panel_lines
from inferguard_tui.screens.zoom import ZoomScreen
from tests.tui import conclusions, followups, frames

if TYPE_CHECKING:
    from inferguard_tui.panels.view import Panel

WIDE = View(100, 12)


def text(panel: Panel, endpoint: object, view: View = WIDE) -> str:
    return "\n".join(text_of(row) for row in panel_lines(panel, endpoint, view))


def test_anomalies_carry_word_shape_kind_and_age() -> None:
    drawn = text(ANOMALIES, frames.critical())
    assert "▲ CRIT preemption" in drawn
    assert "! WARN ttft_high" in drawn
    assert "· note kv_saturated" in drawn
    assert "(recovering)" in drawn
    assert "3 m 10 s" in drawn
    assert "3 firing · 1 blind" in drawn


def test_no_anomalies_names_the_rules_that_cannot_see() -> None:
    drawn = text(ANOMALIES, frames.endpoint(blind=(Blind("swap", "swapped"),)))
    assert "none" in drawn
    assert "blind, for want of input: swap" in drawn


def test_before_the_first_poll_there_is_no_all_clear() -> None:
    assert "waiting for the first poll" in text(ANOMALIES, frames.waiting())


def test_anomalies_that_do_not_fit_are_counted() -> None:
    assert "… 3 more anomalies" in text(ANOMALIES, frames.critical(), View(100, 3))


def test_a_zoomed_anomaly_shows_its_evidence() -> None:
    assert ANOMALIES.detail is not None
    drawn = "\n".join(text_of(row) for row in ANOMALIES.detail(frames.critical(), WIDE))
    assert "preemptions 144 · limit 2 · 60 s · from vllm:num_preemptions_total" in drawn
    assert "swap: swapped is not exported; vLLM V1 does not swap" in drawn


def test_what_a_model_wrote_cannot_drive_the_terminal() -> None:
    hostile = Condition("x", True, "\x1b[2Jgone\n\nand\u202eback [b]bold[/]")
    told = replace(conclusions.diagnosis(), ranked=(CauseScore("kv_exhausted", 0.9, (hostile,)),))
    assert "✔ [2Jgone andback [b]bold[/]" in text(DIAGNOSIS, frames.critical(diagnosis=told))


def test_an_advisory_says_what_changes_how_sure_and_when() -> None:
    drawn = text(ADVISORIES, frames.critical())
    assert "[1] throttle_concurrency 58 → 44 " in drawn
    assert "0.74" in drawn
    assert "ADVISORY" in drawn
    assert "now" in drawn
    assert "~6 min    uncalibrated" in drawn
    assert drawn.count("uncalibrated") == 1


def test_a_superseded_advisory_is_not_shown() -> None:
    assert "51" not in text(ADVISORIES, frames.critical(), View(200, 20))
    assert text(ADVISORIES, frames.critical()).count("throttle_concurrency") == 1


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"target_agents": 6.0, "in_flight_now": 12.0}, "12 → 6 agents"),
        ({"admit_per_second": 4.5, "completions_per_second": 5.0}, "5 → 4.5 /s"),
        ({"target_window": 0.0, "window_now": 4.0, "break_even": 0.5}, "4 → 0"),
        ({"target_concurrency": 44.0}, "→ 44"),
        ({"shape": "prompt > 30000"}, ""),
    ],
)
def test_advised_and_present_values_stand_side_by_side(
    parameters: dict[str, float | str], words: str
) -> None:
    assert change(parameters) == words


def test_few_cells_cost_a_change_its_unit_and_no_digit() -> None:
    agents = {"target_agents": 44.0, "in_flight_now": 58.0}
    assert change(agents, 14) == "58 → 44 agents"
    assert change(agents, 12) == "58 → 44"


@pytest.mark.parametrize(("cells", "tag"), [(78, " ADV "), (120, " ADVISORY ")])
def test_a_pill_says_that_it_is_advice_and_what_its_confidence_is_worth(cells: int, tag: str) -> None:
    tried = [replace(a, helped=2, tried=3, calibrated=False) for a in frames.critical().advisories]
    drawn = text(ADVISORIES, replace(frames.critical(), advisories=tuple(tried)), View(cells, 20))
    pills = [row for row in drawn.split("\n") if row.startswith("[")]
    assert pills
    assert all(tag in row and "uncalibrated" in row for row in pills)
    assert all("2 of 3 helped" in row for row in pills) == (cells > 78)


def test_a_count_of_requests_is_whole_and_a_rate_is_not() -> None:
    assert change({"target_concurrency": 71.0, "running_now": 79.5}) == "80 → 71"
    assert change({"target_agents": 20.0, "in_flight_now": 40.4}) == "40 → 20 agents"
    assert change({"admit_per_second": 2.25, "completions_per_second": 2.5}) == "2.5 → 2.25 /s"
    pill = replace(
        frames.critical().advisories[0], parameters={"target_concurrency": 71.0, "running_now": 79.5}
    )
    told = text(ADVISORIES, replace(frames.critical(), advisories=(pill,)), View(140, 20))
    assert "80 → 71" in told
    assert "79.5" not in told
    executed = execution_words(
        followups.execution(payload={"parameters": {"running_now": 79.5, "share": 0.5}})
    )
    assert "(running_now 80, share 0.5)" in executed


def test_the_fix_names_its_flags_and_whose_value_is_not_known() -> None:
    drawn = text(ADVISORIES, frames.critical(), View(140, 20))
    assert "--watermark — → 0.02 · --max-num-seqs 256 → 44 · --enable-chunked-prefill on" in drawn
    assert "command: vllm serve MODEL … --watermark 0.02 --max-num-seqs 44" in drawn
    assert "effect: preempted work is no longer computed twice" in drawn
    assert "cost: a restart" in drawn


def test_where_one_advisory_fits_it_is_the_first() -> None:
    title, *body = text(ADVISORIES, frames.critical(), View(80, 4)).splitlines()
    assert "1 more" in title
    assert [row[:6] for row in body] == ["[1] th", "Fix   ", "Impact"]


def test_flags_that_do_not_fit_are_counted() -> None:
    assert "Fix     --watermark — → 0.02 · 2 more" in text(ADVISORIES, frames.critical(), View(60, 5))


def test_a_fix_without_a_flag_says_what_to_do_instead() -> None:
    gateway = replace(conclusions.fix(), changes=(), command="")
    assert "Fix     no flag: hold requests back at the gateway" in text(
        ADVISORIES, frames.critical(fix=gateway)
    )


def test_the_zoomed_command_can_be_copied_line_by_line() -> None:
    assert ADVISORIES.detail is not None
    drawn = [text_of(row) for row in ADVISORIES.detail(frames.critical(), WIDE)]
    at = drawn.index("    vllm serve MODEL … \\")
    assert drawn[at + 1 : at + 3] == ["      --watermark 0.02 \\", "      --max-num-seqs 44"]


def test_the_impact_shows_what_is_known_and_says_what_is_estimated() -> None:
    drawn = text(ADVISORIES, frames.critical(), View(140, 20))
    assert "Impact  2 m 50 s over goal · 1.2 k requests delayed · 0 failed" in drawn
    assert "≈ 1.9 M tokens recomputed (estimate)" in drawn
    assert "peak KV" not in drawn
    nothing = Impact(frames.NOW - 10, frames.NOW)
    assert "Impact" not in text(ADVISORIES, frames.critical(impact=nothing))


def test_conclusions_about_an_incident_that_is_over_say_so() -> None:
    over = frames.critical(incident=None)
    assert "of the last incident" in text(DIAGNOSIS, over)
    assert "of the last incident" in text(ADVISORIES, over)


def test_no_advisories_says_none() -> None:
    assert text(ADVISORIES, frames.endpoint()).splitlines()[1] == "none"


def test_incidents_say_how_long_they_lasted() -> None:
    drawn = text(INCIDENTS, frames.critical())
    assert "22:10:10 ▲ open" in drawn
    assert "✔ resolved" in drawn
    assert "14 m 00 s" in drawn
    assert "×2" in text(INCIDENTS, frames.endpoint(incidents=(frames.incident(reopened=1),)))


def test_the_incident_log_names_the_cause_and_not_the_endpoint_again() -> None:
    drawn = text(INCIDENTS, frames.critical())
    assert "KV exhausted by demand · 144 preempted" in drawn
    assert "gpu-01" not in drawn
    assert INCIDENTS.detail is not None
    assert "  20231114T221010Z · worst critical" in "\n".join(
        text_of(row) for row in INCIDENTS.detail(frames.critical(), WIDE)
    )


def test_in_one_line_the_log_shows_the_newest() -> None:
    assert "KV exhausted" in text(INCIDENTS, frames.critical(), View(80, 2))


@pytest.mark.parametrize("cells", [100, 56, 44])
def test_what_recovers_says_so_at_any_width(cells: int) -> None:
    """Its summary gives way: a limit that is no longer crossed must not read as one that is."""
    drawn = text(ANOMALIES, frames.critical(), View(cells, 5)).split("\n")
    (row,) = (row for row in drawn if "kv_saturated" in row)
    assert "(recovering)" in row


def test_a_zoomed_panel_of_anomalies_says_each_of_them_once() -> None:
    zoom = ZoomScreen(ANOMALIES, None)
    zoom.set_reactive(ZoomScreen.frame, frames.frame(frames.critical()))
    rows = [text_of(row) for row in zoom.content(100)]
    assert sum("preemption  " in row and "144 preempted" in row for row in rows) == 1
    assert any("from vllm:num_preemptions_total" in row for row in rows)
