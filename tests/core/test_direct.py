"""A live endpoint as a source: what it reads, what it says when it cannot, against real sockets."""

from __future__ import annotations

import gzip
import zlib

import pytest

from inferguard_core.poll import FailureKind, ProofLevel
from inferguard_core.secret import SecretStr
from inferguard_core.sources.access import Access, Login
from tests.core.live_source import poll_of, source_at
from tests.e2e import hostile
from tests.e2e.hostile import PAGE, listening, response, saying


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
    ids=["gzip", "deflate", "identity"],
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


async def test_proxy_settings_of_the_environment_are_ignored(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await poll_of(hostile.good)).failure is None


async def test_the_proof_level_is_the_callers():
    async with source_at("gpu1:8000", proof=ProofLevel.SIMULATED) as source:
        assert source.proof is ProofLevel.SIMULATED
