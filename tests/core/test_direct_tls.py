"""TLS: what is trusted, and what each refusal says, with certificates made for the test."""

from __future__ import annotations

import pytest

from inferguard_core.poll import FailureKind
from inferguard_core.sources.access import Access
from tests.core.live_source import source_at
from tests.e2e import hostile
from tests.e2e.hostile import PAGE, Authority, listening, response, self_signed


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


async def polled(context, access, scheme="https"):
    async with listening(hostile.good, tls=context) as at, source_at(f"{scheme}://{at}", access) as source:
        return await source.poll()


async def test_a_certificate_of_the_given_authority_is_trusted(authority):
    poll = await polled(authority.context(), Access(ca=authority.file))
    assert poll.body == PAGE


async def test_insecure_accepts_any_certificate(authority):
    poll = await polled(authority.context("other.example", (-20, -10)), Access(insecure=True))
    assert poll.body == PAGE


@pytest.mark.parametrize(
    ("host", "days", "said"),
    [
        ("127.0.0.1", (-20, -10), "has expired"),
        ("127.0.0.1", (5, 10), "is not valid yet"),
        ("10.9.8.7", (-1, 1), "is for another IP address"),
    ],
)
async def test_a_certificate_that_is_wrong_is_refused_in_words(authority, host, days, said):
    failure = (await polled(authority.context(host, days), Access(ca=authority.file))).failure
    assert failure
    assert (failure.kind, said in failure.message) == (FailureKind.TLS, True), failure.message


async def test_a_certificate_for_another_host_name_is_refused(authority):
    context = authority.context("other.example")
    async with listening(hostile.good, tls=context) as at:
        by_name = f"https://{at.replace('127.0.0.1', 'localhost')}"
        async with source_at(by_name, Access(ca=authority.file)) as source:
            failure = (await source.poll()).failure
    assert failure
    assert "is for another host name" in failure.message


async def test_a_self_signed_certificate_names_both_ways_out(tmp_path):
    failure = (await polled(self_signed(tmp_path), Access())).failure
    assert failure
    assert failure.kind is FailureKind.TLS
    assert "is self-signed; trust it with --ca FILE, or accept any with --insecure" in failure.message


async def test_an_unknown_authority_names_both_ways_out(authority):
    failure = (await polled(authority.context(), Access())).failure
    assert failure
    assert "--ca FILE" in failure.message


async def test_https_to_a_plain_port_says_http():
    async def plain(reader, writer):
        await reader.read(100)
        writer.write(response("Invalid HTTP request received.", "400 Bad Request"))

    async with listening(plain) as at, source_at(f"https://{at}") as source:
        failure = (await source.poll()).failure
    assert failure
    assert (failure.kind, "write http://" in failure.message) == (FailureKind.TLS, True), failure.message


async def test_http_to_a_tls_port_says_https(authority):
    failure = (await polled(authority.context(), Access(), scheme="http")).failure
    assert failure
    assert "write https://" in failure.message
