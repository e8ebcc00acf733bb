"""The whole loop with real processes: a simulated deployment, a monitor that acts on it, and what is left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest

from inferguard_tui.simulator.launch import Launched, launched
from tests.e2e.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "nobody-may-read-this-7f3a"
NAME = "throttle_concurrency"
LOOP_S = 120.0


@pytest.fixture
def pressed() -> Iterator[Launched]:
    """An engine in an overload without end, four times as fast as life."""
    with launched("self_repair", seed=1, speed=4.0, secret=SECRET) as urls:
        yield urls


def settings(state: Path, control: str, **changes: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("INFERGUARD_")}
    given = {
        "MODE": "live", "ALLOWLIST": NAME, "ENDPOINT": control, "SECRET": SECRET, "VERIFY_DELAY": "6",
        "QUIET_WINDOW": "12",
    }  # fmt: skip
    variables = {f"INFERGUARD_ACTUATION_{name}": value for name, value in (given | changes).items()}
    return kept | {"INFERGUARD_STATE_DIR": str(state)} | variables


def inferguard(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "inferguard_tui", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=False)


def asked_for(control: str) -> list[dict[str, Any]]:
    with urlopen(control, timeout=5) as reply:
        told: list[dict[str, Any]] = json.load(reply)
        return told


def until_graded(watch: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """The events up to the first grade."""
    events: list[dict[str, Any]] = []
    assert watch.stdout is not None
    ends = time.monotonic() + LOOP_S
    for line in watch.stdout:
        events.append(json.loads(line))
        if events[-1].get("grade") is not None or time.monotonic() > ends:
            break
    return events


def test_incident_dry_run_live_recovery_grade(pressed: Launched, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "inferguard_tui", "watch", pressed[0], "--json", "--interval", "0.5",
        "--yes-live", NAME, "--duration", str(LOOP_S),
    ]  # fmt: skip
    environment = settings(tmp_path, pressed.control)
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as watch:
        events = until_graded(watch)
        watch.send_signal(signal.SIGTERM)
        rest, words = watch.communicate(timeout=30)
    kinds = [e["event"] for e in events]
    told = [e for e in events if e["event"] == "execution" and e["action_type"] == NAME]
    assert kinds.index("incident") < kinds.index("action") < kinds.index("execution")
    assert [(e["mode"], e["outcome"], e["grade"]) for e in told if e["outcome"] != "refused"] == [
        ("dry_run", "dry_run", None), ("live", "sending", None), ("live", "applied", None),
        ("live", "applied", "helped"),
    ]  # fmt: skip
    (one,) = asked_for(pressed.control)
    sent = told[1]["payload"]
    assert (one["key"], one["error"]) == (sent["idempotency_key"], "")
    assert sent["parameters"]["target_concurrency"] < sent["parameters"]["running_now"]
    assert told[0]["payload"]["dry_run"] is True
    assert sent["dry_run"] is False
    before, after = re.search(
        r"late first tokens (\S+) → (\S+): helped", " ".join(told[-1]["verification"])
    ).groups()  # type: ignore[union-attr]
    assert float(before) > 0.5 > float(after)
    assert_nobody_reads_it(tmp_path, json.dumps(events) + rest + words)
    audited = inferguard(environment, "act", "--audit")
    lines = [json.loads(line) for line in audited.stdout.splitlines()]
    assert [r["outcome"] for r in lines if r["mode"] == "live" and r["outcome"] != "refused"] == [
        "sending", "applied", "applied",
    ]  # fmt: skip
    assert lines[-1]["hash"]
    assert "the chain is whole" in audited.stderr
    assert audited.returncode == 0


def test_a_run_that_was_killed_before_the_grade_leaves_it_to_the_next(
    pressed: Launched, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "inferguard_tui", "watch", pressed[0], "--json", "--interval", "0.5"]
    environment = settings(tmp_path, pressed.control, VERIFY_DELAY="2", QUIET_WINDOW="8")
    unattended = [*command, "--yes-live", NAME]
    with subprocess.Popen(
        unattended, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as watch:
        assert watch.stdout is not None
        applied = next(e for e in map(json.loads, watch.stdout) if e.get("outcome") == "applied")
        watch.kill()
    assert applied["grade"] is None
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as later:
        graded = until_graded(later)[-1]
        later.send_signal(signal.SIGTERM)
        later.communicate(timeout=30)
    assert graded["action_id"] == applied["action_id"]
    assert (graded["outcome"], graded["grade"]) == ("applied", "helped")
    assert "the run that sent it ended before it was graded" in graded["verification"][-1]
    assert len(asked_for(pressed.control)) == 1
    kept = json.loads(inferguard(environment, "incidents", "export", applied["incident_id"]).stdout)
    (execution,) = [e for e in kept["executions"] if e["mode"] == "live"]
    assert execution["grade"] == "helped"


def assert_nobody_reads_it(state: Path, said: str) -> None:
    assert SECRET not in said
    for path in state.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
            assert path.stat().st_mode & 0o077 == 0, path


def test_scan_rehearses_by_setting_and_a_rehearsal_is_no_failure(pressed: Launched, tmp_path: Path) -> None:
    time.sleep(12)
    environment = settings(tmp_path, pressed.control, MODE="dry_run")
    told = inferguard(environment, "scan", pressed[0], "--json")
    (execution,) = json.loads(told.stdout)["executions"]
    assert {k: execution[k] for k in ("action_type", "mode", "outcome")} == {
        "action_type": NAME, "mode": "dry_run", "outcome": "dry_run",
    }  # fmt: skip
    parameters = execution["payload"]["parameters"]
    assert parameters["target_concurrency"] < parameters["running_now"]
    words = inferguard(environment, "scan", pressed[0])
    (line,) = (row for row in words.stdout.splitlines() if "dry run" in row)
    assert f"dry run  {NAME}: nothing was sent (target_concurrency " in line
    assert "fail" not in line.lower()
    assert asked_for(pressed.control) == []
    refused = inferguard(environment, "act", "now", NAME, pressed[0], "--live")
    assert refused.returncode == 3
    assert "mode dry_run" in refused.stderr
    assert asked_for(pressed.control) == []


def test_act_stops_at_the_kill_switch_and_has_nothing_to_do_once_it_helped(
    pressed: Launched, tmp_path: Path
) -> None:
    time.sleep(12)
    environment = settings(tmp_path, pressed.control)
    arguments = ("act", "now", NAME, pressed[0], "--yes-live", NAME, "--look", "5", "--no-wait", "--json")
    (tmp_path / "STOP").touch()
    stopped = inferguard(environment, *arguments)
    assert stopped.returncode == 3
    assert "STOP exists" in stopped.stdout
    assert asked_for(pressed.control) == []
    (tmp_path / "STOP").unlink()
    assert inferguard(environment, *arguments).returncode == 0
    again = inferguard(environment, *arguments)
    assert again.returncode == 3
    assert "nothing is wrong" in again.stderr or "refused" in again.stdout
    assert len(asked_for(pressed.control)) == 1


def test_the_wrong_secret_is_declined_and_said(pressed: Launched, tmp_path: Path) -> None:
    time.sleep(12)
    environment = settings(tmp_path, pressed.control, SECRET="another-secret-5511")
    arguments = ("act", "now", NAME, pressed[0], "--yes-live", NAME, "--look", "5", "--no-wait")
    declined = inferguard(environment, *arguments)
    assert declined.returncode == 1
    assert "signature" in declined.stdout
    assert "another-secret-5511" not in declined.stdout + declined.stderr
    assert asked_for(pressed.control) == []


def test_the_receiver_of_the_documentation_works(pressed: Launched, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "acting.md").read_text("utf-8")
    code = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert code is not None
    assert len(code[1].strip().splitlines()) <= 30
    source = code[1].replace('("127.0.0.1", 9100), Receiver).serve_forever()', '("127.0.0.1", 0), Receiver)')
    source = source.rstrip().replace("HTTPServer((", "server = HTTPServer((")
    source += "\nprint(server.server_port, flush=True)\nserver.serve_forever()\n"
    script = tmp_path / "receiver.py"
    script.write_text(source)
    environment = os.environ | {"INFERGUARD_ACTUATION_SECRET": SECRET}
    with subprocess.Popen(
        [sys.executable, "-u", script],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        stderr=subprocess.DEVNULL,
    ) as receiver:
        assert receiver.stdout is not None
        url = f"http://127.0.0.1:{int(receiver.stdout.readline())}/"
        time.sleep(10)
        arguments = ("act", "now", NAME, pressed[0], "--yes-live", NAME, "--look", "5", "--no-wait")
        good = inferguard(settings(tmp_path / "a", url), *arguments)
        bad = inferguard(settings(tmp_path / "b", url, SECRET="wrong"), *arguments)
        receiver.terminate()
    assert (good.returncode, bad.returncode) == (0, 1)
    assert "applied" in good.stdout
    assert "bad signature" in bad.stdout


def test_on_the_screen_a_person_types_the_name(tmp_path: Path) -> None:
    screen = Terminal("demo", "--scenario", "self_repair", INFERGUARD_STATE_DIR=str(tmp_path))
    screen.until(f"[1] {NAME}", 60)
    screen.press("x")
    screen.until("kill switch", 20)
    screen.press("\r")
    screen.until(f"Type {NAME}", 20)
    screen.press("yes")
    screen.press("\r")
    screen.until(lambda text: f"Type {NAME}" not in text, 20)
    audit = tmp_path / "simulated" / "audit.jsonl"
    assert "sending" not in audit.read_text()
    screen.press("\r")
    screen.until(f"Type {NAME}", 20)
    screen.press(NAME)
    screen.press("\r")
    screen.until("applied", 20)
    assert '"outcome":"applied"' in audit.read_text()
    screen.press("\x1b")
    screen.until(lambda text: "Guards" not in text, 20)
    screen.press("q")
    screen.ended()
