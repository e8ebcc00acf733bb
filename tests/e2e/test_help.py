"""Help and completion, as a person and three shells see them."""

from __future__ import annotations

import os
import shlex
import subprocess
from functools import cache
from typing import TYPE_CHECKING

import pexpect
import pytest

from inferguard_tui.cli import COMMANDS
from inferguard_tui.cli.completion import _SHELLS
from inferguard_tui.cli.examples import EXAMPLES
from inferguard_tui.cli.parsers import command_parser, options, overview
from tests.e2e.installed import program
from tests.e2e.test_commands import run

if TYPE_CHECKING:
    from pathlib import Path

commands = pytest.mark.parametrize("name", list(COMMANDS))


def test_the_whole_fits_a_small_terminal_and_names_every_command() -> None:
    lines = overview(COMMANDS).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert all(any(f"  {name} " in line for line in lines) for name in COMMANDS)


@commands
def test_the_help_of_a_command_fits_a_screen_and_ends_with_examples(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    page = command_parser(name).format_help()
    assert len(page.splitlines()) <= 42
    assert max(map(len, page.splitlines())) <= 100
    assert "examples:" in page
    assert EXAMPLES[name][-1] in page.splitlines()[-1]


@commands
def test_every_example_is_understood(name: str) -> None:
    for example in EXAMPLES[name]:
        words = shlex.split(
            example.partition(" > ")[0].partition(" >> ")[0].removeprefix("source <(").rstrip(")")
        )
        words = [word for word in words if not word[0].isupper() or "=" not in word]
        assert words[0] == "inferguard"
        arguments = words[2:] if len(words) > 1 and words[1] == name else words[1:]
        command_parser(name).parse_args(arguments)


def completed_by_bash(script: Path, *words: str) -> set[str]:
    line = " ".join(shlex.quote(word) for word in words)
    code = f'source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _inferguard; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True, cwd=script.parent)
    assert done.stderr == ""
    return set(done.stdout.split())


def completed_by_fish(script: Path, *words: str) -> set[str]:
    line = " ".join(words)
    code = f"source {script}; complete -C {shlex.quote(line)}"
    done = subprocess.run(
        ["fish", "--no-config", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=script.parent,
        env={**os.environ, "HOME": str(script.parent)},
    )
    assert done.stderr == ""
    return {row.split("\t")[0] for row in done.stdout.splitlines()}


def completed_by_zsh(script: Path, *words: str) -> set[str]:
    """zsh completes only at a keyboard: a line, two tabs, and what is listed below it."""
    child = pexpect.spawn(
        "zsh", ["-f"], encoding="utf-8", timeout=20, cwd=str(script.parent), dimensions=(60, 200),
        env={**os.environ, "TERM": "dumb", "PS1": ">>", "HOME": str(script.parent)},
    )  # fmt: skip
    try:
        setup = (
            "autoload -Uz compinit; compinit -u -D",
            f"source {script}",
            "setopt no_beep",
            "echo rea''dy",
        )
        for line in setup:
            child.expect(">>")
            child.sendline(line)
        child.expect("ready\r")
        child.expect(">>")
        child.send(" ".join(words) + "\t\t")
        child.expect(pexpect.TIMEOUT, timeout=2)
        return set(child.before.replace("\r", " ").split())
    finally:
        child.close(force=True)


@cache
def script(shell: str) -> str:
    done = run("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


SHELLS = {"bash": completed_by_bash, "fish": completed_by_fish, "zsh": completed_by_zsh}


@pytest.mark.parametrize("shell", list(SHELLS))
class TestCompletion:
    @pytest.fixture(autouse=True)
    def _script(self, shell: str, tmp_path: Path) -> None:
        program(shell, shell)
        self.script = tmp_path / f"inferguard.{shell}"
        self.script.write_text(script(shell), "utf-8")
        (tmp_path / "night.jsonl.gz").touch()

    def offered(self, shell: str, *words: str) -> set[str]:
        return SHELLS[shell](self.script, *words)

    def test_commands(self, shell: str) -> None:
        assert {"scan", "serve"} <= self.offered(shell, "inferguard", "s")
        assert "watch" not in self.offered(shell, "inferguard", "s")

    def test_options_of_the_command(self, shell: str) -> None:
        found = self.offered(shell, "inferguard", "validate", "--max-")
        assert {"--max-sessions", "--max-concurrency", "--max-wait"} <= found
        assert "--samples" not in found

    def test_choices_of_an_option(self, shell: str) -> None:
        found = self.offered(shell, "inferguard", "validate", "--api", "c")
        assert {"chat", "completions"} <= found

    def test_files_where_a_file_is_meant(self, shell: str) -> None:
        found = self.offered(shell, "inferguard", "replay", "ni")
        assert any("night.jsonl.gz" in word for word in found)

    def test_choices_of_an_argument(self, shell: str) -> None:
        assert {"show", "export"} <= self.offered(shell, "inferguard", "incidents", "")


@pytest.mark.parametrize("shell", list(_SHELLS))
def test_every_option_of_every_command_is_in_the_script(shell: str) -> None:
    for name in COMMANDS:
        for action in options(command_parser(name)):
            spelled = action.option_strings[-1]
            assert (spelled if shell != "fish" else spelled.removeprefix("--")) in script(shell)
