"""The tasks that empty the outbox, one a cloud: a batch at a time, again after a pause when it fails.

An entry that is refused on its own does not hold up those behind it; it stays and is tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

from inferguard_core.counted import counted
from inferguard_core.memory.records import Sent
from inferguard_core.memory.upstash import outbox, redis, vector
from inferguard_core.memory.upstash.link import AwayError, Link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_core.memory.records import ReadingRow
    from inferguard_core.memory.sqlite import SqliteMemory
    from inferguard_core.memory.upstash.outbox import Item

SEND_S, ASK_S = 10.0, 2.0
"""Deadlines: of a batch nobody waits for, and of a question that somebody does."""
GATHER_S = 1.0
"""What comes within this time goes in one request."""
LOOK_EVERY_S = 15.0
"""Another process on the same file may have left something."""
STATE_EVERY_S = 10.0
REFUSED_MOST = 3


class Sender:
    """Empties the outbox of one target."""

    target = ""

    def __init__(self, local: SqliteMemory) -> None:
        self._local = local
        self._wake = asyncio.Event()
        self.link = Link(self.target, SEND_S)

    def notify(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self.link.waiting = await self._local.read(lambda c: outbox.count(c, self.target), 0)
            with contextlib.suppress(AwayError):
                await self.other_work()
                await self._empty()
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the event.
                async with asyncio.timeout(max(self.link.pause_s, LOOK_EVERY_S)):
                    await self._wake.wait()
            await asyncio.sleep(max(self.link.pause_s, GATHER_S))

    async def close(self) -> None:
        """Let go of the client's sockets."""

    async def other_work(self) -> None:
        """What goes out besides the outbox."""

    async def send(self, items: Sequence[Item]) -> None:
        """One request; it may be repeated."""
        raise AwayError(f"{self.target}: no client for {counted(len(items), 'entry', 'entries')}")

    async def _empty(self) -> None:
        after = 0
        while True:
            read = partial(outbox.items, target=self.target, after=after)
            items: list[Item] = await self._local.read(read, [])
            if not items:
                return
            after = items[-1].number
            sent = await self._sent(items)
            self._local.put(Sent(tuple(sent)))
            self.link.waiting = max(0, self.link.waiting - len(sent))

    async def _sent(self, items: Sequence[Item]) -> list[int]:
        """Numbers of those that were confirmed: all of them, else one by one. Raises AwayError where none was."""
        try:
            await self.link.call(lambda: self.send(items))
        except AwayError:
            if len(items) == 1 or not self.link.refused:
                raise
        else:
            return [item.number for item in items]
        sent: list[int] = []
        for refused, item in enumerate(items, 1):
            self.link.retry()
            try:
                await self.link.call(partial(self.send, [item]))
            except AwayError:
                if refused - len(sent) >= REFUSED_MOST and not sent:
                    raise
            else:
                sent.append(item.number)
        return sent


class RedisSender(Sender):
    """The Redis of several hosts."""

    target = "redis"

    def __init__(self, local: SqliteMemory, url: str, token: str) -> None:
        super().__init__(local)
        self._client: Any = None
        self._where = (url, token)
        self._newest: dict[str, ReadingRow] = {}
        self._state_at = 0.0

    def saw(self, row: ReadingRow) -> None:
        self._newest[row.endpoint] = row

    async def send(self, items: Sequence[Item]) -> None:
        await redis.send(await self._redis(), items)

    async def other_work(self) -> None:
        """Renew the rolling state."""
        now = asyncio.get_running_loop().time()
        if not self._newest or now - self._state_at < STATE_EVERY_S:
            return
        self._state_at = now
        rows, self._newest = list(self._newest.values()), {}
        client = await self._redis()
        await self.link.call(lambda: redis.set_state(client, rows))

    async def bodies(self, ids: Sequence[str]) -> list[Any]:
        client = await self._redis()
        return await self.link.call(lambda: _soon(redis.bodies(client, ids)))

    async def of_endpoint(self, endpoint: str, limit: int) -> list[Any]:
        client = await self._redis()
        return await self.link.call(lambda: _soon(redis.case_bodies(client, endpoint, limit)))

    async def learned(self, endpoint: str) -> Any:
        client = await self._redis()
        return await self.link.call(lambda: _soon(redis.learned(client, endpoint)))

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def _redis(self) -> Any:
        if self._client is None:
            # The first import of a client takes a noticeable part of a second.
            self._client = await asyncio.to_thread(redis.connected, *self._where)
        return self._client


class VectorSender(Sender):
    """The index of several hosts."""

    target = "vector"

    def __init__(self, local: SqliteMemory, url: str, token: str) -> None:
        super().__init__(local)
        self._client: Any = None
        self._where = (url, token)

    async def send(self, items: Sequence[Item]) -> None:
        await vector.send(await self._index(), items)

    async def ask(self, text: str, limit: int) -> list[str]:
        index = await self._index()
        return await self.link.call(lambda: _soon(vector.ask(index, text, limit)))

    async def close(self) -> None:
        if self._client is not None:
            # The client has no close of its own.
            await self._client._client.aclose()  # noqa: SLF001

    async def _index(self) -> Any:
        if self._client is None:
            self._client = await asyncio.to_thread(vector.connected, *self._where)
        return self._client


async def _soon(answer: Any) -> Any:
    async with asyncio.timeout(ASK_S):
        return await answer
