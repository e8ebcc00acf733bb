"""The HTTP client that sends load, and all that it may send: a POST of two paths.

It is another client than the read-only one, so that no other code can come by one that makes an engine work.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import httpx

from inferguard_core.sources import explain
from inferguard_core.sources.access import Access, tls_context
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.sources.guard import ForbiddenRequestError

if TYPE_CHECKING:
    import aiohttp


class Api(StrEnum):
    """Which route of the OpenAI API takes the load."""

    CHAT = "chat"
    COMPLETIONS = "completions"

    @property
    def path(self) -> str:
        return "/v1/chat/completions" if self is Api.CHAT else "/v1/completions"


class LoadTransport(httpx.AsyncBaseTransport):
    """Passes generation requests on and raises for all others before a socket is touched."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode("ascii")
        if request.method != "POST" or not path.endswith(tuple(api.path for api in Api)):
            raise ForbiddenRequestError(f"{request.method} {path} is not a generation request")
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def transport_errors() -> tuple[type[Exception], ...]:
    """What sending may raise: httpx's adapter lets some of aiohttp's own errors through."""
    import aiohttp

    return (*explain.TRANSPORT_ERRORS, aiohttp.ClientError)


def in_httpx_terms(error: Exception) -> Exception:
    """`error` as httpx would call it, where the adapter does not."""
    import aiohttp

    return httpx.RemoteProtocolError(str(error)) if isinstance(error, aiohttp.ClientResponseError) else error


def open_load_client(access: Access) -> httpx.AsyncClient | BadInput:
    """A client for generation requests; the caller closes it. It follows no redirect and uses no proxy."""
    import aiohttp
    from httpx_aiohttp import AiohttpTransport

    context = tls_context(access)
    if isinstance(context, BadInput):
        return context

    def session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=context),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    transport = AiohttpTransport(verify=context, trust_env=False, client=session)
    return httpx.AsyncClient(
        transport=LoadTransport(transport),
        timeout=None,  # noqa: S113  # `Sender` holds one deadline over a whole answer
        trust_env=False,
        follow_redirects=False,
    )
