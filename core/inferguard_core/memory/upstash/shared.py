"""The memory of several hosts: the local store, and behind it whichever of Redis and Vector is set up.

Reads are local; what only others have seen is fetched at a monitor's start and when the index names it. A cloud
that is away is a state to show: writes wait in the outbox, recall falls back to the words that are here.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from inferguard_core.memory import recalling
from inferguard_core.memory.case import Case
from inferguard_core.memory.codec import decode
from inferguard_core.memory.records import ReadingRow
from inferguard_core.memory.upstash.link import AwayError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from inferguard_core.actions import ActionHistory
    from inferguard_core.followup import Similar
    from inferguard_core.frame import PartHealth
    from inferguard_core.memory.elsewhere import Rewritten
    from inferguard_core.memory.protocol import Query, Record
    from inferguard_core.memory.sqlite import SqliteMemory
    from inferguard_core.memory.upstash.sending import RedisSender, Sender, VectorSender

ASKED = 50
"""Answers of the index that take part in the fusion."""


WRITTEN_S, WRITTEN_TRIES = 2.0, 10
"""What was fetched for an answer is waited for so long until it is in the local store."""


class SharedMemory:
    """A `Memory` of several hosts."""

    def __init__(
        self, local: SqliteMemory, redis: RedisSender | None = None, vector: VectorSender | None = None
    ) -> None:
        self._local = local
        self._redis = redis
        self._vector = vector
        self._senders: tuple[Sender, ...] = tuple(s for s in (redis, vector) if s is not None)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await self._local.start()
        self._tasks = [asyncio.create_task(sender.run()) for sender in self._senders]

    async def close(self) -> None:
        """Write what is queued here; what is not sent yet is sent by the next run."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(sender.close() for sender in self._senders), return_exceptions=True)
        await self._local.close()

    @property
    def health(self) -> tuple[PartHealth, ...]:
        return (*self._local.health, *(sender.link.health for sender in self._senders))

    def put(self, record: Record) -> None:
        self._local.put(record)
        if isinstance(record, ReadingRow) and self._redis is not None:
            self._redis.saw(record)
        for sender in self._senders:
            sender.notify()

    async def case(self, incident_id: str) -> Case | None:
        known = await self._local.case(incident_id)
        if known is not None or self._redis is None:
            return known
        found = await _fetched(self._redis, lambda redis: redis.bodies([incident_id]))
        return found[0] if found else None

    async def cases(self, endpoint: str | None = None, limit: int = 100) -> tuple[Case, ...]:
        """Those known here; of an endpoint that is new here also those that others have seen."""
        known = await self._local.cases(endpoint, limit)
        if known or endpoint is None or self._redis is None:
            return known
        found = await _fetched(self._redis, lambda redis: redis.of_endpoint(endpoint, limit))
        for case in found:
            self._local.put(case)
        return tuple(sorted(found, key=lambda case: -case.incident.opened_unix))

    async def learned(self, endpoint: str) -> Mapping[str, Any] | None:
        known = await self._local.learned(endpoint)
        if known is not None or self._redis is None:
            return known
        try:
            found = await self._redis.learned(endpoint)
        except AwayError:
            return None
        return found if isinstance(found, dict) else None

    async def readings(self, endpoint: str, since: float) -> tuple[ReadingRow, ...]:
        return await self._local.readings(endpoint, since)

    async def events(self, endpoint: str | None = None, limit: int = 100) -> tuple[Mapping[str, Any], ...]:
        return await self._local.events(endpoint, limit)

    async def audit(self, limit: int = 100) -> tuple[Mapping[str, Any], ...]:
        return await self._local.audit(limit)

    async def track_record(self) -> ActionHistory:
        return await self._local.track_record()

    async def rewritten(self) -> tuple[Rewritten, ...]:
        return await self._local.rewritten()

    async def recall(self, query: Query) -> tuple[Similar, ...]:
        """As the local store does, with the words' part taken from the index where that answers."""
        if self._vector is None or not query.text.strip():
            return await self._local.recall(query)
        try:
            ids = await self._vector.ask(query.text, ASKED)
        except AwayError:
            return await self._local.recall(query)
        await self._fetch_unknown(ids[: query.limit])
        return await self._local.read(lambda connection: recalling.recall(connection, query, ids), ())

    async def _fetch_unknown(self, ids: Sequence[str]) -> None:
        """Bring incidents here that others have seen and the index names."""
        if self._redis is None:
            return
        unknown: list[str] = await self._local.read(lambda connection: _unknown(connection, ids), [])
        fetched = await _fetched(self._redis, lambda redis: redis.bodies(unknown)) if unknown else []
        for case in fetched:
            self._local.put(case)
        named = [case.id for case in fetched]
        for _ in range(WRITTEN_TRIES):
            missing: list[str] = await self._local.read(lambda connection: _unknown(connection, named), [])
            if not missing:
                return
            await asyncio.sleep(WRITTEN_S / WRITTEN_TRIES)


def _unknown(connection: sqlite3.Connection, ids: Sequence[str]) -> list[str]:
    return [
        one
        for one in ids
        if connection.execute("SELECT 1 FROM cases WHERE id = ?", (one,)).fetchone() is None
    ]


async def _fetched(redis: RedisSender, ask: Any) -> list[Case]:
    try:
        bodies = await ask(redis)
    except AwayError:
        return []
    return [case for body in bodies if (case := _decoded(body)) is not None]


def _decoded(body: Any) -> Case | None:
    try:
        return replace(decode(Case, body), recording="")
    except ValueError:
        return None
