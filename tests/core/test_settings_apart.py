"""Settings that a child reads: the same as if they were read here, whatever happens to the child."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from inferguard_core.secret import SecretStr
from inferguard_core.settings import Settings, SettingsProblem, apart
from inferguard_core.settings.loading import load

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.mark.parametrize("text", ["[keys]\napp.pause = 'P'\n[limits]\nkv_alert_threshold = 0.7", ""])
def test_they_are_what_reading_them_here_gives(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "own.toml"
    config.write_text(text, "utf-8")
    monkeypatch.setenv("INFERGUARD_BEARER_TOKEN", "hunter2")
    settings = apart.begin({"ui.theme": "paper"}, config)()
    assert isinstance(settings, Settings)
    assert settings == load({"ui.theme": "paper"}, config)
    assert settings.access.bearer_token == SecretStr("hunter2")
    assert settings.origin("ui.theme") == "command line"


def test_what_is_wrong_is_said_as_it_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KV_ALERT_THRESHOLD", "7")
    problem = apart.begin({}, None)()
    assert isinstance(problem, SettingsProblem)
    assert problem == load()


def test_a_child_that_dies_costs_nothing_but_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFERGUARD_THEME", "paper")
    monkeypatch.setattr(apart, "_send", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    settings = apart.begin({}, None)()
    assert isinstance(settings, Settings)
    assert settings.ui.theme == "paper"


@pytest.mark.parametrize("dies", [False, True])
def test_no_descriptor_and_no_child_is_left(dies: bool) -> None:
    # In a process of its own: the one that runs the tests may have children and threads of other tests.
    program = (
        "import os, signal, sys\n"
        "from inferguard_core.settings import Settings, apart\n"
        "if sys.argv[1] == 'True':\n"
        "    apart._send = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "before = sorted(os.listdir('/dev/fd'))\n"
        "assert isinstance(apart.begin({}, None)(), Settings)\n"
        "assert sorted(os.listdir('/dev/fd')) == before\n"
        "try:\n"
        "    print('a child is left:', os.waitpid(-1, os.WNOHANG))\n"
        "except ChildProcessError:\n"
        "    print('none is left')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(dies)], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("none is left\n", "")


def test_the_parent_loads_no_pydantic() -> None:
    program = (
        "import sys; from inferguard_core.settings.apart import begin; settings = begin({}, None)();"
        "assert settings.memory.mode == 'on', settings;"
        "print(*(name for name in sys.modules if name.startswith('pydantic')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("shown", [str, repr, "{}".format])
def test_a_secret_shows_in_no_text(shown: object) -> None:
    assert callable(shown)
    assert "hunter2" not in shown(SecretStr("hunter2"))
    assert SecretStr("a") != SecretStr("b")
    assert SecretStr("a") != "a"
