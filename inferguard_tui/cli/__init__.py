"""The command line: one module a command, loaded when it is the one.

Data goes to stdout, words to stderr. A person's mistake is one line and an exit code, never a traceback.
"""

from __future__ import annotations

import os
import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING

from inferguard_tui import __version__
from inferguard_tui.cli.arguments import complain
from inferguard_tui.cli.exits import INTERRUPTED, UNKNOWN
from inferguard_tui.cli.parsers import command_module, command_parser, overview

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "tui": "the screen, as without one",
    "scan": "what is wrong, at one look",
    "watch": "follow; print what changes",
    "record": "keep an engine's pages",
    "replay": "play a recording",
    "check": "try rules on recordings",
    "incidents": "what is remembered",
    "recall": "incidents like these words",
    "act": "do what is advised",
    "web": "the screen in a browser",
    "themes": "colours of the screen",
    "validate": "send real load, measure it",
    "serve": "tools for an agent (MCP)",
    "brain": "investigations over HTTP",
    "canary": "try a change elsewhere",
    "doctor": "is everything in order",
    "completion": "for bash, zsh and fish",
    "demo": "the screen on a simulation",
}
"""In a few words each: `--help` has two on a row."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the process's exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _dispatch(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone; flushing at exit would complain about it once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNKNOWN
    return code


def _dispatch(arguments: list[str]) -> int:
    if arguments and arguments[0] in ("-h", "--help"):
        print(overview(COMMANDS))
        return 0
    if arguments and arguments[0] == "--version":
        print(f"inferguard {__version__}")
        return 0
    if arguments and (meant := _mistyped(arguments[0])):
        complain(f"{arguments[0]}: neither a command nor an address; did you mean: inferguard {meant}")
        return UNKNOWN
    name = arguments.pop(0) if arguments and arguments[0] in COMMANDS else "tui"
    code: int = command_module(name).run(command_parser(name).parse_args(arguments))
    return code


def _mistyped(word: str) -> str:
    """The command that `word` is nearly, when it can be no address; else empty."""
    if word in COMMANDS or word.startswith("-") or not word.isalpha():
        return ""
    return next(iter(get_close_matches(word, COMMANDS, n=1)), "")
