"""The headless commands as a person or a script runs them: real processes, real simulated engines, real files."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from inferguard_tui.simulator.launch import launched

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RECORDINGS = Path(__file__).parents[1] / "fixtures" / "recordings"
INFERGUARD = [sys.executable, "-m", "inferguard_tui"]
ASKING_ONE = """
import sys
from inferguard_core.sources import discovery
seen, only = discovery.listening_ports, int(sys.argv.pop(1))
discovery.listening_ports = lambda net: [each for each in seen(net) or () if each.port == only]
from inferguard_tui.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""The program on a host where nothing else listens: other tests count what their servers are asked."""


def run(
    *arguments: str | Path, cwd: Path | None = None, program: Sequence[str] = INFERGUARD, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*program, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=cwd,
        env={**os.environ, **variables},
    )


def events(stdout: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in stdout.splitlines()]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@pytest.fixture(scope="module")
def healthy() -> Iterator[str]:
    with launched("healthy", "vllm", 1, 1) as urls:
        yield urls[0]


@pytest.fixture
def pressed() -> Iterator[str]:
    """In an overload from the first instant. For one test only: half a minute later it has recovered."""
    with launched("recovery", "vllm", 1, 1) as urls:
        yield urls[0]


class TestScan:
    def test_a_healthy_engine_is_exit_0(self, healthy: str) -> None:
        done = run("scan", healthy)
        assert (done.returncode, done.stderr) == (0, "")
        assert "nothing wrong" in done.stdout

    def test_json_has_the_documented_shape(self, healthy: str) -> None:
        found = json.loads(run("scan", healthy, "--json").stdout)
        assert found["schema"] == "inferguard.scan/1"
        assert found["endpoint"] == healthy
        assert found["engine"] == "vllm"
        assert found["status"] in ("ok", "notice")
        assert found["sampled"]["polls"] == 4
        assert found["sampled"]["seconds"] >= 5
        assert found["signals"]["kv_usage"]["unit"] == "ratio"
        assert 0 <= found["signals"]["kv_usage"]["value"] <= 1
        assert found["signals"]["generation_rate"]["window_s"] >= 5
        assert found["signals"]["swapped"] is None
        for empty in ("diagnosis", "fix", "error"):
            assert found[empty] is None
        assert found["actions"] == []

    def test_simulated_numbers_say_so(self, healthy: str) -> None:
        assert json.loads(run("scan", healthy, "--json").stdout)["proof_level"] == "simulated"

    def test_an_engine_in_trouble_is_critical_even_at_first_sight(self, pressed: str) -> None:
        done = run("scan", pressed, "--json")
        assert done.returncode == 2
        found = json.loads(done.stdout)
        assert "queue_growth" in {a["kind"] for a in found["anomalies"]}
        assert found["diagnosis"]["cause"] in ("kv_exhausted", "long_contexts")
        throttle = next(a for a in found["actions"] if a["action_type"] == "throttle_concurrency")
        assert throttle["advisory_only"] is True
        assert throttle["parameters"]["target_concurrency"] < throttle["parameters"]["running_now"]
        assert "--max-num-seqs" in found["fix"]["command"]

    def test_several_endpoints_are_an_array_in_the_order_given(self, healthy: str) -> None:
        dead = f"127.0.0.1:{free_port()}"
        done = run("scan", dead, healthy, "--json")
        first, second = json.loads(done.stdout)
        assert done.returncode == 3
        assert first["status"] == "unknown"
        assert first["error"]["kind"] == "Refused"
        assert second["endpoint"] == healthy

    def test_a_model_that_is_not_served_is_named(self, healthy: str) -> None:
        done = run("scan", healthy, "--model", "openai/gpt-oss-120b")
        assert done.returncode == 3
        assert "does not serve openai/gpt-oss-120b" in done.stderr

    def test_without_an_address_this_host_is_searched(self, healthy: str) -> None:
        asking = [sys.executable, "-c", ASKING_ONE, healthy.rpartition(":")[2]]
        done = run("scan", "--json", program=asking)
        assert f"found vllm at {healthy}" in done.stderr
        assert json.loads(done.stdout)["endpoint"] == healthy


class TestWatch:
    def test_it_prints_what_changes_and_ends_with_the_worst(self, pressed: str) -> None:
        done = run("watch", pressed, "--interval", "1", "--duration", "9", "--json")
        lines = events(done.stdout)
        assert done.returncode == 2
        assert {"anomaly", "incident", "diagnosis", "action", "end"} == {e["event"] for e in lines}
        assert lines[-1]["worst"] == "critical"
        opened = [e for e in lines if e["event"] == "incident" and e["state"] == "open"]
        assert len({e["incident_id"] for e in opened}) == 1

    def test_a_quiet_watch_is_silent_on_stdout(self, healthy: str) -> None:
        done = run("watch", healthy, "--interval", "1", "--duration", "3")
        assert (done.returncode, done.stdout) == (0, "")
        assert "every 1 s" in done.stderr

    def test_an_endpoint_that_never_answers_is_unknown(self) -> None:
        done = run("watch", f"127.0.0.1:{free_port()}", "--interval", "0.5", "--duration", "1")
        assert done.returncode == 3
        assert "refused" in done.stderr.lower()

    @pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
    def test_it_ends_when_told(self, healthy: str, how: signal.Signals, code: int) -> None:
        child = subprocess.Popen(
            [*INFERGUARD, "watch", healthy, "--interval", "1"], stderr=subprocess.PIPE, text=True
        )
        assert child.stderr is not None
        assert "watching 1 endpoint every" in child.stderr.readline()
        time.sleep(0.5)
        child.send_signal(how)
        assert child.wait(10) == code
        assert "Traceback" not in child.stderr.read()
        child.stderr.close()


class TestRecordAndReplay:
    def test_what_was_recorded_replays(self, pressed: str, tmp_path: Path) -> None:
        file = tmp_path / "night.jsonl.gz"
        recorded = run(
            "record", pressed, "-o", file, "--interval", "1", "--duration", "8", "--note", "a test"
        )
        assert recorded.returncode == 0
        done = run("replay", file, "--json", "--check")
        lines = events(done.stdout)
        assert done.returncode == 2
        assert any(e.get("kind") == "queue_growth" for e in lines)
        assert lines[-1]["event"] == "end"
        assert int(str(lines[-1]["polls"])) >= 7

    def test_an_existing_file_is_not_overwritten_unasked(self, healthy: str, tmp_path: Path) -> None:
        file = tmp_path / "kept.jsonl.gz"
        file.write_bytes(b"precious")
        done = run("record", healthy, "-o", file, "--duration", "1")
        assert done.returncode == 3
        assert "exists" in done.stderr
        assert file.read_bytes() == b"precious"
        assert run("record", healthy, "-o", file, "--duration", "1", "--force").returncode == 0

    def test_replay_without_check_is_exit_0(self) -> None:
        assert run("replay", RECORDINGS / "vllm-0.32-crash.jsonl.gz", "--json").returncode == 0

    @pytest.mark.parametrize(
        ("name", "code"), [("vllm-0.32-healthy", 0), ("vllm-0.32-kv_pressure", 2), ("vllm-0.32-crash", 2)]
    )
    def test_check_exits_by_the_worst(self, name: str, code: int) -> None:
        assert run("replay", RECORDINGS / f"{name}.jsonl.gz", "--json", "--check").returncode == code

    def test_a_cut_off_file_replays_to_the_cut_with_a_warning(self, tmp_path: Path) -> None:
        whole = (RECORDINGS / "vllm-0.32-kv_pressure.jsonl.gz").read_bytes()
        cut = tmp_path / "cut.jsonl.gz"
        cut.write_bytes(whole[: len(whole) // 2])
        done = run("replay", cut, "--json")
        assert done.returncode == 0
        assert str(cut) in done.stderr
        assert int(str(events(done.stdout)[-1]["polls"])) > 5

    def test_a_reader_that_goes_away_ends_it_quietly(self) -> None:
        child = subprocess.Popen(
            [*INFERGUARD, "replay", RECORDINGS / "vllm-0.32-kv_pressure.jsonl.gz", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == b""
        child.stderr.close()
        child.wait(20)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("scan", "gpu-07:99999"), "99999"),
        (("scan", "gpu-07"), "gpu-07"),
        (("scan", "ftp://gpu-07:8000"), "ftp"),
        (("scan", "127.0.0.1:1", "--samples", "1"), "--samples 1"),
        (("watch", "127.0.0.1:1", "--duration", "0"), "--duration 0"),
        (("watch", "127.0.0.1:1", "--interval", "0"), "interval"),
        (("watch", "127.0.0.1:1", "--interval", "99999"), "99999"),
        (("record", "127.0.0.1:1", "-o", "/nowhere/x.jsonl.gz"), "/nowhere/x.jsonl.gz"),
        (("replay", "/nowhere/x.jsonl.gz", "--json"), "/nowhere/x.jsonl.gz"),
        (("replay", "/nowhere/x.jsonl.gz"), "/nowhere/x.jsonl.gz"),
        (("scan", "127.0.0.1:1", "--ca", "/nowhere/ca.pem"), "/nowhere/ca.pem"),
        (("scan", "127.0.0.1:1", "--config", "/nowhere/c.toml"), "/nowhere/c.toml"),
        (("demo", "--scenario", "apocalypse"), "apocalypse"),
        (("demo", "--endpoints", "0"), "--endpoints 0"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, tuple) else "",
)
def test_a_mistake_is_one_line_that_names_it_and_exit_3(
    arguments: tuple[str, ...], named: str, tmp_path: Path
) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 3
    assert named in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"POLL_INTERVAL_SECONDS": "soon"}, "POLL_INTERVAL_SECONDS"),
        ({"KV_ALERT_THRESHOLD": "85"}, "KV_ALERT_THRESHOLD"),
        ({"TARGET_ENDPOINT": "http://user:secret@[::1"}, "[::1"),
    ],
    ids=str,
)
def test_a_setting_out_of_range_names_itself_and_keeps_secrets(
    variables: dict[str, str], named: str, tmp_path: Path
) -> None:
    done = run("scan", cwd=tmp_path, **variables)
    assert done.returncode == 3
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


def test_wrong_usage_is_exit_3_as_other_input_that_cannot_be_used(tmp_path: Path) -> None:
    for arguments in (("scan", "--nonsense"), ("record", "127.0.0.1:1")):
        done = run(*arguments, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (3, "")
        assert len(done.stderr.splitlines()) == 1


def test_help_and_version() -> None:
    assert run("--version").stdout.startswith("inferguard ")
    overview = run("--help").stdout
    for command in ("scan", "watch", "record", "replay", "demo", "tui"):
        assert command in overview
        assert run(command, "--help").returncode == 0


def test_a_bare_word_that_is_no_command_says_so(tmp_path: Path) -> None:
    done = run("scna", cwd=tmp_path)
    assert done.returncode == 3
    assert "scan" in done.stderr


def test_an_unwritable_state_directory_is_said_and_changes_nothing(healthy: str, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    done = run(
        "watch", healthy, "--interval", "1", "--duration", "2", INFERGUARD_STATE_DIR=str(blocked / "state")
    )
    assert done.returncode == 0
    assert str(blocked) in done.stderr
    assert "nothing is kept" in done.stderr
