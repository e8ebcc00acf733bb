"""The brain as a service: contexts in, results out, over HTTP, for monitors on other hosts.

`GET /health` says whether it works; `POST /investigate` takes `inferguard.brain.context/1`. Off loopback it demands a
bearer token, it takes bodies up to a cap and a few questions at once, and every question has a deadline. It keeps
nothing, asks no engine anything, and logs no body.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from aiohttp import web

from inferguard_brain.context import read
from inferguard_brain.investigate import by_rules, result

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp.typedefs import Middleware

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LOGGER = logging.getLogger("inferguard.brain")
BODY_BYTES: Final = 2**20
AT_ONCE: Final = 4
BODY_S: Final = 10.0


class Thinker(Protocol):
    """What a language model adds; see `reason.Reasoner`."""

    @property
    def name(self) -> str: ...

    @property
    def trouble(self) -> str: ...

    async def think(self, data: dict[str, Any]) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Service:
    """What is served, and to whom."""

    name: str
    token: str | None = field(repr=False)
    thinker: Thinker | None
    """None: rules alone."""
    deadline_s: float = 60.0


def refusal(host: str, service: Service) -> str:
    """Why it may not be served on `host`; empty when it may."""
    if service.token is not None or is_loopback(host):
        return ""
    return f"--host {host}: off this host a token is needed; set INFERGUARD_BRAIN_TOKEN"


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def application(service: Service) -> web.Application:
    """The two routes of a service."""
    app = web.Application(client_max_size=BODY_BYTES, middlewares=[_guarded(service)])
    places = asyncio.Semaphore(AT_ONCE)

    async def health(_request: web.Request) -> web.Response:
        trouble = "" if service.thinker is None else service.thinker.trouble
        return web.json_response(
            {
                "agent": service.name,
                "state": "down" if trouble else "ok",
                "detail": trouble,
                "model": None if service.thinker is None else service.thinker.name,
            }
        )

    async def investigate(request: web.Request) -> web.Response:
        if places.locked():
            return _refused(503, f"{AT_ONCE} questions are being thought about; ask again")
        async with places:
            return await _investigated(request, service)

    app.router.add_get("/health", health)
    app.router.add_post("/investigate", investigate)
    return app


def _guarded(service: Service) -> Middleware:
    """Everything but /health needs the token, where there is one; nothing shows a traceback."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path != "/health" and not _known(request, service.token):
            return _refused(401, "a bearer token is needed")
        try:
            return await handler(request)
        except web.HTTPException as error:
            return _refused(error.status, error.reason)
        except Exception:
            LOGGER.exception("failed on a question")
            return _refused(500, "the brain itself failed on this question")

    return guard


def _known(request: web.Request, token: str | None) -> bool:
    if token is None:
        return True
    given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
    return hmac.compare_digest(given, f"Bearer {token}".encode())


async def _investigated(request: web.Request, service: Service) -> web.Response:
    try:
        async with asyncio.timeout(BODY_S):
            body = await request.read()
    except TimeoutError:
        return _refused(408, f"the question took more than {BODY_S:g} s to arrive")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return _refused(400, "the question is not JSON")
    context = read(data)
    if isinstance(context, str):
        return _refused(422, context)
    if service.thinker is None:
        return web.json_response(by_rules(context))
    try:
        async with asyncio.timeout(service.deadline_s):
            return web.json_response(await service.thinker.think(data))
    except TimeoutError:
        reason = f"{service.thinker.name}: no answer within {service.deadline_s:g} s; rules alone"
        return web.json_response(by_rules(context) | {"error": reason})


def _refused(status: int, reason: str) -> web.Response:
    return web.json_response(result(error=reason), status=status)


async def serve(
    service: Service, host: str, port: int, over: asyncio.Event, ready: Callable[[str], None]
) -> None:
    """Serve until `over`; `ready` is told the address. OSError when it cannot be taken."""
    runner = web.AppRunner(application(service), access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        where = runner.addresses[0]
        shown = f"[{where[0]}]" if ":" in where[0] else where[0]
        ready(f"http://{shown}:{where[1]}")
        await over.wait()
    finally:
        await runner.cleanup()
