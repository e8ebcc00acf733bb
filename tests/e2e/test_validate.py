"""Real load from a real process on a simulated engine, and the refusals before it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from inferguard_core.detect.limits import Limits
from inferguard_core.replay.client import Api
from inferguard_core.replay.contrast import Verdict
from inferguard_core.replay.export import Export, read_export
from inferguard_core.replay.plan import Choice, Plan, make_plan
from inferguard_core.replay.report import Baseline, Result, compared, read_baseline, to_json
from inferguard_core.sources.access import Access
from inferguard_core.sources.address import Address, parse_address
from inferguard_core.sources.bad_input import BadInput
from inferguard_tui.simulator.faults import Throttle
from inferguard_tui.simulator.launch import launched
from inferguard_tui.validate import Order, Told, validate
from tests.e2e import hostile
from tests.e2e.terminal import Terminal
from tests.e2e.test_commands import INFERGUARD, free_port, run
from tests.replay.exports import cell, event, export, written
from tests.simulator.test_server import IDLE, MODEL, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(__file__).parents[1] / "fixtures" / "isb1"
STACK = ("--runtime-stack-id", "standalone:vllm")


@pytest.fixture(scope="module")
def healthy() -> Iterator[str]:
    with launched("healthy", "vllm", 1, 1) as urls:
        yield urls[0]


@pytest.fixture
def sessions(tmp_path: Path) -> Path:
    """Eight sessions of two turns."""
    turns = [event(0, 0, "a" * 400, 64), event(1, 200, "a" * 400 + "b" * 400, 64)]
    return written(tmp_path, export(*(cell(f"t{n}", turns) for n in range(8))))


async def under_load(url: str, sessions: Path, *, force: bool = False) -> Result | BadInput:
    """The sessions at `url`, sent from this process."""
    read = read_export(sessions)
    assert isinstance(read, Export)
    plan = make_plan(read, Choice())
    address = parse_address(url)
    assert isinstance(plan, Plan)
    assert isinstance(address, Address)
    order = Order(plan, sessions.name, 4, (50.0, 99.0), force=force)
    told = Told(lambda _words: None, lambda _run: None, lambda _outcome: None)
    return await validate(address, Access(), Limits(), order, told)


async def test_an_idle_engine_counts_exactly_what_was_sent(sessions: Path) -> None:
    async with serving() as (url, client, _):
        result = await under_load(url, sessions)
        page = await (await client.get(f"{url}/metrics")).text()
    assert isinstance(result, Result)
    assert f'vllm:generation_tokens_total{{engine="0",model_name="{MODEL}"}} 1024.0' in page
    assert 'http_requests_total{handler="/v1/chat/completions",method="POST",status="2xx"} 16.0' in page
    found = to_json(result)
    assert found["counts"] == {"sent": 16, "answered": 16, "failed": 0, "interrupted": 0, "not_sent": 0}
    prompt = f'vllm:prompt_tokens_total{{engine="0",model_name="{MODEL}"}} {float(found["tokens"]["prompt"])}'
    assert prompt in page
    assert (found["tokens"]["output"], found["tokens"]["counted"]) == (1024, "server")
    assert found["tokens"]["cached"] > 0
    assert found["proof_level"] == "simulated"
    assert (found["latency"]["ttft"]["n"], found["latency"]["ttft"]["p99"]) == (16, None)
    assert 0 < found["latency"]["ttft"]["p50"] < found["latency"]["e2e"]["p50"]
    assert 0 < found["engine_while_loaded"]["peaks"]["kv_usage"] <= 1


async def test_an_engine_that_shows_nothing_is_looked_at_and_gets_no_load(sessions: Path) -> None:
    asked: list[str] = []
    async with hostile.listening(hostile.by_path({}, asked)) as at:
        refused = await under_load(f"http://{at}", sessions)
    assert isinstance(refused, BadInput)
    assert "its state is not known" in refused.message
    assert "/metrics" in asked
    assert not [path for path in asked if path.startswith(tuple(api.path for api in Api))]


def test_a_screen_of_words_and_the_warnings_apart(healthy: str) -> None:
    done = run("validate", healthy, EXAMPLES / "trace_replay.json", *STACK, "--api", "completions")
    assert done.returncode == 0, done.stderr
    assert "2 of 2 turns" in done.stdout
    assert "64 output (counted by the server)" in done.stdout
    assert "p95 needs 20" in done.stdout or "p90 needs 10" in done.stdout
    assert "4096 tokens, not counted as sent" in done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 120


def test_the_same_engine_again_is_compared_and_another_load_is_not(
    healthy: str, sessions: Path, tmp_path: Path
) -> None:
    base = tmp_path / "base.json"
    base.write_text(run("validate", healthy, sessions, "--json").stdout, "utf-8")
    again = run("validate", healthy, sessions, "--json", "--compare", base)
    comparison = json.loads(again.stdout)["comparison"]
    assert comparison["sessions"] == 8
    assert {number["what"] for number in comparison["numbers"]} >= {"ttft_p50", "failed_share"}
    other = run("validate", healthy, sessions, "--compare", base, "--max-concurrency", "1")
    assert other.returncode == 0
    assert "inconclusive: base.json is of another load" in other.stdout


def test_an_engine_in_trouble_gets_no_load_unless_forced(sessions: Path) -> None:
    with launched("recovery", "vllm", 1, 1) as urls:
        (url,) = urls
        done = run("validate", url, sessions)
        assert (done.returncode, done.stdout) == (3, "")
        assert "nothing is sent: it is in trouble" in done.stderr
        assert "--force" in done.stderr
        patience = {"INFERGUARD_REPLAY_ANSWER_DEADLINE_SECONDS": "2"}
        forced = run("validate", url, sessions, "--force", "--json", "--max-sessions", "1", **patience)
        assert json.loads(forced.stdout)["counts"]["sent"] == 2
        assert any("load was forced" in w for w in json.loads(forced.stdout)["warnings"])


def test_ctrl_c_gives_what_is_there(healthy: str, tmp_path: Path) -> None:
    turns = [event(n, n * 500, tokens=8) for n in range(200)]
    file = written(tmp_path, export(cell("long", turns)))
    child = subprocess.Popen(
        [*INFERGUARD, "validate", healthy, str(file), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    assert child.stdout is not None
    assert child.stderr is not None
    while "sending" not in child.stderr.readline():
        assert child.poll() is None
    time.sleep(2.5)
    child.send_signal(signal.SIGINT)
    stdout, stderr = child.communicate(timeout=10)
    assert child.returncode == 130
    assert "Traceback" not in stderr
    found: dict[str, Any] = json.loads(stdout)
    assert 2 <= found["counts"]["answered"] <= 10
    assert found["counts"]["not_sent"] > 180
    assert found["ended_early"] == "told to end"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((EXAMPLES / "trace_replay.json",), "mixes 2 of runtime_stack_id"),
        ((EXAMPLES / "trace_replay.json", "--canonical-model-id", "none"), "--canonical-model-id none"),
        ((EXAMPLES / "trace_replay.json", *STACK, "--max-wait", "1"), "--ignore-waits"),
        ((EXAMPLES / "trace_replay.json", *STACK), "refused the connection"),
        ((EXAMPLES / "multiturn.json", "--compare", "/nowhere.json"), "/nowhere.json"),
        ((EXAMPLES / "multiturn.json", "--compare", EXAMPLES / "multiturn.json"), "$.schema: missing"),
        ((EXAMPLES / "multiturn.json", "--max-concurrency", "0"), "max_concurrency"),
        (("/nowhere.json",), "/nowhere.json"),
        ((), "INFERGUARD_REPLAY_EXPORT_FILE"),
    ],
    ids=lambda v: " ".join(map(str, v))[-40:] if isinstance(v, tuple) else "",
)
def test_a_refusal_is_exit_3_and_says_why(arguments: tuple[object, ...], named: str, tmp_path: Path) -> None:
    done = run("validate", f"127.0.0.1:{free_port()}", *map(str, arguments), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_the_export_may_stand_in_the_settings(healthy: str) -> None:
    variables = {
        "INFERGUARD_REPLAY_EXPORT_FILE": str(EXAMPLES / "trace_replay.json"),
        "INFERGUARD_REPLAY_RUNTIME_STACK_ID": "standalone:vllm",
        "INFERGUARD_REPLAY_MAX_CONCURRENCY": "2",
    }
    found = json.loads(run("validate", healthy, "--json", **variables).stdout)
    assert found["load"]["concurrency"] == 2
    assert found["counts"]["answered"] == 2


def test_a_run_is_kept_with_its_incident_before_and_after(sessions: Path, tmp_path: Path) -> None:
    """An incident is watched, load is measured, a person says what was done, load is measured again."""
    state = {"INFERGUARD_STATE_DIR": str(tmp_path / "state")}
    with launched("recovery", "vllm", 1, 1) as urls:
        run("watch", urls[0], "--interval", "1", "--duration", "8", **state)
    (incident,) = json.loads(run("incidents", "--json", **state).stdout)
    name = incident["incident_id"]
    with launched("healthy", "vllm", 1, 1) as urls:
        validate = ("validate", urls[0], sessions, "--incident", name, "--json", "--ignore-waits")
        first = run(*validate, **state)
        assert json.loads(first.stdout)["comparison"] is None
        assert "as before a remedy" in first.stderr
        run("incidents", "resolve", name, "over", "--applied", "--max-num-seqs 64", **state)
        second = run(*validate, **state)
    assert "as after a remedy" in second.stderr
    assert json.loads(second.stdout)["comparison"]["sessions"] == 8
    shown = run("incidents", "show", name, **state).stdout
    assert "validated before a remedy: 16 of 16 turns answered" in shown
    assert "validated after a remedy" in shown
    assert "against the run before" in shown


def test_an_incident_that_is_not_remembered_stops_it_before_anything_is_sent(tmp_path: Path) -> None:
    state = {"INFERGUARD_STATE_DIR": str(tmp_path / "state")}
    arguments = ("validate", "127.0.0.1:1", EXAMPLES / "multiturn.json", "--incident", "none")
    done = run(*arguments, **state)
    assert (done.returncode, "none is remembered" in done.stderr) == (3, True)
    done = run(*arguments, **state, INFERGUARD_MEMORY_MODE="off")
    assert (done.returncode, "memory is off" in done.stderr) == (3, True)


async def test_a_slower_engine_is_a_regression_by_far_more_than_a_second_run(tmp_path: Path) -> None:
    """Twelve sessions on an idle engine twice, then on one whose every step takes four times as long."""
    turns = [event(n, n * 20, "a" * 200 * (n + 1), 24) for n in range(2)]
    file = written(tmp_path, export(*(cell(f"t{n}", turns) for n in range(12))))
    runs = []
    for factor in (1.0, 1.0, 4.0):
        slow = replace(IDLE, faults=(Throttle(0.0, 3600.0, factor),) if factor > 1 else ())
        async with serving(slow) as (url, _, _):
            result = await under_load(url, file)
        assert isinstance(result, Result)
        runs.append(result)
    base = tmp_path / "base.json"
    base.write_text(json.dumps({**to_json(runs[0])}), "utf-8")
    baseline = read_baseline(base)
    assert isinstance(baseline, Baseline)
    again, slower = (compared(result, baseline) for result in runs[1:])
    # On a machine that was busy in the first run something else may have got better; then no verdict is right.
    assert slower.verdict is Verdict.REGRESSED or slower.why.startswith("better:")
    tpot, tpot_again = (
        next(change for change in found.changes if change.what == "tpot_p50") for found in (slower, again)
    )
    assert (tpot.verdict, tpot.change > 1.0) == (Verdict.REGRESSED, True)
    # One that was busy in the second run makes that slow too, but not surely so.
    assert tpot_again.low < tpot.low


def test_on_a_terminal_a_bar_says_how_far_it_is(healthy: str, sessions: Path) -> None:
    terminal = Terminal("validate", healthy, str(sessions), columns=100)
    try:
        terminal.until("/16 turns", 30)
        terminal.until("output tokens/s", 30)
        assert terminal.ended() == 0
        assert b"\r[" in terminal.written
    finally:
        terminal.close()


def test_sglang_takes_load_as_well(sessions: Path) -> None:
    with launched("healthy", "sglang", 1, 1) as urls:
        found = json.loads(run("validate", urls[0], sessions, "--json", "--api", "completions").stdout)
    assert (found["engine"], found["counts"]["answered"]) == ("sglang", 16)
    assert found["tokens"]["counted"] == "server"
    assert any("recorded on standalone:vllm; this is sglang" in warning for warning in found["warnings"])
