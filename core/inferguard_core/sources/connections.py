"""Connections to endpoints under httpx's interface: asyncio's streams, h11 for the protocol, little else.

httpx's own pool searches all its connections for every request, which makes many endpoints dear, and brings four
packages with it; aiohttp's is fast and 5 MiB larger than this. What a monitor asks is one GET at a time of each
endpoint, so the connections are kept by endpoint and there is nothing to search. `bench/scrape.py` prints the cost.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, NamedTuple

import h11
import httpx
from aiohappyeyeballs import start_connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEEP_ALIVE_S: Final = 4.0
"""Less than the 5 s after which uvicorn, the server of both engines, closes an idle connection."""
_HAPPY_EYEBALLS_S: Final = 0.25
"""The next address of a name is tried after so long (RFC 8305)."""
_READ_BYTES: Final = 65536


class _StaleError(Exception):
    """A connection that was kept had been closed by the other side before it answered anything."""


class Origin(NamedTuple):
    """Where a connection leads."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: httpx.URL) -> Origin:
        port = url.port or (443 if url.scheme == "https" else 80)
        return cls(url.scheme, url.raw_host.decode("ascii"), port)


class Connection:
    """One connection, used for one request after another."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._protocol = h11.Connection(h11.CLIENT)
        self._used = False
        self.expiry: asyncio.TimerHandle | None = None
        """Ends it when nobody has used it for a while."""

    @property
    def is_open(self) -> bool:
        return not (self._reader.at_eof() or self._writer.is_closing())

    async def ask(self, request: httpx.Request) -> h11.Response:
        """Send `request`, which has no body; the head of what comes back."""
        head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
        self._writer.write(self._protocol.send(head) or b"")
        self._protocol.send(h11.EndOfMessage())
        answered = False
        try:
            await self._writer.drain()
            while True:
                event = self._protocol.next_event()
                if isinstance(event, h11.Response):
                    return event
                if event is h11.NEED_DATA:
                    answered = await self._receive(head=not answered) or answered
        except h11.RemoteProtocolError as error:
            raise httpx.RemoteProtocolError(str(error)) from error
        except (OSError, EOFError) as error:
            if self._used and not answered:
                raise _StaleError from error
            raise httpx.ReadError("no answer") from error
        finally:
            self._used = True

    async def _receive(self, *, head: bool) -> bool:
        data = await self._reader.read(_READ_BYTES)
        if not data and head:
            raise EOFError
        if head and not b"HTTP/".startswith(data[:5]):
            # h11 waits for the end of the head, which a server of another protocol may never send.
            raise h11.RemoteProtocolError("not HTTP")
        self._protocol.receive_data(data)
        return True

    async def body(self) -> AsyncIterator[bytes]:
        try:
            while True:
                event = self._protocol.next_event()
                if event is h11.NEED_DATA:
                    self._protocol.receive_data(await self._reader.read(_READ_BYTES))
                elif isinstance(event, h11.Data):
                    yield bytes(event.data)
                else:
                    return
        except (h11.RemoteProtocolError, OSError) as error:
            raise httpx.ReadError(str(error)) from error

    def rest(self) -> bool:
        """Make ready for the next request; False when there cannot be one."""
        if (self._protocol.our_state, self._protocol.their_state) != (h11.DONE, h11.DONE):
            return False
        self._protocol.start_next_cycle()
        return self.is_open

    def close(self) -> None:
        """At once: nothing is owed to the other side, and a hung one must not hold it."""
        if self.expiry is not None:
            self.expiry.cancel()
        self._writer.transport.abort()


class Connections(httpx.AsyncBaseTransport):
    """Sends requests without a body, and keeps what is left open by origin."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        """`context` verifies who speaks TLS; None trusts whom the system trusts."""
        self._context = context
        self._idle: dict[Origin, list[Connection]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        origin = Origin.of(request.url)
        while True:
            connection = self._kept(origin) or await self._connect(origin)
            try:
                head = await connection.ask(request)
            except _StaleError:
                # As RFC 9112, 9.3.1 has it: a server may close at any time, and a GET may be sent again.
                connection.close()
                continue
            except BaseException:
                connection.close()
                raise
            return httpx.Response(
                head.status_code,
                headers=head.headers.raw_items(),
                stream=_Body(self, origin, connection),
                extensions={
                    "http_version": b"HTTP/" + head.http_version,
                    "reason_phrase": bytes(head.reason),
                },
            )

    async def aclose(self) -> None:
        for kept in self._idle.values():
            for connection in kept:
                connection.close()
        self._idle.clear()
        # The transports close their sockets in the loop's next turn.
        await asyncio.sleep(0)

    def give_back(self, origin: Origin, connection: Connection) -> None:
        if not connection.rest():
            connection.close()
            return
        loop = asyncio.get_running_loop()
        connection.expiry = loop.call_later(KEEP_ALIVE_S, self._expire, origin, connection)
        self._idle.setdefault(origin, []).append(connection)

    def _kept(self, origin: Origin) -> Connection | None:
        kept = self._idle.get(origin, [])
        while kept:
            connection = kept.pop()
            if connection.is_open:
                if connection.expiry is not None:
                    connection.expiry.cancel()
                return connection
            connection.close()
        return None

    def _expire(self, origin: Origin, connection: Connection) -> None:
        kept = self._idle.get(origin, [])
        with suppress(ValueError):
            kept.remove(connection)
        if not kept:
            self._idle.pop(origin, None)
        connection.close()

    async def _connect(self, origin: Origin) -> Connection:
        context = None
        if origin.scheme == "https":
            # The system's authorities are 30 to 50 ms and 1.1 MiB: read where an endpoint needs them.
            self._context = context = self._context or ssl.create_default_context()
        return Connection(*await _streams(origin, context))


async def _streams(
    origin: Origin, context: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the first address of the name that answers."""
    host, port = origin.host, origin.port
    if _is_address(host):
        return await asyncio.open_connection(host, port, ssl=context)
    addresses = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # asyncio's own race of addresses fails under the eager tasks that Textual sets (Python 3.12, 3.13).
    taken = await start_connection(addresses, happy_eyeballs_delay=_HAPPY_EYEBALLS_S)
    return await asyncio.open_connection(sock=taken, ssl=context, server_hostname=host if context else None)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


class _Body(httpx.AsyncByteStream):
    """What follows the head; its end decides whether the connection can be used again."""

    def __init__(self, connections: Connections, origin: Origin, connection: Connection) -> None:
        self._connections = connections
        self._origin = origin
        self._connection = connection

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._connection.body()

    async def aclose(self) -> None:
        self._connections.give_back(self._origin, self._connection)
