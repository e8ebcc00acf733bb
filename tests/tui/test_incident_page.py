"""The incident screen says why with numbers, for and against; what was done and by whom; and what would not help."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inferguard_core.followup import Grade, Outcome
from inferguard_core.frame import IncidentEntry
from inferguard_core.verdict import Evidence, WrongLever
from inferguard_tui.incident.followup import execution_rows, similar_rows
from inferguard_tui.incident.page import Subject, columns_of, incident_head
from inferguard_tui.incident.reasons import diff_lines, fix_diff_rows, wrong_lever_rows
from inferguard_tui.incident.told import holding_words, timeline, timeline_rows
from inferguard_tui.line import text_of, width
from tests.tui import conclusions, followups, frames
from tests.tui.figures import NOW

HANDLED = followups.handled()
assert HANDLED.incident is not None
SUBJECT = Subject(HANDLED.incident, HANDLED, NOW)


def words(rows: object) -> str:
    return "\n".join(text_of(row).rstrip() for row in rows)  # type: ignore[attr-defined]


def page(subject: Subject, *widths: int) -> str:
    return "\n".join(words(column) for column in columns_of(subject, widths or (100,)))


@pytest.mark.parametrize("widths", [(79,), (99,), (66, 48), (115, 82)])
def test_nothing_is_wider_than_its_column(widths: tuple[int, ...]) -> None:
    for column, cells in zip(columns_of(SUBJECT, widths), widths, strict=True):
        assert max(width(row) for row in column) <= cells
    assert all(width(row) <= sum(widths) for row in incident_head(SUBJECT, "2 of 2", sum(widths)))


@pytest.mark.parametrize("cells", [80, 100, 120, 200])
def test_the_head_is_two_lines_that_name_state_age_and_who_is_on_it(cells: int) -> None:
    state, told = map(text_of, incident_head(SUBJECT, "2 of 2", cells))
    assert state.startswith(" ▲ open  3 m 12 s · worst critical  ● kim is on it")
    assert "2 of 2" in state
    assert told.startswith(" KV exhausted by demand (0.86) — preemption: 144 preempted in 60 s")


def test_reasons_for_and_against_stand_with_their_numbers_and_exposed_names() -> None:
    told = page(SUBJECT)
    assert "✔ for      KV ≥ 0.9 held for 30 s (0.98)" in told
    assert "kv_usage 97.9% · limit 90.0% · 30 s · from vllm:kv_cache_usage_perc" in told
    assert "× against  few running (12)" in told
    assert "× not so   KV tokens per running request near what they were before" in told
    assert "? unknown  swapping" in told
    assert "KV held by long contexts" in told


def test_the_wrong_lever_comes_with_the_number_that_says_so() -> None:
    lever = WrongLever("more sequences", "58 of 256 run", (Evidence("running", 58.0, "requests", 256.0),))
    told = words(wrong_lever_rows(lever, 100))
    assert "more sequences: 58 of 256 run" in told
    assert "running 58 · limit 256" in told


def test_the_fix_is_a_difference_from_the_running_value() -> None:
    told = words(fix_diff_rows(conclusions.fix(), 100))
    assert " - --max-num-seqs 256\n + --max-num-seqs 44\n" in told
    assert " - --watermark (your current value)\n + --watermark 0.02 (since 0.24.0)\n" in told
    assert "cost    a restart" in told
    assert diff_lines(conclusions.fix().changes[2]) == (
        "- --enable-chunked-prefill off",
        "+ --enable-chunked-prefill",
    )


def test_what_people_and_the_tool_did_stands_in_its_place_in_time_and_is_marked() -> None:
    rows = timeline_rows(timeline(SUBJECT.incident, HANDLED.executions), SUBJECT.incident.onset_unix, 120)
    lines = [text_of(row) for row in rows]
    times = [entry[1:9] for entry in lines]
    assert times == sorted(times)
    assert any("+22 s ● kim is on it" in entry for entry in lines)
    assert any("+42 s ▸ throttle_concurrency by kim: applied" in entry for entry in lines)
    assert any("▸ throttle_concurrency verified: helped" in entry for entry in lines)
    assert any("+2 s   opened" in entry for entry in lines)


def test_a_deed_that_the_timeline_already_tells_is_not_told_twice() -> None:
    once = timeline(SUBJECT.incident, HANDLED.executions)
    told = replace(SUBJECT.incident, timeline=once)
    assert timeline(told, HANDLED.executions) == once


def test_deeds_of_another_incident_are_left_out() -> None:
    other = followups.execution(incident_id="gpu-01:8000/other")
    assert timeline(SUBJECT.incident, (other,)) == SUBJECT.incident.timeline


@pytest.mark.parametrize(
    ("outcome", "words_of_it"),
    [
        (Outcome.DRY_RUN, "dry run, nothing sent"),
        (Outcome.REFUSED, "refused: cooldown, 41 s left"),
        (Outcome.UNKNOWN, "no clear answer; it may have been applied"),
    ],
)
def test_what_became_of_an_attempt_is_said_plainly(outcome: Outcome, words_of_it: str) -> None:
    detail = "cooldown, 41 s left" if outcome is Outcome.REFUSED else ""
    done = followups.execution(outcome=outcome, detail=detail, grade=None, verification=())
    assert words_of_it in words(execution_rows((done,), 100))


@pytest.mark.parametrize(
    ("grade", "said"),
    [
        (Grade.HELPED, "helped"),
        (Grade.WORSE, "worse"),
        (Grade.UNKNOWN, "not known"),
        (Grade.NO_CHANGE, "no change"),
    ],
)
def test_a_grade_is_a_word(grade: Grade, said: str) -> None:
    assert f"throttle_concurrency live  · {said}" in words(
        execution_rows((followups.execution(grade=grade),), 100)
    )


def test_similar_incidents_say_what_matched_what_was_done_and_whether_it_helped() -> None:
    told = words(similar_rows(followups.similar(), NOW, 100))
    assert "0.82  KV exhausted by demand" in told
    assert "alike: KV +0.9% a minute, then +1.1%" in told
    assert "done: throttle_concurrency 62 → 48" in told
    assert "grade: helped" in told
    assert "nothing is known to have been done" in told


def test_a_past_incident_is_not_given_the_conclusions_of_the_open_one() -> None:
    told = page(Subject(frames.RESOLVED, HANDLED, NOW))
    assert "what was concluded is not kept here" in told
    assert "--max-num-seqs" not in told
    assert "KV exhausted" not in told
    assert "throttle_concurrency" not in told


def test_the_worst_values_of_the_episode_are_told() -> None:
    told = page(SUBJECT)
    assert "kv usage                   98.9%" in told
    assert "prefix hit rate (lowest)   22.0%" in told


def test_who_is_on_it_and_a_snooze_that_is_over_is_no_longer_told() -> None:
    held = frames.incident(acknowledged_by="kim", snoozed_until_unix=NOW + 60)
    assert holding_words(held, NOW) == "kim is on it · snoozed until 22:14:20"
    assert holding_words(held, NOW + 61) == "kim is on it"
    assert holding_words(frames.incident(), NOW) == ""


def test_text_from_elsewhere_drives_no_terminal() -> None:
    odd = frames.incident(timeline=(IncidentEntry(NOW, "kim: \x1b[2J[red]x\u202e", "kim"),))
    told = page(Subject(odd, HANDLED, NOW))
    assert "kim: [2J[red]x" in told
    assert "\x1b" not in told
