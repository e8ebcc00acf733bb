"""One GET as a value: its text or the reason there is none.

Everything is bounded: time by one deadline around the whole attempt (a server that drips bytes resets any
timeout per read), memory by a cap on the decoded body that also holds for a gzip bomb.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inferguard_core.printable import printable
from inferguard_core.reading import Engine
from inferguard_core.sources import explain
from inferguard_core.sources.access import Access, authorization
from inferguard_core.sources.guard import ENGINE_EXTENSION

if TYPE_CHECKING:
    import httpx

    from inferguard_core.poll import Failure
    from inferguard_core.sources.address import Address

SIMULATED_HEADER = "x-inferguard-simulated"
"""Sent by our own simulated engine, so that its numbers are never shown as an engine's."""

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
"""Lets zlib tell the two containers apart by their first bytes."""

_EXPOSITION = re.compile(
    r"^[ \t]*(# (HELP|TYPE|UNIT) |# EOF|[a-zA-Z_:][\w:]*(\{[^\n]*\})?[ \t]+[-+]?([0-9.]|nan|inf))",
    re.MULTILINE | re.IGNORECASE | re.ASCII,
)
_LOOK_AT = 4096
"""Characters that are enough to tell metrics from something else."""


@dataclass(frozen=True, slots=True)
class Page:
    text: str
    size: int
    """Bytes of the decoded body."""
    simulated: bool = False
    """It came with `SIMULATED_HEADER`."""


def build_request(
    client: httpx.AsyncClient, address: Address, access: Access, path: str, engine: Engine = Engine.UNKNOWN
) -> httpx.Request:
    """A GET of `path` at `address`, with credentials. It may be sent again and again."""
    headers = {"accept": "text/plain;version=0.0.4;q=1,*/*;q=0.1", "accept-encoding": "gzip"}
    if _is_loopback(address):
        # The engine's API process would compress a page that travels through memory.
        headers["accept-encoding"] = "identity"
    if credentials := authorization(access, address.login):
        headers["authorization"] = credentials
    return client.build_request(
        "GET", address.base + path, headers=headers, extensions={ENGINE_EXTENSION: engine}
    )


async def fetch(
    client: httpx.AsyncClient, request: httpx.Request, name: str, access: Access
) -> Page | Failure:
    """Send `request` and read the body within `access`'s limits. Raises for nothing that an endpoint does."""
    attempt = _Attempt(client, request, name, access)
    try:
        async with asyncio.timeout(access.timeout_s):
            return await attempt.run()
    except TimeoutError:
        return explain.timed_out(name, access.timeout_s, attempt.received)
    except explain.TRANSPORT_ERRORS as error:
        return explain.connection_failure(name, error, attempt.received or 0)


class _Attempt:
    """One exchange, and how far it came: what a person is told about a failure depends on that."""

    def __init__(self, client: httpx.AsyncClient, request: httpx.Request, name: str, access: Access) -> None:
        self._client = client
        self._request = request
        self._name = name
        self._limit = access.max_body_bytes
        self.received: int | None = None
        """Bytes of the body off the wire; None before the headers."""

    async def run(self) -> Page | Failure:
        response = await self._client.send(self._request, stream=True)
        try:
            self.received = 0
            return explain.status_failure(self._name, response) or await self._read(response)
        finally:
            await response.aclose()

    async def _read(self, response: httpx.Response) -> Page | Failure:
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("identity", "", "gzip", "x-gzip", "deflate"):
            return explain.not_metrics(self._name, f"a body in the encoding {printable(encoding, 40)}")
        inflate = None if encoding in ("identity", "") else zlib.decompressobj(_GZIP_OR_ZLIB)
        body = bytearray()
        async for chunk in response.aiter_raw():
            self.received = (self.received or 0) + len(chunk)
            try:
                # One byte over the limit is enough to know; a bomb is never inflated further.
                body += inflate.decompress(chunk, self._limit - len(body) + 1) if inflate else chunk
            except zlib.error:
                return explain.not_metrics(self._name, f"a body that is not valid {encoding}")
            if len(body) > self._limit:
                return explain.too_large(self._name, self._limit)
        if inflate and not inflate.eof:
            return explain.cut_off(self._name, self.received or 0)
        simulated = SIMULATED_HEADER in response.headers
        return Page(body.decode("utf-8", "replace"), len(body), simulated)


def complaint(text: str) -> str | None:
    """What `text` is when it is not exposition text. An empty page is one: nothing has been counted yet."""
    head = text[:_LOOK_AT].lstrip("\ufeff \t\r\n")
    if not head or _EXPOSITION.search(head):
        return None
    if head.startswith("<"):
        return "an HTML page"
    if head.startswith(("{", "[")):
        return "JSON"
    return f"\u201c{printable(head.splitlines()[0], 40)}\u201d"


def _is_loopback(address: Address) -> bool:
    return address.name.startswith(("127.", "localhost:", "[::1]:"))
