"""What went wrong, said so that a person on call can act on it.

Exceptions and statuses come in, a Failure with one line goes out. The line names the endpoint by host:port
and what to look at. Nothing of a request's headers can get into it.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx

from inferguard_core.counted import counted
from inferguard_core.poll import Failure, FailureKind
from inferguard_core.printable import printable
from inferguard_core.sources.access import BASIC_SETTINGS, BEARER_SETTING, CA_SETTING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ERRNO = re.compile(r"\[Errno (\d+)\]")
_UNREACHABLE = {
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.ENETDOWN,
    errno.EHOSTDOWN,
    errno.ETIMEDOUT,
    errno.EADDRNOTAVAIL,
}
_NOT_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"}
_TRUST = "trust it with --ca FILE, or accept any with --insecure"
_CERTIFICATE = {
    9: "is not valid yet; check the clocks of both hosts",
    10: "has expired; renew it, or accept it with --insecure",
    18: f"is self-signed; {_TRUST}",
    19: f"is from a self-signed authority; {_TRUST}",
    20: f"is from an authority that this host does not know; {_TRUST}",
    21: f"is from an authority that this host does not know; {_TRUST}",
    62: "is for another host name; use the name that it was made for, or accept it with --insecure",
    64: "is for another IP address; use the name that it was made for, or accept it with --insecure",
}
"""OpenSSL's verification results (x509_vfy.h)."""


TRANSPORT_ERRORS = (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError)
"""Everything that an endpoint, its name or its network can make the HTTP client raise; ValueError stands for host
names that only the resolver's encoding refuses."""


def connection_failure(name: str, error: BaseException, received: int) -> Failure:
    """The Failure for an exception of the client; `received` is the bytes of body that had come before it."""
    causes = tuple(_chain(error))
    if received:
        return cut_off(name, received)
    return _from_cause(name, causes) or _from_number(name, causes) or _without_cause(name, causes)


def _from_cause(name: str, causes: tuple[BaseException, ...]) -> Failure | None:
    """Where the type of an exception tells."""
    for cause in causes:
        # The wrappers of aiohttp, which `validate` uses, are SSLErrors too, but without the verification's code.
        if isinstance(cause, ssl.SSLError) and type(cause).__module__ == ssl.__name__:
            return Failure(FailureKind.TLS, _tls(name, cause))
        if isinstance(cause, socket.gaierror):
            line = f"{name}: the host name cannot be resolved; check its spelling and DNS"
            return Failure(FailureKind.UNRESOLVED, line)
    return None


def _from_number(name: str, causes: tuple[BaseException, ...]) -> Failure | None:
    """Where the operating system's error number tells."""
    numbers = {number for cause in causes for number in _errnos(cause)}
    if errno.ECONNREFUSED in numbers:
        line = f"{name} refused the connection; is the engine running, on this port?"
        return Failure(FailureKind.REFUSED, line)
    if numbers & _UNREACHABLE:
        line = f"{name} is unreachable: no route to the host; check the network"
        return Failure(FailureKind.UNREACHABLE, line)
    return None


def _without_cause(name: str, causes: tuple[BaseException, ...]) -> Failure:
    if isinstance(causes[0], ValueError | httpx.InvalidURL | httpx.UnsupportedProtocol):
        line = f"{name} is not a usable host name; check its spelling"
        return Failure(FailureKind.UNRESOLVED, line)
    refused = isinstance(causes[0], httpx.RemoteProtocolError)
    if refused and any(isinstance(cause, httpx.InvalidURL) for cause in causes):
        # The one thing that httpx itself checks in a response.
        line = f"{name} redirects to something that is no URL; give the engine's own address"
        return Failure(FailureKind.REDIRECTED, line)
    if refused:
        line = f"{name} does not answer in HTTP; is this the engine's API port?"
        return Failure(FailureKind.NOT_METRICS, line)
    line = f"{name} closed the connection without an answer; if it speaks TLS, write https://"
    return Failure(FailureKind.DISCONNECTED, line)


def cut_off(name: str, received: int) -> Failure:
    return Failure(
        FailureKind.DISCONNECTED,
        f"{name} closed the connection after {counted(received, 'byte')} of the page",
    )


def timed_out(name: str, seconds: float, received: int | None) -> Failure:
    """`received` is None when no response had begun."""
    if received is None:
        what = "no answer"
    elif received == 0:
        what = "an answer began, but nothing of the page came"
    else:
        what = f"only {counted(received, 'byte')} of the page came"
    return Failure(
        FailureKind.TIMED_OUT,
        f"{name}: {what} within {seconds:g} s; hung or overloaded (or a firewall drops packets)",
    )


def status_failure(name: str, response: httpx.Response) -> Failure | None:
    """The Failure for a status that brings no page; None for 200."""
    status, path = response.status_code, response.request.url.path
    if status == HTTPStatus.OK:
        return None
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Failure(FailureKind.UNAUTHORIZED, _unauthorized(name, response), status)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Failure(FailureKind.REDIRECTED, _redirected(name, response), status)
    if status == HTTPStatus.NOT_FOUND:
        hint = "SGLang shows metrics only with --enable-metrics; else the path is wrong"
        return Failure(FailureKind.HTTP_ERROR, f"{name} has no {printable(path)} (HTTP 404): {hint}", status)
    reason = printable(response.reason_phrase, 60)
    return Failure(
        FailureKind.HTTP_ERROR,
        f"{name} answered {printable(path)} with HTTP {status} {reason}".rstrip(),
        status,
    )


def not_metrics(name: str, what: str) -> Failure:
    return Failure(
        FailureKind.NOT_METRICS,
        f"{name} answered with {what} in place of metrics; is this the engine's API port?",
    )


def too_large(name: str, limit: int) -> Failure:
    return Failure(
        FailureKind.TOO_LARGE,
        f"{name}: the page is larger than {limit} bytes and was not read on; is this an engine?",
    )


def distrusted(error: BaseException) -> str:
    """Why the certificate of a receiver was not accepted, with what to do; empty where that was not it.

    There is no accepting any certificate for what is sent: `--insecure` is for reading engines.
    """
    # The HTTP client's own error is of this class, too, and knows nothing.
    kinds = (e for e in _chain(error) if isinstance(e, ssl.SSLCertVerificationError))
    why = next((printable(e.verify_message) for e in kinds if hasattr(e, "verify_message")), "")
    if not why:
        return ""
    return f"its certificate is not accepted ({why}); {CA_SETTING} names the file of an authority of yours"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """`error` and what it came from; the HTTP client wraps the socket's exceptions two or three deep."""
    at: BaseException | None = error
    while at is not None:
        yield at
        at = at.__cause__ or at.__context__


def _errnos(error: BaseException) -> set[int]:
    """Of an OSError; where several addresses were tried, its text alone has the numbers."""
    if not isinstance(error, OSError):
        return set()
    return {error.errno} if error.errno else {int(number) for number in _ERRNO.findall(str(error))}


def _tls(name: str, error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = _CERTIFICATE.get(error.verify_code)
        return f"{name}: its certificate {why or f'is not accepted: {printable(error.verify_message)}'}"
    if error.reason in _NOT_TLS:
        return f"{name} does not speak TLS; write http://"
    return f"{name}: no TLS connection: {printable(error.reason or 'the handshake failed')}"


def _unauthorized(name: str, response: httpx.Response) -> str:
    what = f"(HTTP {response.status_code})"
    if "authorization" in response.request.headers:
        settings = f"{BEARER_SETTING} or {BASIC_SETTINGS}"
        return f"{name} refuses the credentials that it was given {what}: check {settings}"
    return f"{name} asks for credentials {what}: set {BEARER_SETTING}, or {BASIC_SETTINGS}"


def _redirected(name: str, response: httpx.Response) -> str:
    target = response.next_request.url.netloc.decode("ascii", "replace") if response.next_request else ""
    return (
        f"{name} redirects (HTTP {response.status_code}) to {printable(target, 100) or 'nowhere'};"
        " redirects are not followed: give the engine's own address"
    )
