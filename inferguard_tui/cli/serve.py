"""The monitor as tools for an agent (Model Context Protocol). It reads and previews; it never acts.

Over HTTP it answers at http://127.0.0.1:8766/mcp; off loopback it demands the bearer token of
INFERGUARD_SERVE_TOKEN.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from inferguard_core.sources.bad_input import BadInput
from inferguard_tui.cli.arguments import add_access, add_interval, complain, settings_from
from inferguard_tui.cli.exits import OK, UNKNOWN
from inferguard_tui.cli.targets import targets
from inferguard_tui.session import LiveFeed

if TYPE_CHECKING:
    import argparse

    from inferguard_core.monitor import Monitor
    from inferguard_core.settings import Settings

INTERVAL_S = 5.0
PORT = 8766


def configure(parser: argparse.ArgumentParser) -> None:
    add_access(parser)
    add_interval(parser, f"{INTERVAL_S:g}")
    parser.add_argument("--transport", choices=("stdio", "streamable-http"), default="stdio")
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="to bind (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=PORT, metavar="N", help=f"to bind (default {PORT})")


def run(arguments: argparse.Namespace) -> int:
    settings = settings_from(arguments)
    problem = "" if settings is None else _problem(arguments, settings)
    if problem:
        complain(problem)
    if settings is None or problem:
        return UNKNOWN
    endpoints = targets(arguments, settings)
    if endpoints is None:
        return UNKNOWN
    feed = LiveFeed(endpoints, settings, interval_s=INTERVAL_S)

    async def serve() -> Monitor | BadInput:
        monitor = await feed.start()
        try:
            if not isinstance(monitor, BadInput):
                await _serve(arguments, settings, feed, monitor)
        finally:
            await feed.close()
        return monitor

    served = asyncio.run(serve())
    if isinstance(served, BadInput):
        complain(served.message)
        return UNKNOWN
    return OK


async def _serve(arguments: argparse.Namespace, settings: Settings, feed: LiveFeed, monitor: Monitor) -> None:
    from inferguard_tui.mcp_server.serving import mcp_app, serve_http, serve_stdio
    from inferguard_tui.mcp_server.tools import Tools

    named = ", ".join(watch.name for watch in monitor.watches[:3]) or "what a metrics server knows"
    named += f" and {len(monitor.watches) - 3} more" if len(monitor.watches) > 3 else ""
    app = mcp_app(Tools(feed, monitor, feed.interval_s * 2 + settings.access.deadline_seconds))
    if arguments.transport == "stdio":
        complain(f"serving {named} to an agent on stdin and stdout")
        await serve_stdio(app)
    else:
        complain(f"serving {named} at http://{arguments.host}:{arguments.port}/mcp")
        await serve_http(app, arguments.host, arguments.port, settings.serve.token)


def _problem(arguments: argparse.Namespace, settings: Settings) -> str:
    """Why it cannot be served like this; empty when it can."""
    try:
        import mcp  # noqa: F401 - an extra that may be missing
    except ModuleNotFoundError:
        return "serve speaks MCP by a package that is not installed: pip install 'inferguard-tui[mcp]'"
    if arguments.transport == "stdio":
        return ""
    from inferguard_tui.mcp_server.serving import needs_token

    if not 1 <= arguments.port <= 65535:
        return f"--port {arguments.port}: allowed is 1 to 65535"
    if needs_token(arguments.host) and settings.serve.token is None:
        return f"--host {arguments.host}: others can reach it; set INFERGUARD_SERVE_TOKEN, or bind 127.0.0.1"
    return _taken(arguments.host, arguments.port)


def _taken(host: str, port: int) -> str:
    """Why the port cannot be bound; the server's own words for it would end the process."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return f"--host {host} --port {port}: {error.strerror}; choose another"
    return ""
