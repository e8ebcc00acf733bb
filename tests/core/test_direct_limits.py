"""What an endpoint cannot do to us: hold a poll, fill the memory, starve another endpoint, make a poll raise."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inferguard_core.poll import FailureKind
from inferguard_core.sources.access import Access
from inferguard_core.sources.address import Address
from inferguard_core.sources.client import open_client
from inferguard_core.sources.direct import DirectSource
from tests.core.live_source import poll_of, source_at
from tests.e2e import hostile
from tests.e2e.hostile import listening, response, saying


async def test_a_hung_endpoint_ends_at_the_deadline():
    poll = await poll_of(hostile.hung, Access(timeout_s=0.3))
    assert poll.failure
    assert poll.failure.kind is FailureKind.TIMED_OUT
    assert 300 <= poll.ms < 3000


async def test_a_huge_page_is_left_at_the_cap():
    sent = []
    poll = await poll_of(hostile.huge(sent), Access(max_body_bytes=2**20))
    assert poll.failure
    assert poll.failure.kind is FailureKind.TOO_LARGE
    # What the sockets' buffers hold beside the cap, and not the 50 MB.
    assert sum(sent) < 20_000_000


async def test_a_gzip_bomb_is_not_inflated_beyond_the_cap():
    bomb = hostile.bomb()
    tracemalloc.start()
    try:
        poll = await poll_of(bomb, Access(max_body_bytes=100_000))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert poll.failure
    assert poll.failure.kind is FailureKind.TOO_LARGE
    # The first 16 KiB off the wire hold 16 MB.
    assert peak < 4_000_000


@pytest.mark.parametrize("over", [0, 1])
async def test_the_cap_counts_decoded_bytes_exactly(over):
    body = gzip.compress(b"a 1\n" * 25_000)
    access = Access(max_body_bytes=100_000 - over)
    poll = await poll_of(saying(response(body, Content_Encoding="gzip")), access)
    assert (poll.failure is None) == (over == 0)


async def test_more_hung_endpoints_than_a_connection_pool_has_do_not_starve_a_good_one():
    access = Access(timeout_s=20)
    client = open_client(access)
    assert isinstance(client, httpx.AsyncClient)
    async with listening(hostile.hung) as bad, listening(hostile.good) as at, client:
        hung = [DirectSource(Address(f"http://{bad}", bad), access, client=client) for _ in range(150)]
        tasks = [asyncio.create_task(source.poll()) for source in hung]
        await asyncio.sleep(0)
        good = DirectSource(Address(f"http://{at}", at), access, client=client)
        poll = await asyncio.wait_for(good.poll(), 10)
        await good.close()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    assert poll.failure is None


async def test_cancelling_a_poll_cancels_it():
    async with listening(hostile.hung) as at, source_at(at) as source:
        task = asyncio.create_task(source.poll())
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"]),
    rest=st.binary(max_size=200)
    | st.lists(
        st.sampled_from(
            [
                b"Transfer-Encoding: chunked\r\n",
                b"Content-Length: -1\r\n",
                b"\r\n",
                b"ffffffff\r\n",
                b"a 1\n",
                b"Content-Encoding: gzip\r\n",
                b"Location: \xff\r\n",
                b"Content-Length: 9\r\n",
                b"\x00",
                b": x\r\n",
            ]
        )
    ).map(b"".join),
)
def test_no_bytes_make_a_poll_raise(head, rest):
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head + rest)
        await writer.drain()

    poll = asyncio.run(poll_of(answer, Access(timeout_s=5)))
    assert (poll.body is None) != (poll.failure is None)
    if poll.failure:
        assert poll.failure.message.isprintable()
