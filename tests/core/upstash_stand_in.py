"""Stand-ins for two clouds that tests cannot reach: they speak the documented REST forms, and fail when told to.

Redis is a real `redis-server` behind the REST protocol. The index embeds on its own side, by hashed words, as a
real one does by a model: near words give near vectors, and nothing else is promised.
"""

from __future__ import annotations

import asyncio
import base64
import math
import re
import zlib
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

REFUSED_COMMANDS = {"SUBSCRIBE", "PSUBSCRIBE", "BLPOP", "BRPOP", "XREAD", "MONITOR", "WAIT"}


class Faults:
    """What goes wrong from now on."""

    def __init__(self) -> None:
        self.latency_s = 0.0
        self.status = 0
        """Answer with this status and a page of words."""
        self.error = ""
        """Answer with this error in JSON."""
        self.cut = False
        """Close the connection instead of answering, after having done what was asked."""
        self.requests = 0


class StandIn(ABC):
    """One HTTP server of one cloud."""

    def __init__(self, token: str = "secret") -> None:
        self.token = token
        self.faults = Faults()
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=2**22)
        app.router.add_post("/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, "127.0.0.1", int(self.url.rpartition(":")[2] or 0), reuse_address=True
        )
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        faults = self.faults
        faults.requests += 1
        await asyncio.sleep(faults.latency_s)
        if faults.status:
            return web.Response(
                status=faults.status, text="<html>try again later</html>", content_type="text/html"
            )
        if faults.error:
            return web.json_response({"error": faults.error}, status=429)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response({"error": "WRONGPASS invalid or missing auth token"}, status=401)
        body, status = await self.answer(request.match_info["path"], await request.json(), request)
        if faults.cut:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(body, status=status, headers={"Upstash-Sync-Token": "t1"})

    @abstractmethod
    async def answer(self, path: str, asked: Any, request: web.Request) -> tuple[Any, int]:
        """The body and the status for what was `asked` at `path`."""


class RedisStandIn(StandIn):
    """Upstash Redis REST in front of the `redis-server` on `port`."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port
        self._lock = asyncio.Lock()
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def answer(self, path: str, asked: Any, request: web.Request) -> tuple[Any, int]:
        encode = _base64 if request.headers.get("Upstash-Encoding") == "base64" else _plain
        if path == "":
            reply = await self.command(*asked)
            return _item(reply, encode), 400 if isinstance(reply, RedisError) else 200
        replies = [await self.command(*one) for one in asked]
        return [_item(reply, encode) for reply in replies], 200

    async def command(self, *arguments: Any) -> Any:
        """One command to the real server; its reply, an error as a RedisError."""
        if str(arguments[0]).upper() in REFUSED_COMMANDS:
            return RedisError("ERR Command is not available")
        async with self._lock:
            if self._writer is None:
                self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
            encoded = [str(one).encode() for one in arguments]
            self._writer.write(
                b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(e), e) for e in encoded)
            )
            return await self._reply()

    async def stop(self) -> None:
        await super().stop()
        if self._writer is not None:
            self._writer.close()
            self._reader = self._writer = None

    async def _reply(self) -> Any:
        assert self._reader is not None
        line = (await self._reader.readline()).rstrip(b"\r\n")
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return Status(rest.decode())
        if kind == b"-":
            return RedisError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            if rest == b"-1":
                return None
            return (await self._reader.readexactly(int(rest) + 2))[:-2].decode()
        return None if rest == b"-1" else [await self._reply() for _ in range(int(rest))]


class Status(str):
    """A simple string of Redis: never base64."""

    __slots__ = ()


class RedisError(str):
    __slots__ = ()


def _item(reply: Any, encode: Callable[[Any], Any]) -> dict[str, Any]:
    return {"error": str(reply)} if isinstance(reply, RedisError) else {"result": encode(reply)}


def _plain(reply: Any) -> Any:
    return reply


def _base64(reply: Any) -> Any:
    if isinstance(reply, list):
        return [_base64(one) for one in reply]
    if isinstance(reply, str) and reply != "OK":
        return base64.b64encode(reply.encode()).decode()
    return reply


class VectorStandIn(StandIn):
    """Upstash Vector REST with a model on the server's side; a write is visible `delay_s` later."""

    def __init__(self, delay_s: float = 0.1) -> None:
        super().__init__()
        self.delay_s = delay_s
        self.rows: dict[str, dict[str, tuple[dict[str, Any], float]]] = {}
        """By namespace and id: the row and when it becomes visible."""

    async def answer(self, path: str, asked: Any, request: web.Request) -> tuple[Any, int]:
        verb, _, namespace = path.partition("/")
        rows = self.rows.setdefault(namespace, {})
        handlers: dict[str, Callable[[Any], Awaitable[tuple[Any, int]]]] = {}
        if verb == "upsert-data":
            visible = asyncio.get_running_loop().time() + self.delay_s
            if len(asked) > 1000:
                return {"error": "Too many vectors in one batch", "status": 422}, 422
            for row in asked:
                rows[row["id"]] = (row, visible)
            return {"result": "Success"}, 200
        if verb == "query-data":
            return {"result": self._nearest(rows, asked)}, 200
        assert not handlers
        return {"error": f"Not found: {path}", "status": 404}, 404

    def _nearest(
        self, rows: dict[str, tuple[dict[str, Any], float]], asked: dict[str, Any]
    ) -> list[dict[str, Any]]:
        now, wanted = asyncio.get_running_loop().time(), embedded(asked["data"])
        scored = [
            {"id": row["id"], "score": (1.0 + cosine(wanted, embedded(row["data"]))) / 2.0}
            | ({"metadata": row.get("metadata")} if asked.get("includeMetadata") else {})
            for row, visible in rows.values()
            if visible <= now
        ]
        return sorted(scored, key=lambda one: -one["score"])[: asked["topK"]]


def embedded(text: str) -> list[float]:
    vector = [0.0] * 256
    for word in re.findall(r"[a-z0-9]+", text.lower()):
        vector[zlib.crc32(word.encode()) % 256] += 1.0
    return vector


def cosine(one: list[float], other: list[float]) -> float:
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return product / (math.hypot(*one) * math.hypot(*other) or 1.0)
