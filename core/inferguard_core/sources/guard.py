"""The read-only promise, kept where requests leave the process.

Whatever code holds the client, nothing but a GET of a path that is known to be passive reaches a socket. Some
engines change state by GET (SGLang's /flush_cache, /slow_down, /start_profile) or run a request for it
(SGLang's /health), so a method check alone would not do.
"""

from __future__ import annotations

import httpx

from inferguard_core.printable import printable
from inferguard_core.reading import Engine

PASSIVE_PATHS = (
    "/metrics",
    "/version",
    "/v1/models",
    "/load",
    "/ping",
    "/ready",
    "/v1/loads",
    "/get_model_info",
    "/model_info",
    "/get_server_info",
    "/server_info",
)
VLLM_PASSIVE_PATHS = ("/health",)
"""On SGLang since 0.5.1 the same path sends a request through the scheduler."""

PROMETHEUS_PATHS = ("/api/v1/query", "/api/v1/query_range", "/api/v1/series", "/api/v1/labels")
"""Of a metrics server, which has other routes that delete series or end the process."""

ENGINE_EXTENSION = "inferguard.engine"
"""Key of a request's extensions under which the caller says which engine answers there."""
PROMETHEUS_EXTENSION = "inferguard.prometheus"
"""The same, where a metrics server answers."""


class ForbiddenRequestError(Exception):
    """Our own code asked for something that could change an engine: never an endpoint's doing."""


def refusal(
    method: str, path: str, engine: Engine = Engine.UNKNOWN, *, prometheus: bool = False
) -> str | None:
    """Why `method path` must not be sent, or None. A proxy's mount point may stand before the path."""
    passive = PASSIVE_PATHS + (VLLM_PASSIVE_PATHS if engine is Engine.VLLM else ())
    if method == "GET" and path.endswith(PROMETHEUS_PATHS if prometheus else passive):
        return None
    if prometheus:
        return f"{printable(method)} {printable(path)} is not a read-only request of a metrics server"
    return f"{printable(method)} {printable(path)} is not a read-only request of a {engine} engine"


class ReadOnlyTransport(httpx.AsyncBaseTransport):
    """Passes harmless requests on and raises for all others before a socket is touched."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        # The raw path is what goes over the wire: decoded, %2F and %3F would look like other paths.
        path = request.url.raw_path.partition(b"?")[0].decode("ascii")
        engine = request.extensions.get(ENGINE_EXTENSION, Engine.UNKNOWN)
        prometheus = bool(request.extensions.get(PROMETHEUS_EXTENSION, False))
        if reason := refusal(request.method, path, engine, prometheus=prometheus):
            raise ForbiddenRequestError(reason)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()
