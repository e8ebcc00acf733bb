"""Runs of the evaluation: repeatable, split cleanly, readable."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from evaluate import recordings
from evaluate.__main__ import main
from evaluate.cases import HEALTHY, HELD_OUT, PLANS, TUNING, Case, cases
from evaluate.report import as_json, lines
from evaluate.run import run_case, watched
from inferguard_tui.simulator.dialect import Dialect

RESTARTED = Case("engine_restarted", Dialect.VLLM_V1, 4, 0.5, TUNING, 240.0)


async def test_a_case_gives_the_same_events_and_labels_every_time() -> None:
    assert await watched(RESTARTED) == await watched(RESTARTED)


async def test_each_interval_tells_of_its_own_polls_only() -> None:
    _, told = await watched(RESTARTED)
    assert told.keys() == {1, 2, 5}
    for every, events in told.items():
        assert events
        assert all(event["t"] % every == 0 for event in events)


def test_a_crash_is_found_at_every_interval() -> None:
    outcomes = run_case(RESTARTED)
    assert [outcome.interval_s for outcome in outcomes] == [1, 2, 5]
    for outcome in outcomes:
        (episode,) = outcome.score.episodes
        assert episode.found
        # The server is back within five seconds, and the next poll is at most one interval later.
        assert episode.delay_s is not None
        assert episode.delay_s <= 5.0 + outcome.interval_s


def test_no_seed_is_both_for_tuning_and_held_out() -> None:
    assert not {seed for seed, _ in PLANS[TUNING]} & {seed for seed, _ in PLANS[HELD_OUT]}
    planned = cases()
    assert not {c.seed for c in planned if c.split == TUNING} & {
        c.seed for c in planned if c.split == HELD_OUT
    }


def test_the_full_plan_has_ten_healthy_hours() -> None:
    assert sum(case.seconds for case in cases() if case.scenario in HEALTHY) >= 10 * 3600


def test_the_quick_plan_sees_every_scenario_once() -> None:
    quick = cases(quick=True)
    assert {case.scenario for case in quick} == {case.scenario for case in cases()}
    assert len(quick) == len({case.scenario for case in quick})


def test_a_report_fits_a_hundred_columns() -> None:
    assert max(len(line) for line in lines(run_case(RESTARTED), 1.0)) <= 100


def test_the_json_says_what_the_report_says() -> None:
    told = as_json(run_case(RESTARTED))
    total = told["splits"][TUNING]["total"]
    assert (total["runs"], total["episodes"], total["recall"]) == (3, 3, 1.0)
    assert told["splits"][TUNING]["rows"].keys() == {"engine_restarted"}


def test_an_unknown_scenario_is_refused_and_the_known_ones_are_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--scenario", "nonsense"])
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert "unknown scenario 'nonsense'" in said
    assert "prefix_thrash" in said


def test_a_recording_is_scored_by_the_labels_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Path(__file__).parents[1] / "fixtures" / "recordings" / "vllm-0.32-crash.jsonl.gz"
    (tmp_path / "a.jsonl.gz").write_bytes(source.read_bytes())
    with gzip.open(source, "rt", encoding="utf-8") as text:
        polls = [json.loads(line) for line in text][1:]
    down = next(poll["t"] for poll in polls if not poll["body"])
    label = {"onset": down, "end": polls[-1]["t"], "kinds": [["endpoint_down"]], "cause": ["engine_down"]}
    (tmp_path / "a.labels.json").write_text(json.dumps({"episodes": [label]}))
    (tmp_path / "unlabelled.jsonl.gz").write_bytes(source.read_bytes())
    monkeypatch.setattr(recordings, "PLACES", (tmp_path / "absent", tmp_path))
    (outcome,) = recordings.scored(recordings.labelled())
    assert outcome.group == "a"
    assert outcome.score.episodes[0].groups_found == 1
