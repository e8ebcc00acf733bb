"""The command line: one module a command, loaded when it is the one.

Data goes to stdout, words to stderr. A person's mistake is one line and an exit code, never a traceback.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING

from inferguard_tui import __version__
from inferguard_tui.cli.arguments import complain
from inferguard_tui.cli.exits import INTERRUPTED, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "tui": "open the terminal UI (the same as no command)",
    "scan": "look at endpoints once and say what is wrong",
    "watch": "follow endpoints and print what changes",
    "record": "write endpoints' pages to recordings",
    "replay": "play a recording, on screen or as JSON lines",
    "incidents": "list, show, export, annotate and judge what is remembered",
    "recall": "find past incidents like these words, or like another incident",
    "web": "serve the terminal UI to a browser on this host",
    "themes": "list the colours there are for the screen",
    "validate": "send an engine recorded sessions and measure the answers",
    "serve": "give an agent the monitor as tools (MCP)",
    "doctor": "look whether settings, terminal, endpoints and all else are in order",
    "demo": "open the terminal UI on a simulated engine",
}
EXAMPLES = """\
examples:
  inferguard                          monitor the engines found on this host
  inferguard gpu-07:8000 gpu-08:8000  monitor these
  inferguard scan gpu-07:8000 --json  one answer for a script; exit 0 ok, 1 warning, 2 critical, 3 unknown
  inferguard demo                     no engine at hand: a simulated one in trouble
"""


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
        _overview().print_help()
        return 0
    if arguments and arguments[0] == "--version":
        print(f"inferguard {__version__}")
        return 0
    if arguments and (meant := _mistyped(arguments[0])):
        complain(f"{arguments[0]}: neither a command nor an address; did you mean: inferguard {meant}")
        return UNKNOWN
    name = arguments.pop(0) if arguments and arguments[0] in COMMANDS else "tui"
    command = importlib.import_module(f"inferguard_tui.cli.{name}")
    parser = argparse.ArgumentParser(
        prog=f"inferguard {name}",
        description=command.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.configure(parser)
    code: int = command.run(parser.parse_args(arguments))
    return code


def _mistyped(word: str) -> str:
    """The command that `word` is nearly, when it can be no address; else empty."""
    if word in COMMANDS or word.startswith("-") or not word.isalpha():
        return ""
    return next(iter(get_close_matches(word, COMMANDS, n=1)), "")


def _overview() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    rows = "\n".join(f"  {name:<{width}}  {line}" for name, line in COMMANDS.items())
    return argparse.ArgumentParser(
        prog="inferguard",
        usage="inferguard [URL ...] [--interval S]\n       inferguard COMMAND ...   (inferguard COMMAND --help)",
        description=f"Terminal monitor for vLLM and SGLang engines.\n\ncommands:\n{rows}",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
