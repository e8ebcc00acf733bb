"""The two pages that the service serves: /metrics and /healthz. They change nothing, and there is no other path.

Loopback unless a host is named: the pages tell endpoints, models and versions to whoever can ask.
"""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inferguard_core.printable import printable
from inferguard_core.sources.bad_input import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

LOOPBACK = "127.0.0.1"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen."""

    host: str
    port: int

    @property
    def shown(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_place(text: str) -> Place | BadInput:
    """`HOST:PORT`, `:PORT` or `PORT`; without a host it is the loopback."""
    host, _, port = text.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (port.isdecimal() and len(port) < 6 and int(port) < 65536):
        return BadInput(f"--listen {printable(text, 60)}: write HOST:PORT, or :PORT for the loopback")
    return Place(host or LOOPBACK, int(port))


class Pages:
    """The server of both pages, from `open` to `close`."""

    def __init__(
        self, metrics: Callable[[], str], health: Callable[[], tuple[bool, dict[str, object]]]
    ) -> None:
        """`metrics` writes the page; `health` says whether we work, and what is to be told of it."""
        self._metrics = metrics
        self._health = health
        self._runner: web.AppRunner | None = None

    async def open(self, place: Place) -> Place | BadInput:
        """Listen; where, with the port that the system chose for port 0."""
        # Only a service serves.
        from aiohttp import web

        application = web.Application()
        application.router.add_get("/metrics", self._answer_metrics)
        application.router.add_get("/healthz", self._answer_health)
        runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, place.host, place.port).start()
        except (OSError, socket.gaierror) as error:
            await runner.cleanup()
            return BadInput(f"--listen {place.shown}: {printable(error.strerror or str(error))}")
        self._runner = runner
        return Place(place.host, int(runner.addresses[0][1]))

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer_metrics(self, _request: web.Request) -> web.Response:
        from aiohttp import web

        return web.Response(body=self._metrics().encode(), headers={"content-type": CONTENT_TYPE})

    async def _answer_health(self, _request: web.Request) -> web.Response:
        from aiohttp import web

        works, told = self._health()
        text = json.dumps({"status": "ok" if works else "failing", **told}) + "\n"
        return web.Response(text=text, status=200 if works else 503, content_type="application/json")
