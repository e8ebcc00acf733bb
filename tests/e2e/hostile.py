"""Endpoints that misbehave, on real sockets. Each is one coroutine that answers one connection."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

PAGE = (
    "# HELP vllm:num_requests_running Number of requests in model execution batches.\n"
    "# TYPE vllm:num_requests_running gauge\n"
    'vllm:num_requests_running{engine="0",model_name="m"} 3.0\n'
)


def response(body: str | bytes, status: str = "200 OK", **headers: str) -> bytes:
    """A whole response; header names are given with underscores."""
    data = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    if "Content_Length" not in headers:
        lines.append(f"Content-Length: {len(data)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def saying(data: bytes) -> Answer:
    """Answers every request with `data`, keeping the connection."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(data)
            await writer.drain()

    return answer


def by_path(pages: dict[str, bytes], asked: list[str] | None = None) -> Answer:
    """Answers by path, 404 elsewhere; the paths go to `asked`."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            path = head.split(b" ")[1].decode()
            if asked is not None:
                asked.append(path)
            writer.write(pages.get(path, response("", "404 Not Found")))
            await writer.drain()

    return answer


good = saying(response(PAGE, Content_Type="text/plain; version=0.0.4"))
html = saying(response("<!DOCTYPE html><html><body>Welcome</body></html>", Content_Type="text/html"))
failing = saying(response("boom", "500 Internal Server Error"))
redirecting = saying(response("", "302 Found", Location="/metrics"))


async def hung(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accepts and never answers."""
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.Event().wait()


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A byte at a time: each one would reset a timeout per read."""
    await reader.readuntil(b"\r\n\r\n")
    for byte in response(PAGE * 1000):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.005)


def huge(sent: list[int] | None = None) -> Answer:
    """50 MB of samples; the bytes that were taken go to `sent`."""
    block = PAGE.encode() * 500

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n")
        total = 0
        while total < 50_000_000:
            piece = block[: 50_000_000 - total]
            writer.write(piece)
            await writer.drain()
            total += len(piece)
            if sent is not None:
                sent.append(len(piece))

    return answer


@cache
def bomb() -> Answer:
    """Some 50 kB of gzip that inflate to 50 MB."""
    return saying(response(gzip.compress(b"a 1\n" * 12_500_000), Content_Encoding="gzip"))


async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Promises a page and closes in its middle."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(response(PAGE, Content_Length="100000"))
    await writer.drain()


async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes the request and closes."""
    await reader.readuntil(b"\r\n\r\n")


async def ssh(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Another protocol that speaks first."""
    writer.write(b"SSH-2.0-OpenSSH_9.2p1\r\n")
    await reader.read(100)


@asynccontextmanager
async def listening(answer: Answer, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve `answer` on a free port of 127.0.0.1; gives host:port. Ends with its connections cut."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        try:
            await answer(reader, writer)
        except (asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=5)


_SIGNS = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


class Authority:
    """A certificate authority of a test's own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("test authority")
        certificate = _builder(self._name, self._name, self._key, valid_days=(-30, 30))
        certificate = certificate.add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        ).add_extension(_SIGNS, critical=True)
        self.file = folder / "ca.pem"
        self.file.write_bytes(
            certificate.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )

    def context(self, host: str = "127.0.0.1", valid_days: tuple[int, int] = (-1, 1)) -> ssl.SSLContext:
        """A server's context with a certificate for `host`, valid from and to these days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        return _context(self._folder, key, self._name, self._key, host, valid_days)


def self_signed(folder: Path, host: str = "127.0.0.1") -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    return _context(folder, key, _name(host), key, host, (-1, 1))


def _context(
    folder: Path,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    signer: ec.EllipticCurvePrivateKey,
    host: str,
    valid_days: tuple[int, int],
) -> ssl.SSLContext:
    certificate = _builder(_name(host), issuer, key, valid_days)
    alternative: x509.GeneralName = x509.DNSName(host)
    with contextlib.suppress(ValueError):
        alternative = x509.IPAddress(ip_address(host))
    certificate = certificate.add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
    # Python 3.13 asks for it, as RFC 5280 does.
    issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    certificate = certificate.add_extension(issued_by, critical=False)
    file = folder / "server.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, valid_days: tuple[int, int]
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=valid_days[0]))
        .not_valid_after(now + timedelta(days=valid_days[1]))
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
