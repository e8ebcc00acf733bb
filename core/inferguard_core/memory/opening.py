"""Opens the store's file: made private, brought up to date, and set aside where it is not ours to write.

A file that is damaged, of a newer version or of another program is renamed, never overwritten, and said so.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from inferguard_core.memory.schema import APPLICATION_ID, MIGRATIONS
from inferguard_core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY_S = 5.0
"""How long a write waits for another process's write."""
CACHE_KIB = 2048


class Opened(NamedTuple):
    """A connection, and what a person should know about how it came to be."""

    connection: sqlite3.Connection
    told: str = ""


class Unfit(Exception):  # noqa: N818 - it says what the file is, not that we erred
    """The file cannot be used as it is; `label` goes into the name it is set aside under."""

    def __init__(self, label: str, why: str) -> None:
        super().__init__(why)
        self.label = label


class Broken(NamedTuple):
    """A file that turned out to be damaged while it was in use."""

    inode: tuple[int, int]
    why: str


def open_for_writing(path: Path, broken: Broken | None = None) -> Opened:
    """The store at `path`, made or brought up to date. Raises OSError or sqlite3.Error where neither can be done.

    A `broken` file is set aside, unless another process has already done so.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(path):
        try:
            if broken is not None and inode(path) == broken.inode:
                raise Unfit("damaged", f"is damaged ({broken.why})")  # noqa: TRY301
            return Opened(_current(path))
        except Unfit as unfit:
            aside = _set_aside(path, unfit.label)
            return Opened(_current(path), f"{path} {unfit}; it is kept as {aside.name}, a new one was begun")


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot write. Raises sqlite3.Error where there is no store of this version."""
    connection = sqlite3.connect(
        f"file:{_quoted(path)}?mode=ro", uri=True, timeout=BUSY_S, check_same_thread=False
    )
    try:
        _judge(connection)
        if _version(connection) != len(MIGRATIONS):
            raise Unfit("older", "is of an older version; a command that may write brings it up to date")  # noqa: TRY301
    except Unfit as unfit:
        connection.close()
        raise sqlite3.DatabaseError(f"{path} {unfit}") from unfit
    except BaseException:
        connection.close()
        raise
    return connection


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is broken, rather than busy, full or out of reach."""
    return type(error) is sqlite3.DatabaseError or "malformed" in str(error)


def inode(path: Path) -> tuple[int, int] | None:
    """Which file stands at `path`."""
    try:
        known = os.stat(path)  # noqa: PTH116 - asked twice a second
    except OSError:
        return None
    return known.st_dev, known.st_ino


def _current(path: Path) -> sqlite3.Connection:
    # Made here, since SQLite would make it by the umask; the files beside it take its mode.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False, isolation_level=None)
    try:
        _judge(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        # A kill loses nothing that was committed; only a loss of power may cost the last transactions.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute("PRAGMA journal_size_limit = 4194304")
        _migrate(connection)
    except sqlite3.Error as error:
        connection.close()
        if is_damage(error):
            raise Unfit("damaged", f"is damaged ({printable(str(error))})") from error
        raise
    except BaseException:
        connection.close()
        raise
    return connection


def _judge(connection: sqlite3.Connection) -> None:
    try:
        version = _version(connection)
        (owner,) = connection.execute("PRAGMA application_id").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            raise Unfit("damaged", f"is damaged ({printable(str(error))})") from error
        raise
    if tables and owner != APPLICATION_ID:
        raise Unfit("foreign", "belongs to another program")
    if version > len(MIGRATIONS):
        raise Unfit("newer", f"is of a newer version ({version}, known are {len(MIGRATIONS)})")


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _migrate(connection: sqlite3.Connection) -> None:
    for number in range(_version(connection), len(MIGRATIONS)):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in MIGRATIONS[number]:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number + 1}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def _set_aside(path: Path, label: str) -> Path:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    aside = path.with_name(f"{path.name}.{label}-{stamp}")
    count = 1
    while aside.exists():
        count += 1
        aside = path.with_name(f"{path.name}.{label}-{stamp}-{count}")
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + suffix))
    return aside


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time decides what to do with the file."""
    lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _quoted(path: Path) -> str:
    from urllib.parse import quote

    return quote(str(path.absolute()))
