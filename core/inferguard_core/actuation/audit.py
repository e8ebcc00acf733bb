"""The audit: who tried what, when, why, and what came of it, one JSON line each, appended and never changed.

Each line carries the hash of the one before it, so a line that was changed or removed shows. That is evidence
against accidents and tidying, not against someone who rewrites the whole file.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SCHEMA = "inferguard.audit/1"
NAME = "audit.jsonl"
GENESIS = "0" * 64
RECENT_BYTES = 8 * 2**20
"""What a decision looks back on: thousands of lines, more than any cooldown or hourly count reaches."""
LOCK_TRIES, LOCK_PAUSE_S = 40, 0.05
"""Another process holds the lock for a few milliseconds; one that was stopped with it must not hang us."""


class AuditError(Exception):
    """The audit cannot be read or written; the text is one line for a person."""


class Trail(NamedTuple):
    """The audit as read."""

    records: tuple[dict[str, Any], ...]
    broken: tuple[str, ...]
    """Where the chain does not hold, in words: `line 12 is not JSON`."""


class Audit:
    """`audit.jsonl` in the state directory, readable by its owner only."""

    def __init__(self, state_dir: Path) -> None:
        self.path = state_dir / NAME

    def problem(self) -> str:
        """Why nothing can be written, else empty. Writes nothing, but makes the file."""
        try:
            with self._locked():
                return ""
        except AuditError as error:
            return str(error)

    def read(self) -> Trail:
        """Everything there is. A file that is not there is an empty audit. Raises `AuditError`."""
        try:
            return trail(self.path.read_bytes())
        except FileNotFoundError:
            return Trail((), ())
        except OSError as error:
            raise AuditError(f"{self.path}: {error.strerror}") from None

    @contextmanager
    def book(self) -> Iterator[Book]:
        """The audit, locked against other processes while a decision is made. Raises `AuditError`."""
        with self._locked() as file:
            try:
                start = max(0, file.seek(0, os.SEEK_END) - RECENT_BYTES)
                file.seek(start)
                recent = file.read()
                yield Book(file, recent if not start else recent.partition(b"\n")[2])
            except OSError as error:
                raise AuditError(f"{self.path}: {error.strerror}") from None

    @contextmanager
    def _locked(self) -> Iterator[IO[bytes]]:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise AuditError(f"{self.path}: {error.strerror}") from None
        with os.fdopen(handle, "r+b", buffering=0) as file:
            _lock(file, self.path)
            if os.fstat(handle).st_mode & 0o077:
                os.fchmod(handle, 0o600)
            yield file


class Book:
    """A locked audit: what is in it, and a way to append."""

    def __init__(self, file: IO[bytes], content: bytes) -> None:
        parsed = (_parsed(line) for line in content.splitlines())
        self.records = tuple(record for record in parsed if record is not None)
        """Recent lines, oldest first."""
        self._file = file
        self._torn = bool(content) and not content.endswith(b"\n")
        self._last = str(self.records[-1].get("hash", GENESIS)) if self.records else GENESIS

    def append(self, record: Mapping[str, object]) -> None:
        """Write one line and wait until it is on the disk. Raises OSError, as when the disk is full."""
        linked = {"schema": SCHEMA, **record, "prev": self._last}
        linked["hash"] = digest(linked)
        # A line that was cut off by a crash is closed first, so that it spoils only itself.
        data = (b"\n" if self._torn else b"") + _line(linked) + b"\n"
        if self._file.write(data) != len(data):
            raise OSError(28, "written only in part")
        os.fsync(self._file.fileno())
        self._torn, self._last = False, str(linked["hash"])


def trail(content: bytes) -> Trail:
    """The lines of an audit and where their chain breaks."""
    records: list[dict[str, Any]] = []
    broken: list[str] = []
    last = GENESIS
    for number, line in enumerate(content.splitlines(), 1):
        record = _parsed(line)
        if record is None:
            broken.append(f"line {number} is not a JSON object")
            continue
        if record.get("prev") != last:
            broken.append(f"line {number} does not follow the line before it")
        if record.get("hash") != digest(record):
            broken.append(f"line {number} was changed after it was written")
        last = str(record.get("hash"))
        records.append(record)
    return Trail(tuple(records), tuple(broken))


def digest(record: Mapping[str, object]) -> str:
    """SHA-256 of the line as it is written, without the hash itself."""
    return hashlib.sha256(_line({k: v for k, v in record.items() if k != "hash"})).hexdigest()


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _line(record: Mapping[str, object]) -> bytes:
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _lock(file: IO[bytes], path: Path) -> None:
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOCK_PAUSE_S)
        except OSError as error:
            raise AuditError(f"{path}: cannot be locked: {error.strerror}") from None
        else:
            return
    raise AuditError(f"{path}: is held by another process")
