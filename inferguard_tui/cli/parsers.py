"""The parser of each command, and the page that names them all. Both fit a screen and show how it is done."""

from __future__ import annotations

import argparse
import importlib
from textwrap import fill
from typing import TYPE_CHECKING, Final

from inferguard_tui.cli.examples import EXAMPLES, OVERVIEW
from inferguard_tui.cli.usage import Parser

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

COLUMNS: Final = 80
_NAME: Final = 11
_HALF: Final = COLUMNS // 2 - 1


class _Formatter(argparse.HelpFormatter):
    """Fills paragraphs to the terminal's width, keeps set-in lines, and gives options room beside their help."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join(
            part if "\n  " in part else fill(" ".join(part.split()), width, initial_indent=indent)
            for part in text.strip().split("\n\n")
        )


def command_module(name: str) -> ModuleType:
    """The module of a command, loaded when it is asked for."""
    return importlib.import_module(f"inferguard_tui.cli.{name}")


def command_parser(name: str) -> argparse.ArgumentParser:
    """What `inferguard NAME` takes, with its help."""
    command = command_module(name)
    parser = Parser(
        prog=f"inferguard {name}",
        description=command.__doc__,
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    command.configure(parser)
    if len(options(parser)) > _FEW:
        # All options once more in brackets would be half a screen.
        parser.usage = " ".join(["%(prog)s", *map(_shown, positionals(parser)), "[options]"])
    examples = "\n".join(f"  {line}" for line in EXAMPLES.get(name, ()))
    parser.epilog = f"examples:\n{examples}" if examples else None
    return parser


_FEW: Final = 4


def options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Its options, those of its sub-commands as well, each spelling once."""
    found: dict[str, argparse.Action] = {}
    for each in (parser, *_below(parser).values()):
        for action in each._actions:  # noqa: SLF001 - argparse has no public way to list them
            if action.option_strings and action.help != argparse.SUPPRESS:
                found.setdefault(action.option_strings[-1], action)
    return list(found.values())


def positionals(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in parser._actions if not action.option_strings]  # noqa: SLF001


def _below(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    for action in positionals(parser):
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            return dict(action.choices)
    return {}


def _shown(action: argparse.Action) -> str:
    name = str(action.metavar or action.dest)
    return {"*": f"[{name} ...]", "?": f"[{name}]", "+": f"{name} ..."}.get(str(action.nargs), name)


def overview(commands: Mapping[str, str]) -> str:
    """`inferguard --help`: every command and a few examples, within 24 rows of 80 columns."""
    width = max(len(line) for line, _ in OVERVIEW)
    examples = (f"  {line:<{width}}  {meaning}" for line, meaning in OVERVIEW)
    return "\n".join(
        [
            "usage: inferguard [URL ...] [options]  monitor vLLM and SGLang engines",
            "       inferguard COMMAND ...          COMMAND --help says more; --version",
            "",
            *_columns(commands),
            "",
            *examples,
        ]
    )


def _columns(commands: Mapping[str, str]) -> Iterator[str]:
    """Two commands a row; one whose words are too long for half a row takes a whole one, below."""
    cells = {name: f"  {name:<{_NAME}}{words}" for name, words in commands.items()}
    short = [cell for cell in cells.values() if len(cell) <= _HALF]
    half = (len(short) + 1) // 2
    for index in range(half):
        right = short[half + index] if half + index < len(short) else ""
        yield f"{short[index]:<{_HALF}}{right}".rstrip()
    yield from (cell for cell in cells.values() if len(cell) > _HALF)
