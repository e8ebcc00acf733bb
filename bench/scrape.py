"""What one scrape costs in CPU: our connections under httpx, plain httpx, and aiohttp alone, in one run.

They ask the same server, in a process of its own, for the same page of the size that a vLLM engine with
one model serves. Only this process' CPU is counted, so a busy machine changes the result little. Ratios are
the finding; milliseconds depend on the machine.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import httpx

from inferguard_core.sources.access import Access
from inferguard_core.sources.address import Address
from inferguard_core.sources.client import open_client
from inferguard_core.sources.direct import DirectSource

REQUESTS = 400
CONCURRENT = 50
PAGE_BYTES = 60_000
_SERVE = "--serve"

Ask = Callable[[], Awaitable[None]]


def _page() -> bytes:
    line = 'vllm:request_success_total{engine="0",finished_reason="stop",model_name="model-%06d"} 1234.0\n'
    body = "".join(line % i for i in range(PAGE_BYTES // len(line % 0))).encode()
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _serve() -> None:
    page = _page()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(page)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=256)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


@asynccontextmanager
async def _plain_httpx(url: str) -> AsyncIterator[Ask]:
    async with httpx.AsyncClient(trust_env=False) as client:

        async def ask() -> None:
            (await client.get(url)).raise_for_status()

        yield ask


def _client() -> httpx.AsyncClient:
    client = open_client(Access())
    assert isinstance(client, httpx.AsyncClient), client
    return client


@asynccontextmanager
async def _our_connections(url: str) -> AsyncIterator[Ask]:
    async with _client() as client:

        async def ask() -> None:
            (await client.get(url)).raise_for_status()

        yield ask


@asynccontextmanager
async def _direct_source(url: str) -> AsyncIterator[Ask]:
    host = url.removeprefix("http://").partition("/")[0]
    async with _client() as client:
        source = DirectSource(Address(f"http://{host}", host), Access(), client=client)

        async def ask() -> None:
            if (poll := await source.poll()).failure:
                raise RuntimeError(poll.failure.message)

        yield ask


@asynccontextmanager
async def _raw_aiohttp(url: str) -> AsyncIterator[Ask]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask() -> None:
            async with session.get(url) as response:
                await response.read()

        yield ask


async def _cpu_ms(ask: Ask, concurrent: int) -> float:
    await ask()
    rounds = REQUESTS // concurrent
    begin = time.process_time()
    for _ in range(rounds):
        await asyncio.gather(*(ask() for _ in range(concurrent)))
    return (time.process_time() - begin) / (rounds * concurrent) * 1000


async def _measure(url: str) -> list[str]:
    clients = {
        "aiohttp alone": _raw_aiohttp,
        "httpx on our connections": _our_connections,
        "plain httpx": _plain_httpx,
        "DirectSource.poll": _direct_source,
    }
    lines: list[str] = []
    for concurrent in (1, CONCURRENT):
        base: float | None = None
        for name, opened in clients.items():
            async with opened(url) as ask:
                cost = await _cpu_ms(ask, concurrent)
            base = base or cost
            lines.append(
                f"scrape {name}, {concurrent} at once: {cost:.2f} ms CPU, {cost / base:.1f} x aiohttp"
            )
    return lines


def run() -> list[str]:
    server = subprocess.Popen(
        [sys.executable, __file__, _SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        return asyncio.run(_measure(f"http://127.0.0.1:{int(server.stdout.readline())}/metrics"))
    finally:
        server.terminate()
        server.communicate()


if __name__ == "__main__":
    if sys.argv[1:] == [_SERVE]:
        asyncio.run(_serve())
    else:
        print("\n".join(run()))
