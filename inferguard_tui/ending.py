"""A clean end, however it comes: the terminal is as it was, and the exit code says what ended the program.

A signal asks the application to leave. Should it not manage to within `PATIENCE_S` (a terminal that has gone takes no
more writes), the terminal is restored from here and the process ended, so that a lost connection leaves nothing
behind.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import sys
import termios
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from inferguard_tui.terminal import in_browser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
PATIENCE_S = 3.0
_LEAVE = b"\x1b[?1000;1002;1003;1006;1015;1016;1004;2004;2048l\x1b[<u\x1b[?7h\x1b[?1049l\x1b[?25h\x1b[0m"
"""Mouse, focus, paste and resize reports off, keyboard protocol back, line wrap on, main screen, cursor, no colour."""


class Ending:
    """Ends the application when asked, and the process when that does not help."""

    def __init__(self, leave: Callable[[int], None]) -> None:
        """`leave` asks the application to end with an exit code; it returns at once and may be called anywhere."""
        self.restore = _restorer()
        self._leave = leave
        self._parent = os.getppid()
        self._asked = threading.Event()
        self._over = threading.Event()

    def ask(self, code: int) -> None:
        if not self._asked.is_set():
            self._asked.set()
            threading.Thread(target=self._insist, args=(code,), daemon=True).start()
        self._leave(code)

    def is_unseen(self) -> bool:
        """Nobody can look any more: the terminal was hung up, or the server of the page is gone."""
        if in_browser(os.environ):
            return os.getppid() != self._parent
        return _terminal_is_gone()

    def over(self) -> None:
        """The application has ended."""
        self._over.set()
        self.restore(modes_only=True)

    def _insist(self, code: int) -> None:
        if not self._over.wait(PATIENCE_S):
            self.restore()
            os._exit(code)


@contextmanager
def clean_end(leave: Callable[[int], None]) -> Iterator[Ending]:
    """Around the run of the application, whose `leave` a signal calls with an exit code."""
    ending = Ending(leave)
    # One that whoever started us wants ignored (nohup) stays ignored.
    before = {number: signal.getsignal(number) for number in SIGNALS}
    taken = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    for number in taken:
        signal.signal(number, lambda got, _frame: ending.ask(128 + got))
    try:
        yield ending
    finally:
        ending.over()
        for number in taken:
            signal.signal(number, before[number])


def _terminal_is_gone() -> bool:
    # Reading from a terminal that was hung up returns at once, for ever.
    try:
        termios.tcgetattr(0)
    except termios.error as error:
        return errno.EIO in error.args
    return False


def _restorer() -> Callable[..., None]:
    """A function that puts the terminal back as it is now; nothing is done where there is no terminal."""
    terminal = next(
        (s.fileno() for s in (sys.__stdin__, sys.__stderr__) if s is not None and s.isatty()), None
    )
    if terminal is None:
        return lambda **_: None
    try:
        modes = termios.tcgetattr(terminal)
    except termios.error:
        return lambda **_: None

    def restore(*, modes_only: bool = False) -> None:
        with suppress(OSError, termios.error):
            termios.tcsetattr(terminal, termios.TCSANOW, modes)
        if not modes_only:
            with suppress(OSError):
                # The terminal may be full or gone, and nothing may wait for it any more.
                if select.select([], [terminal], [], 0)[1]:
                    os.write(terminal, _LEAVE)

    return restore
