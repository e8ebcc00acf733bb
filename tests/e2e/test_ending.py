"""However it ends, the terminal is as it was: keys, signals, crashes, a lost connection."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from inferguard_tui.simulator.launch import launched
from tests.e2e.terminal import ENTER_ALTERNATE, LEAVE_ALTERNATE, SHOW_CURSOR, Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

CRASHING = """
import os, sys
from inferguard_core.settings.loading import load
from inferguard_tui.cli import screen
from inferguard_tui import app

def crash(self):
    secret, home = "hunter2", os.environ["GMI_API_KEY"]
    raise RuntimeError(f"no route to http://me:{secret}@gpu with {home}\\x1b[2J")

app.InferGuardApp.action_pause = crash
from inferguard_tui.session import LiveFeed, addresses
sys.exit(screen.show(LiveFeed(addresses(sys.argv[1:]), load()), load()))
"""
"""The program with a handler that fails."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with launched("healthy", "vllm", 1, 1) as urls:
        yield urls[0]


@pytest.fixture
def run() -> Iterator[object]:
    opened: list[Terminal] = []

    def start(*arguments: str, **options: object) -> Terminal:
        terminal = Terminal(*arguments, **options)  # type: ignore[arg-type]
        opened.append(terminal)
        return terminal

    yield start
    for terminal in opened:
        terminal.close()


def assert_restored(terminal: Terminal) -> None:
    assert terminal.written.rfind(LEAVE_ALTERNATE) > terminal.written.rfind(ENTER_ALTERNATE) >= 0
    assert terminal.written.rfind(SHOW_CURSOR) > terminal.written.rfind(ENTER_ALTERNATE)
    for report in (b"1000", b"1003", b"2004"):
        assert terminal.written.rfind(b"\x1b[?" + report + b"l") > terminal.written.rfind(
            b"\x1b[?" + report + b"h"
        )
    assert terminal.modes_after == terminal.modes_before


def gone(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not Path(f"/proc/{pid}").exists() or "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text(
            "ascii"
        ):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)],
    ids=str,
)
def test_a_signal_ends_it_as_a_key_does(run, url, number, code) -> None:
    terminal = run(url)
    terminal.until("OK", 20)
    os.kill(terminal.pid, number)
    assert terminal.ended() == code
    assert_restored(terminal)
    assert b"Traceback" not in terminal.written


@pytest.mark.parametrize(("keys", "code"), [("q", 0), ("\x03", 0)])
def test_a_key_ends_it(run, url, keys, code) -> None:
    terminal = run(url)
    terminal.until("OK", 20)
    terminal.press(keys)
    assert terminal.ended() == code
    assert_restored(terminal)


def test_a_signal_before_the_first_picture_ends_it(run, url) -> None:
    terminal = run(url)
    while ENTER_ALTERNATE not in terminal.written:
        terminal.read(0.01)
    os.kill(terminal.pid, signal.SIGTERM)
    assert terminal.ended() == 143
    assert_restored(terminal)


def test_a_crash_is_told_and_written_down_without_secrets(run, url, tmp_path) -> None:
    terminal = run(
        url,
        program=("-c", CRASHING),
        GMI_API_KEY="gmi-very-secret",
        INFERGUARD_STATE_DIR=str(tmp_path / "state"),
    )
    terminal.until("OK", 20)
    terminal.press("p")
    assert terminal.ended() == 70
    assert_restored(terminal)
    (report,) = (tmp_path / "state").glob("crash-*.txt")
    assert report.stat().st_mode & 0o777 == 0o600
    text, screen = report.read_text("utf-8"), terminal.written.rpartition(LEAVE_ALTERNATE)[2].decode()
    assert f"the report is in {report}" in screen.replace("\r\n", "")
    assert "in crash" in text
    assert "RuntimeError: no route to http://***@gpu with ***" in text
    assert "\x1b" not in text
    for secret in ("hunter2", "gmi-very-secret"):
        assert secret not in text
        assert secret not in terminal.written.decode()


def test_a_lost_connection_leaves_no_process(run) -> None:
    terminal = run("demo", "--scenario", "healthy")
    terminal.until("OK", 20)
    engines = children(terminal.pid)
    assert engines
    terminal.hang_up()
    assert all(gone(pid, 10) for pid in (terminal.pid, *engines))


def test_a_lost_connection_ends_it_even_where_hang_ups_are_ignored(run, url) -> None:
    ignoring = (
        "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN);"
        "os.execv(sys.executable, [sys.executable, '-m', 'inferguard_tui', *sys.argv[1:]])"
    )
    terminal = run(url, program=("-c", ignoring))
    terminal.until("OK", 20)
    terminal.hang_up()
    assert gone(terminal.pid, 15)


def test_a_terminal_that_takes_no_more_does_not_keep_it(run) -> None:
    """Nobody reads the other end, so that every write blocks for good."""
    with launched("incident", "vllm", 1, 1, speed=8.0) as urls:
        terminal = run(urls[0], "--interval", "0.2", columns=200, rows=60)
        terminal.until("KV", 20)
        time.sleep(12)
        os.kill(terminal.pid, signal.SIGTERM)
        assert gone(terminal.pid, 10)


def children(pid: int) -> list[int]:
    done = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(line) for line in done.stdout.split()]


def test_the_crash_of_this_test_is_a_real_one() -> None:
    assert (
        subprocess.run([sys.executable, "-c", CRASHING.partition("def crash")[0]], check=False).returncode
        == 0
    )
