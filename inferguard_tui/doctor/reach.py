"""Whether the parts that were set up elsewhere can be reached: a TCP connection and, for https, a handshake.

No request is sent and no key leaves this host: that a key is right shows when it is used.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from inferguard_core.printable import printable
from inferguard_tui.doctor.check import Check, State

if TYPE_CHECKING:
    from inferguard_core.settings import Settings

DEADLINE_S: Final = 2.0
_PORT = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Place:
    """One part elsewhere; `url` None is not set up."""

    name: str
    url: str | None
    hint: str
    """What sets it up."""
    lacks: str = ""
    """A key that is missing although the place is set."""


def places(settings: Settings) -> tuple[Place, ...]:
    """Every part elsewhere that the settings know."""
    brain, memory, acting = settings.brain, settings.memory, settings.actuation
    remote = brain.mode == "remote"
    return (
        Place("LLM", brain.gmi_base_url if brain.gmi_api_key else None, "GMI_API_KEY"),
        Place("Upstash Redis", memory.redis_url, "UPSTASH_REDIS_URL and UPSTASH_REDIS_TOKEN"),
        Place("Upstash Vector", memory.vector_url, "UPSTASH_VECTOR_URL and UPSTASH_VECTOR_TOKEN"),
        Place(
            "remote brain",
            brain.url if remote else None,
            "INFERGUARD_BRAIN_MODE=remote and INFERGUARD_BRAIN_URL",
            ""
            if not remote or brain.url
            else "INFERGUARD_BRAIN_MODE is remote, but INFERGUARD_BRAIN_URL is not set",
        ),
        Place(
            "webhook",
            acting.endpoint if acting.mode != "off" else None,
            "INFERGUARD_ACTUATION_MODE and INFERGUARD_ACTUATION_ENDPOINT",
            "INFERGUARD_ACTUATION_MODE is live, but INFERGUARD_ACTUATION_ENDPOINT is not set"
            if acting.mode == "live" and not acting.endpoint
            else "",
        ),
        Place(
            "Daytona",
            (brain.daytona_api_url or "https://app.daytona.io/api") if brain.daytona_api_key else None,
            "DAYTONA_API_KEY",
        ),
    )


async def reached(place: Place) -> Check:
    """One part, within `DEADLINE_S`."""
    if place.lacks:
        return Check("cloud", place.name, State.BROKEN, place.lacks)
    if place.url is None:
        return Check("cloud", place.name, State.OFF, f"not set up ({place.hint})")
    try:
        parts = urlsplit(place.url)
        host, port = parts.hostname, parts.port or _PORT[parts.scheme]
    except (ValueError, KeyError):
        host, port = None, 0
    if not host:
        return Check("cloud", place.name, State.BROKEN, f"{place.hint}: not an http(s) URL")
    began = time.monotonic()
    trouble = await _connect(host, port, tls=parts.scheme == "https")
    ms = (time.monotonic() - began) * 1000
    facts = {"host": host, "port": port, "ms": round(ms, 1)}
    at = printable(f"{host}:{port}")
    if trouble:
        return Check("cloud", place.name, State.BROKEN, f"{at}: {trouble}", facts=facts)
    how = "TLS handshake" if parts.scheme == "https" else "connected, not encrypted,"
    return Check(
        "cloud", place.name, State.OK, f"{at}: {how} in {ms:.0f} ms; keys are not tried", facts=facts
    )


async def _connect(host: str, port: int, *, tls: bool) -> str:
    """Why there is no connection; empty when there is one."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            address = await _resolved(host, port)
            _, writer = await asyncio.open_connection(
                address,
                port,
                ssl=ssl.create_default_context() if tls else None,
                server_hostname=host if tls else None,
            )
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
    except TimeoutError:
        return f"no answer within {DEADLINE_S:g} s; a firewall or proxy?"
    except ssl.SSLError as error:
        return (
            f"no TLS: {printable(getattr(error, 'verify_message', '') or error.reason or 'handshake failed')}"
        )
    except OSError as error:
        # The loop words a refused connection as a failed call; resolvers number their errors below zero.
        by_number = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        return printable(by_number or str(error))
    return ""


async def _resolved(host: str, port: int) -> str:
    """An address of `host`. In a thread of its own: the loop would wait at its end for a resolver that hangs."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[str] = loop.create_future()

    def tell(address: str, error: OSError | None) -> None:
        if not found.done():
            found.set_result(address) if error is None else found.set_exception(error)

    def ask() -> None:
        address, trouble = "", None
        try:
            address = str(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4][0])
        except (OSError, UnicodeError) as error:
            trouble = error if isinstance(error, OSError) else OSError(str(error))
        with contextlib.suppress(RuntimeError):  # the loop is gone: nobody waits
            loop.call_soon_threadsafe(tell, address, trouble)

    threading.Thread(target=ask, daemon=True, name=f"resolve {host}").start()
    return await found
