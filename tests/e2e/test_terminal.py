"""The program as a person meets it: a real terminal, a simulated engine in trouble, keys, and a clean end."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from inferguard_tui.simulator.launch import launched
from tests.e2e.terminal import ENTER_ALTERNATE, LEAVE_ALTERNATE, SHOW_CURSOR, Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDINGS = Path(__file__).parents[1] / "fixtures" / "recordings"


@pytest.fixture
def run() -> Iterator[type[Terminal] | object]:
    opened: list[Terminal] = []

    def start(*arguments: str, **options: object) -> Terminal:
        terminal = Terminal(*arguments, **options)  # type: ignore[arg-type]
        opened.append(terminal)
        return terminal

    yield start
    for terminal in opened:
        terminal.close()


def kv(screen: str) -> float:
    """The KV percentage in the title of its panel."""
    found = re.search(r"KV[^\n]*?(\d+\.\d)%", screen)
    return float(found[1]) if found else -1.0


def test_the_demo_shows_an_incident_coming_and_leaves_the_terminal_as_it_was(run) -> None:
    terminal = run("demo", "--scenario", "incident", "--seed", "1")
    early = terminal.until(lambda s: kv(s) >= 0, 20)
    assert "SIMULATED" in early
    calm = kv(early)
    terminal.until(lambda s: kv(s) > calm + 50, 60)
    screen = terminal.until("preemption", 60)
    assert "CRITICAL" in screen or "WARNING" in screen
    terminal.press("?")
    terminal.until("Choose the next panel", 5)
    terminal.press("\x1b")
    terminal.until(lambda s: "Choose the next panel" not in s, 5)
    terminal.press("p")
    terminal.until("PAUSED", 5)
    terminal.press("p")
    terminal.until(lambda s: "PAUSED" not in s, 5)
    terminal.press("q")
    assert terminal.ended() == 0
    assert terminal.written.rfind(LEAVE_ALTERNATE) > terminal.written.rfind(ENTER_ALTERNATE) >= 0
    assert terminal.written.rfind(SHOW_CURSOR) >= 0
    assert terminal.modes_after == terminal.modes_before
    assert b"Traceback" not in terminal.written


def test_resizing_in_mid_flight_keeps_the_essentials_in_view(run) -> None:
    with launched("healthy", "vllm", 1, 1) as urls:
        terminal = run(urls[0], "--interval", "1")
        terminal.until(lambda s: kv(s) >= 0, 20)
        for columns, rows in ((80, 24), (200, 50), (100, 30)):
            terminal.resize(columns, rows)
            terminal.until(lambda s: kv(s) >= 0 and "Queue" in s and "OK" in s and "SIMULATED" in s, 10)
        terminal.press("q")
        assert terminal.ended() == 0


def test_without_colour_nothing_coloured_is_written(run) -> None:
    with launched("healthy", "vllm", 1, 1) as urls:
        terminal = run(urls[0], "--interval", "1", NO_COLOR="1")
        terminal.until(lambda s: kv(s) >= 0, 20)
        terminal.press("q")
        terminal.ended()
    coloured = re.findall(rb"\x1b\[[0-9;]*(?:3[0-7]|4[0-7]|9[0-7]|10[0-7]|38;|48;)[0-9;]*m", terminal.written)
    assert coloured == []


@pytest.mark.parametrize("term", ["xterm", "screen"])
def test_a_terminal_of_sixteen_colours_gets_those_and_no_others(run, term) -> None:
    with launched("healthy", "vllm", 1, 1) as urls:
        terminal = run(urls[0], "--interval", "1", columns=80, rows=24, TERM=term, COLORTERM="")
        terminal.until(lambda s: kv(s) >= 0 and "OK" in s, 20)
        terminal.press("q")
        terminal.ended()
    assert re.findall(rb"\x1b\[[0-9;]*[34]8;[25];[0-9;]*m", terminal.written) == []
    assert re.search(rb"\x1b\[[0-9;]*3[1-7][0-9;]*m[^\x1b]*OK", terminal.written)


def test_a_c_locale_gets_ascii_only(run) -> None:
    with launched("healthy", "vllm", 1, 1) as urls:
        terminal = run(urls[0], "--interval", "1", LANG="C", LC_ALL="C")
        screen = terminal.until(lambda s: kv(s) >= 0, 20)
        terminal.press("q")
        terminal.ended()
    assert screen.isascii()


def test_a_dead_endpoint_is_visibly_dead(run) -> None:
    with launched("healthy", "vllm", 1, 1) as urls:
        terminal = run(urls[0], "--interval", "0.5")
        terminal.until(lambda s: kv(s) >= 0, 20)
    screen = terminal.until("NO DATA", 20)
    assert "refused" in screen.lower()
    terminal.press("q")
    assert terminal.ended() == 0


def test_a_recording_plays_with_pause_and_seek(run) -> None:
    terminal = run("replay", str(RECORDINGS / "vllm-0.32-kv_pressure.jsonl.gz"))
    terminal.until("REPLAY", 20)
    for _ in range(6):
        terminal.press("\x1b[C")
    terminal.until("preemption", 60)
    terminal.press(" ")
    terminal.press("q")
    assert terminal.ended() == 0


def test_an_unknown_theme_is_one_line(run) -> None:
    terminal = run("127.0.0.1:1", "--theme", "chartreuse")
    assert terminal.ended(20) == 3
    assert b"chartreuse" in terminal.written
    assert b"Traceback" not in terminal.written
    assert ENTER_ALTERNATE not in terminal.written
