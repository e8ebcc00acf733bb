"""Canaries really run: against engine packages with the documented parser entry points, in a process and a workspace."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import pytest

from inferguard_brain.canary.daytona import DaytonaRunner
from inferguard_brain.canary.flags import flags_canary
from inferguard_brain.canary.local import LocalRunner
from inferguard_brain.canary.verdict import Outcome, Script
from inferguard_tui.cli import main
from tests.brain.daytona_server import workspaces

VLLM = {
    "vllm/__init__.py": "print('INFO importing')",
    "vllm/entrypoints/__init__.py": "",
    "vllm/entrypoints/openai/__init__.py": "",
    "vllm/entrypoints/openai/cli_args.py": """
def make_arg_parser(parser):
    parser.add_argument("model_tag", nargs="?")
    parser.add_argument("--max-num-seqs", type=int)
    parser.add_argument("--kv-cache-dtype", choices=("auto", "fp8"))
    parser.add_argument("--enforce-eager", action="store_true")
    return parser
""",
    "vllm/utils/__init__.py": "",
    "vllm/utils/argparse_utils.py": """
import argparse
class FlexibleArgumentParser(argparse.ArgumentParser):
    pass
""",
    "vllm-0.32.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: vllm\nVersion: 0.32.0\n",
}
SGLANG = {
    "sglang/__init__.py": "",
    "sglang/srt/__init__.py": "",
    "sglang/srt/server_args.py": """
class ServerArgs:
    @staticmethod
    def add_cli_args(parser):
        parser.add_argument("--model-path", required=True)
        parser.add_argument("--schedule-conservativeness", type=float)
""",
    "sglang-0.5.23.dist-info/METADATA": "Metadata-Version: 2.1\nName: sglang\nVersion: 0.5.23\n",
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A directory of packages with both engines' parsers in it."""
    for name, text in {**VLLM, **SGLANG}.items():
        file = tmp_path / "site" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "site"


@pytest.mark.parametrize(
    ("engine", "version", "flags", "outcome", "reason"),
    [
        (
            "vllm",
            "0.32.0",
            [("--max-num-seqs", "72"), ("--enforce-eager", "")],
            "passed",
            "takes all of them",
        ),
        ("vllm", "", [("--kv-cache-dtype", "fp8")], "passed", "vllm 0.32.0 takes all"),
        ("vllm", "0.32.0", [("--max-num-seqs", "many")], "failed", "refuses --max-num-seqs"),
        (
            "vllm",
            "0.32.0",
            [("--max-num-seqs", "72"), ("--swap-space", "4")],
            "failed",
            "refuses --swap-space",
        ),
        ("vllm", "0.32.0", [("--max-num", "72")], "failed", "refuses --max-num"),
        (
            "vllm",
            "0.33.0",
            [("--max-num-seqs", "72")],
            "not_run",
            "0.32.0 is installed here, the engine runs 0.33.0",
        ),
        ("sglang", "0.5.23", [("--schedule-conservativeness", "1.3")], "passed", "sglang 0.5.23 takes all"),
        ("sglang", "0.5.23", [("--max-num-seqs", "72")], "failed", "refuses"),
        ("vllm", "0.32.0", [], "not_run", "no flags"),
        ("trt", "1", [("--x", "1")], "not_run", "there is a parser for"),
    ],
)
async def test_flags_are_tried_on_the_engines_own_parser(
    site: Path, engine: str, version: str, flags: list[tuple[str, str]], outcome: str, reason: str
) -> None:
    verdict = await flags_canary(LocalRunner(sites=[site]), engine, version, flags)
    assert verdict.outcome.value == outcome, verdict
    assert reason in verdict.reason
    if outcome != "not_run":
        assert len(verdict.evidence) == len(flags)


async def test_an_engine_that_is_not_here_or_cannot_be_loaded_is_not_run(site: Path) -> None:
    flag = [("--max-num-seqs", "72")]
    assert (await flags_canary(LocalRunner(), "vllm", "", flag)).reason == "vllm is not installed here"
    (site / "vllm" / "entrypoints" / "openai" / "cli_args.py").write_text("raise RuntimeError('no GPU')")
    broken = await flags_canary(LocalRunner(sites=[site]), "vllm", "", flag)
    assert broken.outcome is Outcome.NOT_RUN
    assert "RuntimeError: no GPU" in broken.reason
    (site / "vllm" / "entrypoints" / "openai" / "cli_args.py").write_text("import os; os._exit(0)")
    silent = await flags_canary(LocalRunner(sites=[site]), "vllm", "", flag)
    assert (silent.outcome, silent.reason) == (Outcome.NOT_RUN, "the script gave no verdict")
    missing = await flags_canary(LocalRunner("/no/such/python"), "vllm", "", flag)
    assert "/no/such/python: No such file" in missing.reason


def script(source: str, timeout_s: float = 20.0) -> Script:
    return Script("t", source, {"n": 1}, timeout_s)


async def test_a_script_sees_nothing_of_ours_and_its_directory_goes_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DAYTONA_API_KEY", "secret-key")
    monkeypatch.setenv("GMI_API_KEY", "secret-key")
    source = "import json, os, sys; open('x', 'w').write('y'); print(json.dumps([dict(os.environ), os.getcwd(), sys.argv[1]]))"
    ran = await LocalRunner().run(script(source))
    environment, directory, argument = json.loads(ran.output)
    assert "secret-key" not in str(environment)
    assert environment["CUDA_VISIBLE_DEVICES"] == ""
    assert not Path(directory).exists()
    assert json.loads(argument) == {"n": 1}


async def test_a_script_that_does_not_end_is_ended_with_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    source = f"""
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open({str(pids)!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
time.sleep(60)
"""
    began = time.monotonic()
    ran = await LocalRunner().run(script(source, 3.0))
    assert time.monotonic() - began < 15
    assert (ran.exit_code, ran.trouble) == (None, "no end within 3 s")
    async with asyncio.timeout(20):
        while any(_runs(pid) for pid in map(int, pids.read_text().split())):
            await asyncio.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    "source",
    [
        "open('big', 'wb').write(b'x' * (65 * 2**20))",
        "bytearray(80 * 2**30)",
    ],
    ids=["file", "memory"],
)
async def test_what_it_may_take_is_limited(source: str) -> None:
    ran = await LocalRunner().run(script(source))
    assert ran.exit_code not in (0, None)


async def test_a_limit_cannot_be_raised() -> None:
    """Root may raise any; as somebody else what counts is that the hard one was set."""
    source = """
import os, resource
os.geteuid() or os.setuid(65534)
try:
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
except ValueError:
    print("refused")
"""
    ran = await LocalRunner().run(script(source))
    assert (ran.exit_code, ran.output.strip()) == (0, "refused")


async def test_endless_output_is_cut() -> None:
    ran = await LocalRunner().run(script("print('x' * 10_000_000)"))
    assert ran.exit_code == 0
    assert len(ran.output) <= 2**16


KEY = "dtn-secret"


async def test_a_workspace_runs_the_script_without_network_and_is_removed() -> None:
    async with workspaces() as server:
        runner = DaytonaRunner(KEY, f"{server.url}/api", "vllm-0.32")
        verdict = await flags_canary(runner, "vllm", "0.32.0", [("--max-num-seqs", "72")])
        assert (verdict.outcome, verdict.reason) == (Outcome.NOT_RUN, "vllm is not installed here")
        assert server.deleted == ["ws-1"]
        (made,) = server.created
        assert (made["snapshot"], made["networkBlockAll"]) == ("vllm-0.32", True)
        assert set(server.keys) == {f"Bearer {KEY}"}


@pytest.mark.parametrize(
    ("failing", "reason", "left"),
    [
        ("create", "no quota", 0),
        ("execute", "toolbox is gone", 0),
        ("hang", "no end within", 0),
        ("delete", "workspace ws-1 was not removed", 1),
    ],
)
async def test_whatever_fails_the_workspace_is_removed_or_named(failing: str, reason: str, left: int) -> None:
    async with workspaces(failing) as server:
        runner = DaytonaRunner(KEY, f"{server.url}/api", grace_s=0.5)
        ran = await runner.run(Script("t", "print(1)", {}, 1.0 if failing == "hang" else 5.0))
        assert reason in ran.trouble
        assert KEY not in ran.trouble
        assert len(server.created) - len(server.deleted) == left


def test_the_command_says_the_verdict_and_exits_by_it(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = ["canary", "flags", "--engine", "vllm", "--python", sys.executable, "--site", str(site)]
    assert main([*start, "--json", "--", "--max-num-seqs", "72"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "passed"
    assert main([*start, "--", "--swap-space=4"]) == 2
    assert "--swap-space 4: unrecognised" in capsys.readouterr().out
    assert main([*start, "--version", "0.1", "--", "--max-num-seqs", "72"]) == 3
    assert "not run" in capsys.readouterr().out
    assert main([*start, "--", "max-num-seqs"]) == 3
    assert main([*start, "--where", "daytona", "--", "--max-num-seqs", "72"]) == 3
    assert "DAYTONA_API_KEY is not set" in capsys.readouterr().err
