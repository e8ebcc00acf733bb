"""Inside tmux, as on call: 80×24 with `TERM=screen`, and truecolor at 120×40."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from inferguard_tui.simulator.launch import launched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TRUECOLOR = re.compile(r"\x1b\[[0-9;]*[34]8;2;")
PALETTE = re.compile(r"\x1b\[[0-9;]*3[1-7][;m]")


class Tmux:
    """One tmux server of its own with one window, in which a shell runs."""

    def __init__(self, directory: Path, term: str, columns: int, rows: int, **environment: str) -> None:
        self._socket = str(directory / "tmux")
        config = directory / "tmux.conf"
        config.write_text(
            f"set -g default-terminal {term}\nset -g status off\nset -as terminal-features ',*:RGB'\n"
        )
        self._environment = {
            name: value for name, value in os.environ.items() if name not in ("TMUX", "COLORTERM", "TERM")
        } | {"LANG": "C.UTF-8", "PS1": "$ ", **environment}
        self.run("-f", str(config), "new-session", "-d", "-x", str(columns), "-y", str(rows), "sh")
        self.type("echo BEFORE")

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", self._socket, *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
            env=self._environment,
        )
        return done.stdout

    def type(self, line: str) -> None:
        self.run("send-keys", line, "Enter")

    def press(self, *keys: str) -> None:
        self.run("send-keys", *keys)

    def start(self, *arguments: str) -> None:
        self.type(shlex.join([sys.executable, "-m", "inferguard_tui", *arguments]) + "; echo CODE=$?")

    def screen(self, *, styled: bool = False) -> str:
        return self.run("capture-pane", "-p", *(["-e"] if styled else []))

    def until(self, met: Callable[[str], bool] | str, seconds: float = 30) -> str:
        deadline = time.monotonic() + seconds
        while True:
            screen = self.screen()
            if met in screen if isinstance(met, str) else met(screen):
                return screen
            assert time.monotonic() < deadline, f"not seen:\n{screen}"
            time.sleep(0.2)


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Callable[..., Tmux]]:
    started: list[Tmux] = []

    def start(*arguments: object, **environment: str) -> Tmux:
        started.append(Tmux(tmp_path, *arguments, **environment))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for each in started:
        each.run("kill-server")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with launched("incident", "vllm", 1, 1, speed=6.0) as urls:
        yield urls[0]


def assert_back_at_the_shell(terminal: Tmux) -> None:
    screen = terminal.until("CODE=0", 15)
    assert "BEFORE" in screen
    assert "KV" not in screen
    terminal.type("echo AFTER")
    terminal.until(lambda s: "\nAFTER" in s, 5)


def test_screen_at_80x24_shows_the_essentials_in_sixteen_colours(tmux, url) -> None:
    terminal = tmux("screen", 80, 24)
    terminal.start(url, "--interval", "1")
    terminal.until(lambda s: re.search(r"KV +\d+\.\d%", s) is not None)
    screen = terminal.until(lambda s: "CRIT" in s.splitlines()[1] or "WARN" in s.splitlines()[1], 60)
    rows = screen.splitlines()
    assert len(rows) == 24
    assert max(map(len, rows)) <= 80
    assert "InferGuard" in rows[0]
    assert any(row.startswith("Queue") for row in rows)
    assert rows[-1].rstrip().endswith("q quit")
    styled = terminal.screen(styled=True)
    assert not TRUECOLOR.search(styled)
    assert PALETTE.search(styled)
    terminal.press("?")
    terminal.until("Keys")
    terminal.press("Escape")
    terminal.until(lambda s: "KV" in s)
    terminal.press("q")
    assert_back_at_the_shell(terminal)


def test_truecolor_at_120x40_and_resizes_in_mid_flight(tmux, url) -> None:
    terminal = tmux("tmux-256color", 120, 40, COLORTERM="truecolor")
    terminal.start(url, "--interval", "1")
    terminal.until("tok held")
    assert TRUECOLOR.search(terminal.screen(styled=True))
    for columns, rows in ((80, 24), (200, 50), (100, 30), (120, 40)):
        terminal.run("resize-window", "-x", str(columns), "-y", str(rows))

        def drawn(screen: str, columns: int = columns, rows: int = rows) -> bool:
            lines = screen.splitlines()
            # The clock stands at the end of the first line: nothing is left that was drawn for another width.
            whole = len(lines) == rows and len(lines[0].rstrip()) in (columns - 1, columns)
            whole = whole and lines[-1].rstrip().endswith("q quit")
            return whole and re.search(r"KV[^\n]* \d+\.\d%", screen) is not None and "Queue" in screen

        terminal.until(drawn, 15)
    terminal.press("q")
    assert_back_at_the_shell(terminal)
