"""The default memory: one SQLite file, written by a thread of its own and read by whoever asks.

Several processes may use one file at the same time. A write that fails is tried again and shows in `health`; a
read that fails answers that there is nothing, and shows there too.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import uuid
import zlib
from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeVar

from inferguard_core.actions import ActionHistory
from inferguard_core.frame import PartHealth
from inferguard_core.memory import recalling, tiers, track
from inferguard_core.memory.elsewhere import Rewritten, Versions
from inferguard_core.memory.opening import open_for_reading
from inferguard_core.memory.pending import Pending
from inferguard_core.memory.thread import WriterThread
from inferguard_core.memory.writing import Writer, opened
from inferguard_core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from inferguard_core.followup import Similar
    from inferguard_core.memory.case import Case
    from inferguard_core.memory.protocol import Query, Record
    from inferguard_core.memory.records import ReadingRow

T = TypeVar("T")
CLOSE_S = 3.0
"""How long an ending program waits for the last write."""
START_S = 5.0
REOPEN_S = 600.0


class SqliteMemory:
    """A `Memory` in the file `path`; with `read_only` what is put is left out and the file is never made."""

    def __init__(
        self,
        path: Path,
        *,
        read_only: bool = False,
        max_mib: float = 512.0,
        max_days: float = 30.0,
        reopen_s: float = REOPEN_S,
        shared: tuple[str, ...] = (),
    ) -> None:
        """`reopen_s` is the limit `reopen_within`; `shared` names stores elsewhere that are to be told."""
        self.path = path
        self._read_only = read_only
        self._pending = Pending()
        name = uuid.uuid4().hex
        self._writer = WriterThread(
            path,
            self._pending,
            Writer(name, reopen_s, shared),
            max_bytes=max_mib * 2**20,
            max_days=max_days,
        )
        self._unread = ""
        self._versions = Versions(name)
        self._looked = -1

    async def start(self) -> None:
        if not self._read_only:
            self._writer.start()
            await asyncio.to_thread(self._writer.ready.wait, START_S)

    async def close(self) -> None:
        if self._writer.is_alive():
            await asyncio.to_thread(self._writer.end, CLOSE_S)

    @property
    def health(self) -> tuple[PartHealth, ...]:
        if self._read_only:
            return (PartHealth("memory", "read-only", self._unread),)
        written = self._writer.health
        if self._unread and not written.detail:
            written = PartHealth(written.part, written.state, self._unread, written.since_unix)
        return (written,)

    def put(self, record: Record) -> None:
        if not self._read_only:
            self._pending.put(record)
            self._writer.notify()

    async def case(self, incident_id: str) -> Case | None:
        return await self.read(lambda connection: _case(connection, incident_id), None)

    async def cases(self, endpoint: str | None = None, limit: int = 100) -> tuple[Case, ...]:
        return await self.read(lambda connection: _cases(connection, endpoint, limit), ())

    async def learned(self, endpoint: str) -> Mapping[str, Any] | None:
        return await self.read(lambda connection: _learned(connection, endpoint), None)

    async def readings(self, endpoint: str, since: float) -> tuple[ReadingRow, ...]:
        return await self.read(lambda connection: tiers.since(connection, endpoint, since), ())

    async def events(self, endpoint: str | None = None, limit: int = 100) -> tuple[Mapping[str, Any], ...]:
        return await self.read(lambda connection: _lines(connection, "events", endpoint, limit), ())

    async def audit(self, limit: int = 100) -> tuple[Mapping[str, Any], ...]:
        return await self.read(lambda connection: _lines(connection, "audit", None, limit), ())

    async def recall(self, query: Query) -> tuple[Similar, ...]:
        return await self.read(lambda connection: recalling.recall(connection, query), ())

    async def track_record(self) -> ActionHistory:
        return await self.read(track.record, ActionHistory())

    async def rewritten(self) -> tuple[Rewritten, ...]:
        foreign = self._writer.foreign
        if foreign == self._looked and not self._read_only:
            return ()
        nothing: tuple[Rewritten, ...] | None = None
        found = await self.read(self._versions.changed, nothing)
        if found is not None:
            self._looked = foreign
        return found or ()

    async def read(self, ask: Callable[[sqlite3.Connection], T], nothing: T) -> T:
        """What `ask` gets from the store, off the event loop; `nothing` where there is none to ask."""

        def asked() -> T:
            try:
                with closing(open_for_reading(self.path)) as connection:
                    answer = ask(connection)
            except (sqlite3.Error, ValueError) as error:
                self._unread = _unread(self.path, error)
                return nothing
            self._unread = ""
            return answer

        return await asyncio.to_thread(asked)


def _unread(path: Path, error: Exception) -> str:
    """Why nothing could be read; empty where there is no file yet, which is no trouble."""
    try:
        path.stat()
    except FileNotFoundError:
        return ""
    except OSError as barred:
        return f"{path}: {printable(barred.strerror or str(barred))}"
    return f"{path}: {printable(str(error))}"


def _case(connection: sqlite3.Connection, incident_id: str) -> Case | None:
    row = connection.execute(
        "SELECT whole FROM cases WHERE id = coalesce((SELECT case_id FROM other_names WHERE id = :id), :id)",
        {"id": incident_id},
    ).fetchone()
    return None if row is None else opened(row[0])


def _cases(connection: sqlite3.Connection, endpoint: str | None, limit: int) -> tuple[Case, ...]:
    rows = connection.execute(
        "SELECT whole FROM cases WHERE :endpoint IS NULL OR endpoint = :endpoint"
        " ORDER BY opened_unix DESC LIMIT :limit",
        {"endpoint": endpoint, "limit": limit},
    )
    return tuple(opened(whole) for (whole,) in rows)


def _learned(connection: sqlite3.Connection, endpoint: str) -> Mapping[str, Any] | None:
    row = connection.execute("SELECT whole FROM learned WHERE endpoint = ?", (endpoint,)).fetchone()
    if row is None:
        return None
    try:
        known = json.loads(zlib.decompress(row[0]))
    except zlib.error as error:
        raise ValueError(f"what {endpoint} taught is damaged: {error}") from error
    return known if isinstance(known, dict) else None


def _lines(
    connection: sqlite3.Connection, table: str, endpoint: str | None, limit: int
) -> tuple[Mapping[str, Any], ...]:
    """The newest lines of `events` or `audit`, the oldest of them first."""
    where = "" if endpoint is None else "WHERE endpoint = :endpoint"
    rows = connection.execute(
        f"SELECT line FROM {table} {where} ORDER BY number DESC LIMIT :limit",  # noqa: S608 - one of two names
        {"endpoint": endpoint, "limit": limit},
    ).fetchall()
    return tuple(json.loads(line) for (line,) in reversed(rows))
