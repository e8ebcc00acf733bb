"""A live endpoint as a source: what it reads, what it says when it cannot, against real sockets."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from contextlib import asynccontextmanager

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from inferguard_core.poll import FailureKind, ProofLevel
from inferguard_core.sources.access import Access, Login
from inferguard_core.sources.address import Address, parse_address
from inferguard_core.sources.client import open_client
from inferguard_core.sources.direct import DirectSource
from tests.e2e import hostile
from tests.e2e.hostile import PAGE, listening, response, saying

ACCESS = Access(timeout_s=5)


@asynccontextmanager
async def source_at(url, access=ACCESS, **more):
    address = parse_address(url)
    assert isinstance(address, Address), address
    client = open_client(access)
    assert isinstance(client, httpx.AsyncClient), client
    async with client:
        source = DirectSource(address, access, client=client, **more)
        try:
            yield source
        finally:
            await source.close()


async def poll_of(answer, access=ACCESS):
    async with listening(answer) as at, source_at(at, access) as source:
        return await source.poll()


async def test_a_page_is_the_body_as_served():
    poll = await poll_of(hostile.good)
    assert (poll.body, poll.failure, poll.size) == (PAGE, None, len(PAGE))
    assert 0 < poll.ms < 5000


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", gzip.compress(PAGE.encode())),
        ("deflate", zlib.compress(PAGE.encode())),
        ("identity", PAGE.encode()),
    ],
)
async def test_a_compressed_page_is_inflated(encoding, data):
    poll = await poll_of(saying(response(data, Content_Encoding=encoding)))
    assert (poll.body, poll.size) == (PAGE, len(PAGE))


@pytest.mark.parametrize("content_type", ["text/html", "application/octet-stream", ""])
async def test_metrics_are_told_by_content_not_by_their_type(content_type):
    assert (await poll_of(saying(response(PAGE, Content_Type=content_type)))).body == PAGE


@pytest.mark.parametrize(
    "page", ["", "\n", "# EOF\n", "\ufeff# TYPE a gauge\na 1\n", "a NaN\n", 'a{b="}"} +Inf\r\n']
)
async def test_pages_that_are_metrics_though_small(page):
    assert (await poll_of(saying(response(page)))).body == page


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<html>hi</html>", "an HTML page"),
        ('  {"detail": "x"}', "JSON"),
        ("Welcome to nginx\x1b[31m!", "“Welcome to nginx[31m!”"),
    ],
)
async def test_a_200_that_is_not_metrics_is_named_for_what_it_is(body, said):
    poll = await poll_of(saying(response(body)))
    assert poll.failure
    assert poll.failure.kind is FailureKind.NOT_METRICS
    assert said in poll.failure.message


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (hostile.closing, FailureKind.DISCONNECTED, "write https://"),
        (hostile.cut, FailureKind.DISCONNECTED, f"after {len(PAGE)} bytes"),
        (hostile.ssh, FailureKind.NOT_METRICS, "does not answer in HTTP"),
        (saying(response("", "404 Not Found")), FailureKind.HTTP_ERROR, "--enable-metrics"),
        (saying(response("", "503 Busy\x1b[2J")), FailureKind.HTTP_ERROR, "HTTP 503"),
        (saying(response("", "401 Unauthorized")), FailureKind.UNAUTHORIZED, "set INFERGUARD_BEARER_TOKEN"),
        (saying(response("", "403 Forbidden")), FailureKind.UNAUTHORIZED, "set INFERGUARD_BEARER_TOKEN"),
        (saying(response("x", Content_Encoding="br")), FailureKind.NOT_METRICS, "encoding br"),
        (saying(response("no gzip", Content_Encoding="gzip")), FailureKind.NOT_METRICS, "not valid gzip"),
        (
            saying(response(gzip.compress(PAGE.encode() * 9)[:-20], Content_Encoding="gzip")),
            FailureKind.DISCONNECTED,
            "closed the connection after",
        ),
        (
            saying(response("", "307 Temporary Redirect", Location="http://other.example:81/x")),
            FailureKind.REDIRECTED,
            "to other.example:81",
        ),
        (saying(response("", "304 Not Modified")), FailureKind.REDIRECTED, "to nowhere"),
        (
            saying(response("", "302 Found", Location="http://a:b/")),
            FailureKind.REDIRECTED,
            "to something that is no URL",
        ),
    ],
)
async def test_each_failure_says_what_to_look_at(answer, kind, said):
    poll = await poll_of(answer)
    assert poll.body is None
    assert poll.failure
    assert (poll.failure.kind, said in poll.failure.message) == (kind, True), poll.failure.message
    assert poll.failure.message.isprintable()
    assert poll.failure.message.startswith("127.0.0.1:")


async def test_a_closed_port_is_refused():
    async with listening(hostile.good) as at:
        pass
    for name in (at, at.replace("127.0.0.1", "localhost")):
        async with source_at(name) as source:
            failure = (await source.poll()).failure
        assert failure
        assert failure.kind is FailureKind.REFUSED
        assert failure.message.startswith(name)


@pytest.mark.parametrize("host", ["no-such-host.invalid", ".".join(["a" * 60] * 4)])
async def test_a_name_that_does_not_resolve(host):
    async with source_at(f"{host}:8000") as source:
        failure = (await source.poll()).failure
    assert failure
    assert failure.kind is FailureKind.UNRESOLVED


async def test_a_redirect_is_not_followed():
    asked = []
    moved = response("", "301 Moved Permanently", Location="/elsewhere/metrics")
    async with listening(hostile.by_path({"/metrics": moved}, asked)) as at, source_at(at) as source:
        await source.poll()
    assert asked == ["/metrics"]


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


async def test_credentials_go_out_and_into_no_message():
    heads = []

    async def answer(reader, writer):
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(response("", "401 Unauthorized"))

    access = Access(bearer=SecretStr("tok-123"))
    poll = await poll_of(answer, access)
    assert b"Bearer tok-123" in heads[0]
    assert poll.failure
    assert "check INFERGUARD_BEARER_TOKEN" in poll.failure.message
    assert "tok-123" not in repr(poll)


async def test_a_login_in_the_url_is_sent_as_basic_and_is_not_in_the_endpoint():
    heads = []

    async def answer(reader, writer):
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(response(PAGE))

    async with listening(answer) as at, source_at(f"http://ops:pw@{at}") as source:
        await source.poll()
        assert source.endpoint == f"http://{at}"
    assert b"Basic b3BzOnB3" in heads[0]
    assert Login("ops", SecretStr("pw")) == source._address.login


async def test_polls_share_one_connection():
    connections = []

    async def answer(reader, writer):
        connections.append(1)
        await hostile.good(reader, writer)

    async with listening(answer) as at, source_at(at) as source:
        for _ in range(8):
            assert (await source.poll()).failure is None
    # Two more may have carried the questions for version and models.
    assert len(connections) <= 3


async def test_a_connection_that_the_server_closed_meanwhile_costs_no_poll():
    async def once(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response(PAGE))
        await writer.drain()

    async with listening(once) as at, source_at(at) as source:
        assert [(await source.poll()).failure for _ in range(5)] == [None] * 5


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


async def test_proxy_settings_of_the_environment_are_ignored(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await poll_of(hostile.good)).failure is None


async def test_the_proof_level_is_the_callers():
    async with source_at("gpu1:8000", proof=ProofLevel.SIMULATED) as source:
        assert source.proof is ProofLevel.SIMULATED


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
