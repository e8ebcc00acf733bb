"""The one attempt: what goes over the wire, and what each kind of answer is taken for."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.actuation.payload import encoded, headers, idempotency_key, payload
from inferguard_core.actuation.webhook import REPLY_MAX, Reply, read_reply, send
from inferguard_core.followup import Outcome
from inferguard_core.secret import SecretStr
from inferguard_core.sources.access import Access
from inferguard_tui.simulator.control import signed
from tests.core.acting_scenes import ENDPOINT, NOW, advisory, subject
from tests.core.receivers import ACCEPTED, answer, receiver

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SECRET = SecretStr("correct horse")


def body(**changes: object) -> bytes:
    return encoded(payload(subject(**changes), NOW, "ana", dry_run=False))  # type: ignore[arg-type]


async def sent(handle: Callable[..., Awaitable[None]], deadline_s: float = 2.0) -> tuple[Reply, int]:
    """The reply, and how many requests came."""
    async with receiver(handle) as seen:
        data = body()
        told = headers(data, "key", SECRET, time.time())
        reply = await send(seen.url, data, told, deadline_s, Access())
        await asyncio.sleep(0.05)
        return reply, len(seen.taken)


async def test_what_goes_over_the_wire() -> None:
    async with receiver(answer()) as seen:
        data = body()
        told = headers(data, idempotency_key(ENDPOINT, advisory().id), SECRET, 1_800_000_001.9)
        reply = await send(seen.url, data, told, 2.0, Access())
    assert reply == Reply(Outcome.APPLIED, "", "job-7")
    (one,) = seen.taken
    assert one.head.startswith(b"POST /actuate HTTP/1.1\r\n")
    said = json.loads(one.body)
    assert {
        "schema", "action_id", "idempotency_key", "action_type", "incident_id", "endpoint", "engine", "model",
        "parameters", "reason", "evidence", "requested_at", "requested_by", "dry_run",
    } <= set(said)  # fmt: skip
    assert said["schema"] == "inferguard.actuation/1"
    assert said["dry_run"] is False
    assert said["inferguard_action_id"] == said["action_id"] == advisory().id
    assert said["parameters"] == {"target_concurrency": 44.0, "running_now": 58.0, "pool_holds": 44.3}
    assert one.header("Idempotency-Key") == said["idempotency_key"]
    # Worked out here by hand from what arrived, not by the code that signed it.
    stamp, mac = re.fullmatch(
        r"t=(\d+),v1=([0-9a-f]{64})", one.header("X-InferGuard-Signature") or ""
    ).groups()  # type: ignore[union-attr]
    assert stamp == "1800000001"
    inner = hashlib.sha256(
        bytes(b ^ 0x36 for b in b"correct horse".ljust(64, b"\0")) + stamp.encode() + b"." + one.body
    ).digest()
    assert (
        mac == hashlib.sha256(bytes(b ^ 0x5C for b in b"correct horse".ljust(64, b"\0")) + inner).hexdigest()
    )
    assert b"correct horse" not in one.head + one.body
    assert one.header("Authorization") is None


def test_without_a_secret_nothing_is_signed() -> None:
    assert "X-InferGuard-Signature" not in headers(b"{}", "key", None, NOW)


@given(secret=st.text(min_size=1, max_size=200), data=st.binary(max_size=300), unix=st.integers(0, 10**11))
def test_a_receiver_written_apart_from_us_agrees_on_every_signature(
    secret: str, data: bytes, unix: int
) -> None:
    try:
        secret.encode()
    except UnicodeEncodeError:
        return
    header = headers(data, "key", SecretStr(secret), unix)["X-InferGuard-Signature"]
    assert signed(secret, header, data, unix)
    assert not signed(secret, header, data + b" ", unix)
    assert not signed(secret + "x", header, data, unix)
    assert not signed(secret, header, data, unix + 301)
    assert hmac.new(secret.encode(), f"{unix}.".encode() + data, "sha256").hexdigest() in header


@pytest.mark.parametrize(
    ("reply", "status", "outcome"),
    [
        (ACCEPTED, "200 OK", Outcome.APPLIED),
        (ACCEPTED, "202 Accepted", Outcome.APPLIED),
        (b'{"accepted": false, "error": "no room"}', "200 OK", Outcome.REJECTED),
        (b'{"accepted": false}', "409 Conflict", Outcome.REJECTED),
        (b'{"accepted": true}', "409 Conflict", Outcome.UNKNOWN),
        (ACCEPTED, "500 Internal Server Error", Outcome.UNKNOWN),
        (b'{"accepted": false}', "503 Service Unavailable", Outcome.UNKNOWN),
        (b"", "200 OK", Outcome.UNKNOWN),
        (b"", "204 No Content", Outcome.UNKNOWN),
        (b"ok", "200 OK", Outcome.UNKNOWN),
        (b"true", "200 OK", Outcome.UNKNOWN),
        (b'{"accepted": "true"}', "200 OK", Outcome.UNKNOWN),
        (b'{"accepted": 1}', "200 OK", Outcome.UNKNOWN),
        (b'{"ok": true}', "200 OK", Outcome.UNKNOWN),
        (b'[{"accepted": true}]', "200 OK", Outcome.UNKNOWN),
        (b"\xff\xfe\x00", "200 OK", Outcome.UNKNOWN),
        (b"[" * 5000, "200 OK", Outcome.UNKNOWN),
        (b" " * (REPLY_MAX + 1), "200 OK", Outcome.UNKNOWN),
        (b"<html>login</html>", "200 OK", Outcome.UNKNOWN),
    ],
)
async def test_answers(reply: bytes, status: str, outcome: Outcome) -> None:
    got, requests = await sent(answer(reply, status))
    assert (got.outcome, requests) == (outcome, 1)


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"]
)
async def test_a_redirect_is_not_followed(status: str) -> None:
    """Neither to another host nor to a metadata service: the body, and its signature, stay where they were sent."""
    async with receiver(answer()) as elsewhere:
        got, requests = await sent(answer(b"", status, f"Location: {elsewhere.url}"))
    assert got.outcome is Outcome.UNKNOWN
    assert "redirect" in got.detail
    assert requests == 1
    assert elsewhere.taken == []


async def test_a_time_out_is_unknown_and_one_request() -> None:
    async def never(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    began = time.monotonic()
    got, requests = await sent(never, 0.5)
    assert time.monotonic() - began < 15
    assert (got.outcome, requests) == (Outcome.UNKNOWN, 1)
    assert "may have been applied" in got.detail


async def test_a_reply_that_drips_ends_at_the_deadline() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n")
        for _ in range(200):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.1)

    began = time.monotonic()
    got, _ = await sent(drip, 0.5)
    assert time.monotonic() - began < 15
    assert got.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("how", ["reset", "closed", "half a head", "half a body"])
async def test_a_connection_that_breaks_after_the_request_is_unknown(how: str) -> None:
    """It may have been applied: however the connection is lost, nobody is told that nothing was sent."""

    async def hang_up(writer: asyncio.StreamWriter) -> None:
        if how.startswith("half"):
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Le" + (b"ngth: 90\r\n\r\n{" if how == "half a body" else b"")
            )
            await writer.drain()
        if how == "reset":
            writer.transport.abort()
        else:
            writer.close()

    got, requests = await sent(hang_up)
    assert (got.outcome, requests) == (Outcome.UNKNOWN, 1)


async def test_a_compressed_reply_that_nobody_asked_for() -> None:
    got, _ = await sent(answer(b"\x1f\x8b", "200 OK", "Content-Encoding: gzip"))
    assert got.outcome is Outcome.UNKNOWN


async def test_nobody_there_is_not_sent() -> None:
    async with receiver(answer()) as gone:
        pass
    got = await send(gone.url, b"{}", headers(b"{}", "k", SECRET, NOW), 2.0, Access())
    assert got.outcome is Outcome.NOT_SENT
    assert "correct horse" not in got.detail


async def test_a_certificate_nobody_trusts_gets_nothing() -> None:
    async with receiver(answer()) as plain:
        url = plain.url.replace("http://", "https://")
        got = await send(url, b"{}", headers(b"{}", "k", SECRET, NOW), 2.0, Access())
    assert got.outcome is not Outcome.APPLIED
    assert plain.taken == []


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver(answer(b"", "502 Bad Gateway")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        got, requests = await sent(answer())
    assert (got.outcome, requests) == (Outcome.APPLIED, 1)
    assert proxy.taken == []


@pytest.mark.parametrize(
    "name",
    [
        "gpt\r\nX-Evil: 1",
        "gpt\nTransfer-Encoding: chunked",
        "a\x1b]0;title\x07b",
        "\u202egnp.exe",
        "\ud800",
        "m" * 9000,
    ],
)
async def test_text_of_an_engine_stays_in_the_body_and_harmless(name: str) -> None:
    async with receiver(answer()) as seen:
        data = body(model=name)
        told = headers(data, idempotency_key(name, name), SECRET, NOW)
        reply = await send(seen.url, data, told, 2.0, Access())
    assert reply.outcome is Outcome.APPLIED
    (one,) = seen.taken
    assert one.header("X-Evil") is None
    assert one.header("Transfer-Encoding") is None
    said = json.loads(one.body)["model"]
    assert said.isprintable()
    assert len(said) <= 500


async def test_words_of_the_receiver_are_made_printable() -> None:
    got, _ = await sent(answer(json.dumps({"accepted": False, "error": "no\x1b[2J" + "x" * 900}).encode()))
    assert got.detail.isprintable()
    assert len(got.detail) <= 200


@given(status=st.integers(100, 599), text=st.binary(max_size=200))
def test_no_answer_raises_and_only_the_documented_one_is_applied(status: int, text: bytes) -> None:
    if read_reply(status, text).outcome is Outcome.APPLIED:
        assert json.loads(text)["accepted"] is True


def test_the_key_is_of_the_advisory_and_its_endpoint() -> None:
    assert idempotency_key("a", "b") == idempotency_key("a", "b")
    assert len({idempotency_key(e, a) for e in ("a", "b") for a in ("c", "d")}) == 4
    assert re.fullmatch("[0-9a-f]{32}", idempotency_key("a\r\n", "b"))
