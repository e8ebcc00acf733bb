"""Past incidents on the command line: real processes on a store that a real `watch` or a test has filled."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from inferguard_core.frame import IncidentState
from inferguard_core.memory.case import Case
from inferguard_core.memory.codec import decode
from inferguard_core.memory.sqlite import SqliteMemory
from inferguard_tui.cli.incidents import words
from tests.core.memory_cases import KV, STALL, T0, case, stored

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    asyncio.run(
        stored(SqliteMemory(tmp_path / "inferguard" / "state.db"), case("kv"), case("hang", T0 + 1e4, STALL))
    )
    return tmp_path


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "inferguard_tui", *arguments],
        capture_output=True, text=True, timeout=60, check=False,
        env=os.environ | {"XDG_STATE_HOME": str(home), "LOGNAME": "kim"},
    )  # fmt: skip


def answer(home: Path, *arguments: str) -> Any:
    done = run(home, *arguments, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_an_empty_memory_says_so_and_makes_no_file(tmp_path: Path) -> None:
    for arguments in (("incidents",), ("recall", "KV pressure")):
        done = run(tmp_path, *arguments)
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr == f"inferguard: no incident is remembered in {tmp_path}/inferguard/state.db\n"
        assert answer_of_empty(tmp_path, *arguments) == []
    assert not list(tmp_path.rglob("state.db"))


@pytest.mark.parametrize("arguments", [("incidents",), ("recall", "KV pressure")])
def test_a_memory_that_cannot_be_read_is_unknown_and_not_empty(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    path = tmp_path / "inferguard" / "state.db"
    path.parent.mkdir()
    path.write_text("this is no database, whatever its name")
    done = run(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (3, "")
    assert f"{path} is damaged" in done.stderr
    assert "no incident is remembered" not in done.stderr


def answer_of_empty(home: Path, *arguments: str) -> Any:
    return json.loads(run(home, *arguments, "--json").stdout)


def test_incidents_are_listed_newest_first(home: Path) -> None:
    listed = answer(home, "incidents")
    assert [one["incident_id"] for one in listed] == ["gpu-07:8000/hang", "gpu-07:8000/kv"]
    assert [one["cause"] for one in listed] == ["engine_stalled", "kv_exhausted"]
    assert answer(home, "incidents", "list", "--limit", "1") == listed[:1]
    assert "gpu-07:8000/kv  critical  1 min 5 s" in run(home, "incidents").stdout


def test_an_open_incident_is_said_to_be_open_once() -> None:
    known = case("kv")
    going_on = replace(known.incident, state=IncidentState.OPEN, ended_unix=None)
    assert words(replace(known, incident=going_on))[0] == "gpu-07:8000/kv  open, critical at worst"
    assert words(known)[0] == "gpu-07:8000/kv  resolved, critical at worst, 1 min 5 s"


def test_an_incident_is_exported_whole_and_never_over_a_file(home: Path) -> None:
    out = home / "one.json"
    assert run(home, "incidents", "export", "kv", "-o", str(out)).returncode == 0
    written = json.loads(out.read_text())
    assert written.pop("schema") == "inferguard.incident/1"
    assert decode(Case, written) == case("kv")
    again = run(home, "incidents", "export", "kv", "-o", str(out))
    assert (again.returncode, again.stderr) == (3, f"inferguard: {out}: File exists\n")


def test_a_note_and_a_judgement_stay_with_the_incident(home: Path) -> None:
    assert run(home, "incidents", "note", "kv", "rolled\x1b[31m back").returncode == 0
    done = run(home, "incidents", "resolve", "kv", "fewer at once", "--applied", "--max-num-seqs 64", "--grade", "helped")  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    shown = run(home, "incidents", "show", "kv").stdout
    assert "kim: rolled[31m back" in shown
    assert "done      --max-num-seqs 64 (said by kim)" in shown
    assert "helped    helped (kim)" in shown
    (found,) = answer(home, "recall", "kv_exhausted")
    assert (found["done"], found["grade"]) == ("--max-num-seqs 64 (said by kim)", "helped")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("incidents", "show", "none"), "incident none: none is remembered; see: inferguard incidents"),
        (
            ("incidents", "show", "gpu-07"),
            "incident gpu-07: 2 are called so (gpu-07:8000/hang, gpu-07:8000/kv)",
        ),
        (("incidents", "note", "kv", " "), "an empty note is not kept"),
        (
            ("incidents", "resolve", "kv", "--grade", "helped"),
            "--grade judges what was done: say what with --applied",
        ),
        (("recall",), 'say what to look for: inferguard recall "KV pressure on GPT-OSS", or --like ID'),
    ],
)
def test_a_mistake_is_one_line_and_exit_3(home: Path, arguments: tuple[str, ...], said: str) -> None:
    done = run(home, *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (3, "", f"inferguard: {said}\n")


def test_recall_finds_by_words_by_shape_and_by_nothing_an_operator_means(home: Path) -> None:
    assert [one["cause"] for one in answer(home, "recall", "engine hung")] == ["engine_stalled"]
    (like,) = answer(home, "recall", "--like", "kv")
    assert like["incident_id"] == "gpu-07:8000/hang"
    assert KV.cause not in like["why"]
    for odd in ('"', "a AND NOT", "col:x*", "C++ (", "'; DROP TABLE cases; --", "NEAR/2", "-kv", "ﬁ ☃"):
        done = run(home, "recall", "--", odd) if odd.startswith("-") else run(home, "recall", odd)
        assert done.returncode == 0, done.stderr
    assert len(answer(home, "incidents")) == 2
