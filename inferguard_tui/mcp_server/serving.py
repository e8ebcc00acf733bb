"""The server around the tools: stdio for an agent on this host, HTTP for others, with a token off loopback."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import ipaddress
import logging
import signal
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from mcp.server import MCPServer
from mcp.types import ToolAnnotations

from inferguard_tui import __version__

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, MutableMapping

    from inferguard_core.secret import SecretStr
    from inferguard_tui.mcp_server.tools import Tools

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

INSTRUCTIONS: Final = (
    "Watches vLLM and SGLang engines and only reads. Begin with scan; diagnose says why, recall what helped "
    "before, explain_signal what a number means, dry_run_action what an action would send. Null is unknown, not "
    "zero. Nothing here changes an engine: changes are a person's decision."
)
_READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False)


def mcp_app(tools: Tools) -> MCPServer[Any]:
    """The protocol's server with the tools on it."""
    app: MCPServer[Any] = MCPServer(
        "inferguard", instructions=INSTRUCTIONS, version=__version__, log_level="WARNING"
    )
    for tool in (
        tools.scan,
        tools.incidents,
        tools.diagnose,
        tools.recall,
        tools.explain_signal,
        tools.dry_run_action,
    ):
        app.add_tool(tool, annotations=_READS, structured_output=True)
    return app


def needs_token(host: str) -> bool:
    """Whether others than this host can reach what is bound to `host`."""
    if host == "localhost":
        return False
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return True


async def serve_stdio(app: MCPServer[Any]) -> None:
    """Until stdin closes. stdout belongs to the protocol."""
    await app.run_stdio_async()


async def serve_http(app: MCPServer[Any], host: str, port: int, token: SecretStr | None) -> None:
    """Until told to end, at `/mcp`. With a token, whoever does not send it is refused."""
    inner: Asgi = app.streamable_http_app(host=host)
    config = uvicorn.Config(
        inner if token is None else guarded(inner, token),
        host=host,
        port=port,
        log_level=logging.WARNING,
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    server = _Server(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.told, number)
    await server.serve()
    if server.by == signal.SIGINT:
        raise KeyboardInterrupt


class _Server(uvicorn.Server):
    """Ends by our own handlers: uvicorn's would raise the signal again before the monitor was closed."""

    by: signal.Signals | None = None

    def told(self, number: signal.Signals) -> None:
        self.by, self.should_exit = number, True

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def guarded(app: Asgi, token: SecretStr) -> Asgi:
    """`app` for those who know the token; 401 for all others, before anything of a request is read."""
    wanted = f"Bearer {token.get_secret_value()}".encode()

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        sent = dict(scope["headers"]).get(b"authorization", b"")
        if hmac.compare_digest(sent, wanted):
            await app(scope, receive, send)
            return
        headers = [(b"content-type", b"application/json"), (b"www-authenticate", b"Bearer")]
        await send({"type": "http.response.start", "status": 401, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"error": "a bearer token is needed"}'})

    return answer
