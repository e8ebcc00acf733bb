"""What a terminal can show, from its environment."""

from __future__ import annotations

import pytest

from inferguard_tui.terminal import Terminal, detect

RICH = {"TERM": "xterm-256color", "LANG": "en_US.UTF-8"}


@pytest.mark.parametrize(
    ("environ", "ascii_only"),
    [
        ({"LANG": "en_US.UTF-8"}, False),
        ({"LANG": "de_DE.utf8"}, False),
        ({"LANG": "C"}, True),
        ({"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}, True),
        ({"LANG": "en_US.ISO-8859-1"}, True),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, True),
        ({"LC_CTYPE": "C.UTF-8"}, False),
        ({}, False),
    ],
)
def test_ascii_is_for_terminals_that_are_not_utf8(environ: dict[str, str], ascii_only: bool) -> None:
    """The interpreter adds LC_CTYPE under LANG=C; that is nobody's choice."""
    assert detect(environ, "utf-8").ascii_only is ascii_only


def test_without_a_locale_the_stream_decides() -> None:
    assert detect({}, "ascii").ascii_only


@pytest.mark.parametrize(
    ("environ", "own"),
    [
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, False),
        ({"TERM": "screen"}, True),
        ({"TERM": "linux"}, True),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, True),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, False),
        ({}, True),
    ],
)
def test_the_terminals_own_palette_is_for_few_colours_and_for_none(
    environ: dict[str, str], own: bool
) -> None:
    assert detect(environ, "utf-8").own_palette is own


def test_a_good_terminal_gets_everything() -> None:
    assert detect(RICH, "utf-8") == Terminal(ascii_only=False, own_palette=False)
