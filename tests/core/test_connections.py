"""Connections that are kept, come back, go stale and end, against real sockets."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from inferguard_core.sources import connections
from inferguard_core.sources.connections import Connections
from tests.e2e.hostile import PAGE, Authority, listening, response


class Counting:
    """Answers every request until `answers` are given on one connection, then closes it."""

    def __init__(self, answers: int = 1_000, data: bytes = response(PAGE)) -> None:
        self.opened = 0
        self.ended = 0
        self.asked = 0
        self._answers = answers
        self._data = data

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        try:
            for _ in range(self._answers):
                await reader.readuntil(b"\r\n\r\n")
                self.asked += 1
                writer.write(self._data)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.ended += 1


async def asked(client: httpx.AsyncClient, at: str, times: int) -> list[str]:
    return [(await client.get(f"http://{at}/metrics")).text for _ in range(times)]


def client() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=Connections(), timeout=None, trust_env=False)


async def test_one_connection_serves_one_request_after_another():
    server = Counting()
    async with listening(server) as at, client() as asks:
        assert await asked(asks, at, 5) == [PAGE] * 5
    assert (server.opened, server.asked) == (1, 5)


async def test_a_name_is_tried_at_all_its_addresses():
    """`localhost` is ::1 too on most hosts, where the test's server does not listen."""
    server = Counting()
    async with listening(server) as at, client() as asks:
        by_name = f"localhost:{at.rpartition(':')[2]}"
        assert await asked(asks, by_name, 2) == [PAGE] * 2
    assert server.opened == 1


@pytest.mark.skipif(not hasattr(asyncio, "eager_task_factory"), reason="Python 3.11 has no eager tasks")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_it_connects_under_the_eager_tasks_of_textual(host):
    server = Counting()
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    async with listening(server) as at, client() as asks:
        assert await asked(asks, f"{host}:{at.rpartition(':')[2]}", 2) == [PAGE] * 2


async def test_requests_at_the_same_time_have_a_connection_each():
    server = Counting()
    async with listening(server) as at, client() as asks:
        await asyncio.gather(*(asked(asks, at, 3) for _ in range(4)))
    assert (server.opened, server.asked) == (4, 12)


async def test_a_connection_that_the_server_closes_is_replaced_without_a_failure():
    server = Counting(answers=1)
    async with listening(server) as at, client() as asks:
        assert await asked(asks, at, 4) == [PAGE] * 4
    assert server.opened == 4


async def test_a_request_that_meets_a_closing_server_is_sent_again():
    """The server closes when the second request comes, which the client cannot have known."""
    times = []

    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        times.append(0)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response(PAGE))
        await reader.readuntil(b"\r\n\r\n")

    async with listening(closing) as at, client() as asks:
        assert await asked(asks, at, 3) == [PAGE] * 3
    assert len(times) == 3


async def test_a_server_that_never_answers_is_not_asked_again_and_again():
    async def slamming(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        slammed.append(0)
        await reader.readuntil(b"\r\n\r\n")

    slammed: list[int] = []
    async with listening(slamming) as at, client() as asks:
        with pytest.raises(httpx.ReadError):
            await asks.get(f"http://{at}/metrics")
    assert len(slammed) == 1


async def test_an_idle_connection_is_closed(monkeypatch):
    monkeypatch.setattr(connections, "KEEP_ALIVE_S", 0.05)
    server = Counting()
    async with listening(server) as at, client() as asks:
        await asked(asks, at, 1)
        async with asyncio.timeout(5):
            while not server.ended:
                await asyncio.sleep(0.01)
        assert await asked(asks, at, 1) == [PAGE]
    assert server.opened == 2


async def test_a_body_that_was_not_read_ends_the_connection():
    server = Counting(data=response("x" * 1_000_000))
    async with listening(server) as at, client() as asks:
        for _ in range(2):
            async with asks.stream("GET", f"http://{at}/metrics") as answer:
                assert answer.status_code == 200
    assert server.opened == 2


async def test_a_cancelled_request_leaves_nothing_open():
    server = Counting(data=b"")
    async with listening(server) as at, client() as asks:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await asks.get(f"http://{at}/metrics")
        async with asyncio.timeout(5):
            while not server.ended:
                await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("body", "whole"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", True),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", True),
        (b"HTTP/1.0 200 OK\r\n\r\nabc", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n", False),
    ],
    ids=["chunked", "early hints", "until it closes", "cut", "chunked and cut", "no chunk"],
)
async def test_a_body_is_whole_or_an_error(body, whole):
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(body)
        await writer.drain()

    async with listening(once) as at, client() as asks:
        if whole:
            assert await asked(asks, at, 1) == ["abc"]
        else:
            with pytest.raises(httpx.ReadError):
                await asked(asks, at, 1)


@pytest.mark.parametrize(
    "said", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTPS\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x46"]
)
async def test_another_protocol_is_noticed_at_its_first_bytes(said):
    async def speaks(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()
        await asyncio.sleep(30)

    async with listening(speaks) as at, client() as asks, asyncio.timeout(5):
        with pytest.raises(httpx.RemoteProtocolError):
            await asks.get(f"http://{at}/metrics")


async def test_the_system_trusts_no_authority_of_a_test(tmp_path):
    """What None stands for is a verification, not its absence."""
    async with listening(Counting(), tls=Authority(tmp_path).context()) as at, client() as asks:
        with pytest.raises(OSError, match="certificate verify failed"):
            await asks.get(f"https://{at}/metrics")
