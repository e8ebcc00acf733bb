"""The terminal UI in a browser: textual-serve runs one process of it for each page that is open.

There is no password. It is meant for this host: a page from elsewhere can neither open it (its Origin is not the
Host that was asked) nor reach it under a name of its own (DNS rebinding), and whoever binds it to more is told what
that means. It serves a screen and nothing else: no directory listings, nothing from other hosts.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web
from textual_serve.server import Server

from inferguard_core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAX_SESSIONS = 8
"""Open pages; each is a process that polls for itself."""
SHUTDOWN_S = 3.0
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline';"
    " style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class PageServer(Server):
    """Serves what `command` shows, on one address."""

    def __init__(self, command: str, host: str, port: int) -> None:
        super().__init__(command, host=host, port=port, title="InferGuard")
        self._sessions = 0

    def refusal(self, request: web.Request) -> str:
        """Why a request is not served; empty when it is."""
        host = urlsplit(f"//{request.host}").hostname or ""
        if self.host in LOOPBACK and host not in LOOPBACK:
            return f"this page is served on {self.host} only, not as {printable(host, 80)}"
        if request.path == "/ws":
            origin = request.headers.get("Origin", "")
            if urlsplit(origin).netloc != request.host:
                return f"a page from {printable(origin, 80) or 'nowhere'} may not open this"
            if self._sessions >= MAX_SESSIONS:
                return f"{MAX_SESSIONS} pages are open; close one"
        return ""

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        # The page must find its socket where it was found itself: by whatever name, through whatever tunnel.
        self.public_url = f"{request.scheme}://{request.host}"
        page: web.StreamResponse = await super().handle_index(request)
        return page

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        self._sessions += 1
        try:
            return await super().handle_websocket(request)
        finally:
            self._sessions -= 1

    async def on_startup(self, app: web.Application) -> None:
        """Nothing: whoever runs this says so."""

    async def application(self) -> web.Application:
        application = await self._make_app()

        @web.middleware
        async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith("/static/") and request.path.endswith("/"):
                raise web.HTTPNotFound
            if why := self.refusal(request):
                raise web.HTTPForbidden(text=f"inferguard: {why}\n")
            return await handler(request)

        async def with_headers(_request: web.Request, response: web.StreamResponse) -> None:
            response.headers.update(_HEADERS)

        application.middlewares.append(guarded)
        application.on_response_prepare.append(with_headers)
        return application


async def serve(command: str, host: str, port: int, ready: Callable[[int], None]) -> int:
    """Serve until a signal; the exit code. `ready` gets the port. OSError where the address cannot be had."""
    # Its own logging prints tracebacks with the values of variables.
    logging.getLogger("textual-serve").setLevel(logging.CRITICAL)
    runner = web.AppRunner(
        await PageServer(command, host, port).application(), shutdown_timeout=SHUTDOWN_S, access_log=None
    )
    await runner.setup()
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    code = 0

    def end(number: int) -> None:
        nonlocal code
        code = 128 + number if number == signal.SIGINT else 0
        ended.set()

    try:
        await web.TCPSite(runner, host, port).start()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, end, number)
        ready(runner.addresses[0][1])
        await ended.wait()
    finally:
        await runner.cleanup()
    return code
