"""A real pseudo-terminal with a terminal emulator on its other end, to run the program as a person does."""

from __future__ import annotations

import os
import re
import sys
import termios
import time
from typing import TYPE_CHECKING

import pexpect
import pyte

if TYPE_CHECKING:
    from collections.abc import Callable

ENTER_ALTERNATE, LEAVE_ALTERNATE = b"\x1b[?1049h", b"\x1b[?1049l"
SHOW_CURSOR = b"\x1b[?25h"


class Terminal:
    """Runs one `inferguard` command line in `columns` × `rows` and keeps what its screen shows.

    `program` is what Python runs in its place.
    """

    def __init__(
        self,
        *arguments: str,
        columns: int = 120,
        rows: int = 40,
        program: tuple[str, ...] = ("-m", "inferguard_tui"),
        **variables: str,
    ) -> None:
        environment = {
            **os.environ,
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            # The emulator prints the end of the kitty keyboard sequence as a letter.
            "TEXTUAL_DISABLE_KITTY_KEY": "1",
            **variables,
        }
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.written = b""
        self.started = time.monotonic()
        self._child = pexpect.spawn(
            sys.executable,
            [*program, *arguments],
            dimensions=(rows, columns),
            env=environment,
            timeout=None,
        )
        self.modes_before = termios.tcgetattr(self._child.child_fd)

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    def until(self, met: Callable[[str], bool] | str, seconds: float) -> str:
        """Read until the screen meets a condition or contains a text; the screen. AssertionError when it does not."""
        condition = (lambda screen: met in screen) if isinstance(met, str) else met
        deadline = time.monotonic() + seconds
        while not condition(self.text):
            if time.monotonic() > deadline:
                raise AssertionError(f"not seen within {seconds} s:\n{self.text}")
            self.read(0.1)
        return self.text

    def read(self, seconds: float) -> bytes:
        """Take what is written within `seconds`, or nothing at the end of the program."""
        try:
            data = self._child.read_nonblocking(65536, seconds)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return b""
        self.written += data
        self._stream.feed(re.sub(rb"\x1b\[[<>=][0-9;]*[a-z]", b"", data))
        return bytes(data)

    def press(self, keys: str) -> None:
        self._child.send(keys)

    def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(rows, columns)
        self._child.setwinsize(rows, columns)

    def ended(self, seconds: float = 10) -> int | None:
        """The exit status, once everything written has been read; None when killed by a signal."""
        deadline = time.monotonic() + seconds
        while self._child.isalive() and time.monotonic() < deadline:
            self.read(0.1)
        while self.read(0.1):
            pass
        self.modes_after = termios.tcgetattr(self._child.child_fd)
        self._child.close(force=True)
        return self._child.exitstatus

    def hang_up(self) -> None:
        """The connection is lost: the terminal's other end closes."""
        self._child.ptyproc.fileobj.close()
        self._child.ptyproc.closed = True

    def close(self) -> None:
        self._child.close(force=True)
