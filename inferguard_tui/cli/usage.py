"""Wrong usage in our words, and with the exit code of input that cannot be used.

argparse would print its usage and end with 2, which whoever runs `scan` as a check reads as critical.
"""

from __future__ import annotations

import argparse
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, NoReturn

from inferguard_core.printable import printable
from inferguard_tui.cli.arguments import complain
from inferguard_tui.cli.exits import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNKNOWN = re.compile(r"unrecognized arguments: (\S+)")
_MISSING = re.compile(r"the following arguments are required: (.+)")
_OF_ONE = re.compile(r"argument ([^:]+): (.+)", re.DOTALL)
_CHOICE = re.compile(r"invalid choice: (.+) \(choose from (.+)\)", re.DOTALL)
_VALUE = re.compile(r"invalid (\w+) value: (.+)", re.DOTALL)
_NOT_ALLOWED = re.compile(r"not allowed with argument (.+)")
_EXPLICIT = re.compile(r"ignored explicit argument (.+)", re.DOTALL)
_KINDS = {"float": "a number", "int": "a whole number"}


class Parser(argparse.ArgumentParser):
    """Ends a run whose arguments are wrong with one line on stderr, which says what to do, and exit 3."""

    def error(self, message: str) -> NoReturn:
        complain(f"{said(message, self._option_string_actions)}; see: {self.prog} --help")
        self.exit(UNKNOWN)


def said(message: str, options: Iterable[str] = ()) -> str:
    """Argparse's `message`: the argument, its value, what is allowed. What it words in another way stays as it is."""
    if found := _UNKNOWN.match(message):
        return _unknown(found[1], options)
    if found := _MISSING.match(message):
        return f"{found[1]}: missing, and needed"
    if found := _OF_ONE.match(message):
        return f"{found[1]}{_reason(found[2])}"
    return printable(message, 400)


def _unknown(given: str, options: Iterable[str]) -> str:
    shown = printable(given, 60)
    if not given.startswith("-"):
        return f"{shown}: one argument too many"
    near = get_close_matches(given.partition("=")[0], list(options), n=2, cutoff=0.7)
    return f"{shown}: no such option" + (f"; near it: {', '.join(near)}" if near else "")


def _reason(reason: str) -> str:
    if found := _CHOICE.match(reason):
        return f" {_value(found[1])}: allowed is {found[2].replace(chr(39), '')}"
    if found := _VALUE.match(reason):
        return f" {_value(found[2])}: not {_KINDS.get(found[1], f'a {found[1]}')}"
    if found := _NOT_ALLOWED.match(reason):
        return f": not together with {found[1]}; leave one of them out"
    if found := _EXPLICIT.match(reason):
        return f": takes no value, and was given {_value(found[1])}"
    if reason.startswith("expected"):
        return ": needs a value after it"
    return f": {printable(reason, 400)}"


def _value(quoted: str) -> str:
    """A value that argparse shows as Python would write it."""
    return printable(quoted.strip("'\""), 60) or "(empty)"
