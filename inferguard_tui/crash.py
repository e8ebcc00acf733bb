"""What is left of a crash: one file that a person can read and send, without a secret in it.

It holds the traceback and what the program ran on. It never holds values of variables, pages or settings.
"""

from __future__ import annotations

import os
import platform
import re
import sys
import time
import traceback
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from inferguard_core.printable import printable
from inferguard_tui import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

EXIT_CODE = 70
"""A fault of the program itself, as sysexits.h counts them."""
KEPT = 10
"""Reports; older ones go."""
_LINE = 2000
_SHOWN_VARIABLES = ("TERM", "COLORTERM", "LANG", "LC_ALL", "LC_CTYPE", "NO_COLOR", "TMUX", "SSH_TTY")
_USERINFO = re.compile(r"//[^/\s@]+@")
_TOKENS = re.compile(r"(?i)(?<![a-z])(bearer|basic|token|key|password|secret)([\s\"':=]+)[^\s\"',;)&]{3,}")


def redacted(text: str, secrets: Sequence[str] = ()) -> str:
    """`text` without `secrets`, without user names and passwords of URLs, without what follows a word for a secret."""
    for secret in sorted((s for s in secrets if len(s) > 2), key=len, reverse=True):
        text = text.replace(secret, "***")
    return _TOKENS.sub(r"\1\2***", _USERINFO.sub("//***@", text))


def report(error: BaseException, secrets: Sequence[str] = (), arguments: Sequence[str] = ()) -> str:
    """The text of a report."""
    told = traceback.TracebackException.from_exception(error, capture_locals=False)
    lines = [
        f"inferguard {__version__}, textual {_version('textual')}, Python {platform.python_version()}",
        f"{platform.system()} {platform.release()} {platform.machine()}",
        f"at {time.strftime('%Y-%m-%d %H:%M:%S %z')}, command: {' '.join(arguments)}",
        "terminal: "
        + ", ".join(f"{name}={os.environ[name]}" for name in _SHOWN_VARIABLES if name in os.environ),
        "",
        *(line for part in told.format() for line in part.splitlines()),
    ]
    return (
        "\n".join(printable(line, _LINE) for line in redacted("\n".join(lines), secrets).splitlines()) + "\n"
    )


def write(directory: Path, text: str) -> Path:
    """Put a report into `directory`, readable by its owner only. OSError where that cannot be."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    for old in sorted(directory.glob("crash-*.txt"))[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


def tell(error: BaseException, directory: Path | None, secrets: Sequence[str] = ()) -> tuple[str, ...]:
    """Write the report, and the lines for the person: what happened and where it is written, or all of it."""
    what = printable(redacted(f"{type(error).__name__}: {error}", secrets), 300)
    text = report(error, secrets, sys.argv)
    try:
        if directory is None:
            raise OSError("there is no state directory")  # noqa: TRY301 - one way to say that it is not written
        path = write(directory, text)
    except OSError as refused:
        why = refused.strerror or str(refused)
        return (
            f"a fault of this program: {what}",
            f"the report could not be written ({why}):",
            *text.splitlines(),
        )
    return (
        f"a fault of this program: {what}",
        f"the report is in {path}; please send it with what you were doing",
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
