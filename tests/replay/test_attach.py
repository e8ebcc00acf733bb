"""What counts as before a remedy and what as after, and where runs are kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from inferguard_core.followup import Execution, Outcome
from inferguard_core.frame import Incident, IncidentState, Severity
from inferguard_core.memory.case import Applied, Case, Known
from inferguard_core.replay.attach import Phase, before, keep, phase_of
from inferguard_core.replay.report import SCHEMA
from inferguard_core.verdict import ActionType

if TYPE_CHECKING:
    from pathlib import Path

NAME = "gpu-07:8000/20261126T031000Z"
INCIDENT = Incident(
    NAME, "http://gpu-07:8000", IncidentState.OPEN, Severity.CRITICAL, Severity.CRITICAL, 100.0, 110.0, None, (), 0, "full"
)  # fmt: skip


def executed(mode: str, outcome: Outcome, at: float) -> Execution:
    return Execution(
        "e", "a", ActionType.THROTTLE_CONCURRENCY, NAME, "http://gpu-07:8000", mode, outcome, at, "me"
    )


@pytest.mark.parametrize(
    ("case", "phase"),
    [
        (Case(INCIDENT, 0.0), Phase.BEFORE),
        (Case(INCIDENT, 0.0, executions=(executed("dry_run", Outcome.DRY_RUN, 150.0),)), Phase.BEFORE),
        (Case(INCIDENT, 0.0, executions=(executed("live", Outcome.UNKNOWN, 150.0),)), Phase.BEFORE),
        (Case(INCIDENT, 0.0, executions=(executed("live", Outcome.REFUSED, 150.0),)), Phase.BEFORE),
        (Case(INCIDENT, 0.0, executions=(executed("live", Outcome.APPLIED, 250.0),)), Phase.BEFORE),
        (Case(INCIDENT, 0.0, executions=(executed("live", Outcome.APPLIED, 150.0),)), Phase.AFTER),
        (Case(INCIDENT, 0.0, applied=(Applied("--x 1", Known.SAID, "me", 150.0),)), Phase.AFTER),
        (Case(INCIDENT, 0.0, applied=(Applied("--x 1", Known.SAID, "me", 250.0),)), Phase.BEFORE),
    ],
    ids=["nothing", "rehearsed", "unknown", "refused", "later", "applied", "said", "said later"],
)
def test_a_run_is_after_only_when_something_was_done_before_it(case: Case, phase: Phase) -> None:
    assert phase_of(case, began_unix=200.0) is phase


def ran(began: float, fingerprint: str = "f") -> dict[str, Any]:
    return {"schema": SCHEMA, "began_unix": began, "load": {"fingerprint": fingerprint}, "turns": []}


def test_the_newest_run_before_of_the_same_load_is_the_baseline(tmp_path: Path) -> None:
    assert before(tmp_path, NAME, "f") is None
    for run, phase in (
        (ran(1000.0), Phase.BEFORE),
        (ran(2000.0), Phase.BEFORE),
        (ran(3000.0, "g"), Phase.BEFORE),
        (ran(4000.0), Phase.AFTER),
    ):
        keep(tmp_path, NAME, phase, run)
    found = before(tmp_path, NAME, "f")
    assert found is not None
    assert found.name == "2000-before.json"
    assert before(tmp_path, "another", "f") is None


def test_runs_are_their_owners_and_stay_below_the_state_directory(tmp_path: Path) -> None:
    path = keep(tmp_path, "../../etc/x", Phase.BEFORE, ran(1.0))
    assert path.resolve().is_relative_to(tmp_path / "validations")
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "validations").stat().st_mode & 0o777 == 0o700
    assert json.loads(path.read_text())["incident_id"] == "../../etc/x"


def test_where_nothing_can_be_written_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "validations").touch()
    assert "not kept" in str(keep(tmp_path, NAME, Phase.BEFORE, ran(1.0)))
