"""What this terminal can show, decided once from the environment and the output's encoding."""

from __future__ import annotations

import codecs
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Terminal:
    """What to draw with."""

    ascii_only: bool = False
    """The encoding is not UTF-8: borders, sparklines and shapes are ASCII."""
    own_palette: bool = False
    """Draw with the terminal's own 16 colours (or none): it has no more, or asked for no colour."""


def detect(environ: Mapping[str, str] | None = None, encoding: str | None = None) -> Terminal:
    """Read the environment (NO_COLOR, COLORTERM, TERM, LC_*, LANG); `encoding` is that of the stream drawn on."""
    env = os.environ if environ is None else environ
    if in_browser(env):
        return Terminal(own_palette=bool(env.get("NO_COLOR")))
    stream = encoding if encoding is not None else (sys.__stderr__.encoding if sys.__stderr__ else "")
    return Terminal(
        ascii_only=not _is_utf8(_locale(env), stream),
        own_palette=bool(env.get("NO_COLOR")) or not _rich_in_colour(env),
    )


def in_browser(env: Mapping[str, str]) -> bool:
    """textual-serve draws this in a page, which shows everything."""
    return env.get("TEXTUAL_DRIVER", "").partition(":")[0] == "textual.drivers.web_driver"


def _locale(env: Mapping[str, str]) -> str:
    """The character locale as the person set it."""
    # Under LANG=C the interpreter itself puts LC_CTYPE into its environment (PEP 538).
    coerced = env.get("LC_CTYPE") in ("C.UTF-8", "C.utf8", "UTF-8") and env.get("LANG") in ("C", "POSIX")
    names = ("LC_ALL", "LANG") if coerced else ("LC_ALL", "LC_CTYPE", "LANG")
    # The first that is set decides, as the C library does it.
    return next((env[name] for name in names if env.get(name)), "")


def _is_utf8(locale: str, stream: str) -> bool:
    # Python switches a C locale's streams to UTF-8; the terminal behind them may still not be.
    if locale in ("C", "POSIX"):
        return False
    if "." in locale:
        return _codec(locale.rpartition(".")[2].partition("@")[0]) == "utf-8"
    return _codec(stream) == "utf-8"


def _codec(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        return ""


def _rich_in_colour(env: Mapping[str, str]) -> bool:
    """True colour or 256 colours."""
    if env.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return True
    term = env.get("TERM", "").strip().lower()
    return any(part in term for part in ("256color", "kitty", "direct", "ghostty", "alacritty"))
