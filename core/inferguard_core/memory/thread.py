"""The thread that writes: everything that waits, twice a second, in one transaction."""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import TYPE_CHECKING

from inferguard_core.counted import counted
from inferguard_core.frame import PartHealth
from inferguard_core.journal import LOGGER
from inferguard_core.memory import tiers
from inferguard_core.memory.opening import Broken, inode, is_damage, open_for_writing
from inferguard_core.printable import printable

if TYPE_CHECKING:
    from pathlib import Path

    from inferguard_core.memory.pending import Batch, Pending
    from inferguard_core.memory.writing import Writer

WRITE_EVERY_S = 0.5
"""A kill -9 loses what came since: less than a second."""
LAGGING_S = 3.0
RETRY_MAX_S = 30.0
TIDY_EVERY_S = 60.0
LOOK_EVERY_S = 2.0
"""How soon it is noticed that another process has written."""
EVENTS_KEPT = 20_000


class WriterThread(threading.Thread):
    """Writes what `pending` holds into the store at `path` until told to end."""

    def __init__(
        self, path: Path, pending: Pending, writer: Writer, *, max_bytes: float, max_days: float
    ) -> None:
        super().__init__(name="inferguard memory", daemon=True)
        self._path = path
        self._pending = pending
        self._writer = writer
        self._max_bytes = max_bytes
        self._max_days = max_days
        self._connection: sqlite3.Connection | None = None
        self._inode: tuple[int, int] | None = None
        self._broken: Broken | None = None
        self._wake = threading.Event()
        self._over = threading.Event()
        self.ready = threading.Event()
        """Set when the file was opened for the first time, or could not be."""
        self.foreign = 0
        """Rises when another process has written, or another file was opened."""
        self._data_version = -1
        self._failures = 0
        self._down_since: float | None = None
        self._why = ""
        self._told = ""
        self._written = time.monotonic()
        self._tidied = 0.0

    def notify(self) -> None:
        """Something waits."""
        self._wake.set()

    def end(self, timeout_s: float) -> bool:
        """Write what waits and end; whether all of it was written in time."""
        self._over.set()
        self._wake.set()
        self.join(timeout_s)
        return not self.is_alive() and not len(self._pending)

    @property
    def health(self) -> PartHealth:
        waiting = len(self._pending)
        if self._down_since is not None:
            return PartHealth("memory", "down", f"{self._why}; {waiting} wait", self._down_since)
        lost = f"{counted(self._pending.lost, 'record')} gave way" if self._pending.lost else ""
        detail = "; ".join(part for part in (self._told, lost) if part)
        if waiting and time.monotonic() - self._written > LAGGING_S:
            return PartHealth("memory", f"lagging {waiting}", detail)
        return PartHealth("memory", "ok", detail)

    def run(self) -> None:
        self._attempt()
        self.ready.set()
        while not self._over.is_set():
            self._wake.wait(LOOK_EVERY_S)
            if self._over.wait(self._pause()):
                break
            self._wake.clear()
            self._attempt()
        self._attempt()
        self._close()

    def _pause(self) -> float:
        return min(RETRY_MAX_S, WRITE_EVERY_S * 2.0 ** min(self._failures, 10))

    def _attempt(self) -> None:
        """Write one batch; what cannot be written goes back into the queue."""
        batch = self._pending.take()
        try:
            connection = self._open()
            if len(batch):
                self._write(connection, batch)
            self._look(connection)
            self._tidy(connection)
        except (sqlite3.Error, OSError) as error:
            self._pending.give_back(batch)
            self._failed(error)
        else:
            self._failures, self._down_since, self._why = 0, None, ""
            self._written = time.monotonic()

    def _write(self, connection: sqlite3.Connection, batch: Batch) -> None:
        """All of it in one transaction; where a record cannot be written, the others one by one."""
        try:
            self._commit(connection, batch)
        except (sqlite3.Error, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - one record must not end the writing of the others
            parts = batch.parts()
            if len(parts) == 1:
                LOGGER.error("memory cannot write a record", exc_info=error)
                self._told = f"a record could not be written: {printable(repr(error))}"
                return
            for part in parts:
                self._write(connection, part)

    def _commit(self, connection: sqlite3.Connection, batch: Batch) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._writer.write(connection, batch)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _open(self) -> sqlite3.Connection:
        """The connection; another one where the file has been replaced or removed under it."""
        if self._connection is not None and self._inode == inode(self._path):
            return self._connection
        self._close()
        opened = open_for_writing(self._path, self._broken)
        self._broken = None
        self._told = opened.told or self._told
        if opened.told:
            LOGGER.warning("memory: %s", opened.told)
        self._connection, self._inode = opened.connection, inode(self._path)
        self._writer.forget()
        self._data_version = -1
        return opened.connection

    def _look(self, connection: sqlite3.Connection) -> None:
        """SQLite changes this number for what others commit, never for what this connection does."""
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        if version != self._data_version:
            self._data_version = version
            self.foreign += 1

    def _failed(self, error: sqlite3.Error | OSError) -> None:
        self._failures += 1
        self._down_since = self._down_since or time.time()
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        self._why = f"{self._path}: {printable(said)}"
        if isinstance(error, sqlite3.Error) and is_damage(error) and self._inode is not None:
            self._broken = Broken(self._inode, printable(said))
            self._close()
        self._wake.set()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _tidy(self, connection: sqlite3.Connection) -> None:
        """Once a minute: let go of what is too old or too much."""
        if time.monotonic() - self._tidied < TIDY_EVERY_S:
            return
        self._tidied = time.monotonic()
        now = time.time()
        connection.execute("BEGIN IMMEDIATE")
        try:
            tiers.prune(connection, now, self._max_days)
            connection.execute(
                "DELETE FROM events WHERE unix < ? OR number <= (SELECT max(number) FROM events) - ?",
                (now - self._max_days * 86400.0, EVENTS_KEPT),
            )
            while _used(connection) > self._max_bytes and tiers.shed(connection, now):
                pass
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _used(connection: sqlite3.Connection) -> int:
    """Bytes in use; what was let go of stays in the file and is used again."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)
