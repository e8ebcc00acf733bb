"""Webhook receivers as real servers on the loopback, good and bad, and what they were sent."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable

ACCEPTED = b'{"accepted": true, "reference": "job-7"}'


@dataclass
class Taken:
    """One request as it came over the wire."""

    head: bytes
    body: bytes

    def header(self, name: str) -> str | None:
        for row in self.head.split(b"\r\n")[1:]:
            key, _, value = row.partition(b":")
            if key.strip().lower() == name.lower().encode():
                return value.strip().decode()
        return None


@dataclass
class Receiver:
    url: str = ""
    taken: list[Taken] = field(default_factory=list)


def answer(body: bytes = ACCEPTED, status: str = "200 OK", *headers: str) -> Callable[..., Awaitable[None]]:
    """A handler that answers so."""

    async def handle(writer: asyncio.StreamWriter) -> None:
        rows = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
        writer.write("\r\n".join(rows).encode() + b"\r\n\r\n" + body)
        await writer.drain()

    return handle


@asynccontextmanager
async def receiver(
    handle: Callable[[asyncio.StreamWriter], Awaitable[None]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """A server that keeps each request and answers by `handle`."""
    seen = Receiver()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            one = Taken(head, b"")
            length = int(one.header("content-length") or 0)
            seen.taken.append(Taken(head, await reader.readexactly(length)))
            await handle(writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    seen.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}/actuate"
    try:
        yield seen
    finally:
        server.close()
        server.close_clients() if hasattr(server, "close_clients") else None
