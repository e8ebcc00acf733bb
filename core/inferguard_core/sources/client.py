"""The one HTTP client of a process: httpx's interface on aiohttp's connections.

httpx's own pool searches all its connections for every request, which makes many endpoints dear; aiohttp's
looks the host up. `bench/scrape.py` prints both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from inferguard_core.sources.access import Access, tls_context
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.sources.guard import ReadOnlyTransport

if TYPE_CHECKING:
    import ssl

    import aiohttp

KEEP_ALIVE_S = 4.0
"""Less than the 5 s after which uvicorn, the server of both engines, closes an idle connection."""


def open_client(access: Access) -> httpx.AsyncClient | BadInput:
    """A read-only client for any number of endpoints; the caller closes it.

    It follows no redirect, reads no proxy or other setting from the environment, and leaves deadlines and
    body limits to `fetch`.
    """
    # aiohttp takes longer to import than the rest of a headless command; only live endpoints need it.
    import aiohttp
    from httpx_aiohttp import AiohttpTransport

    context = tls_context(access)
    if isinstance(context, BadInput):
        return context

    def session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            # No limit on connections: there is one request at a time for each endpoint, and with a limit
            # the hung endpoints of a fleet would hold the slots of the healthy ones.
            connector=aiohttp.TCPConnector(limit=0, ssl=context, keepalive_timeout=KEEP_ALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    transport = AiohttpTransport(verify=context, trust_env=False, client=session)
    return httpx.AsyncClient(
        transport=ReadOnlyTransport(transport),
        timeout=None,  # noqa: S113  # `fetch` holds one deadline over the whole attempt
        trust_env=False,
        follow_redirects=False,
    )


def open_plain_client(context: ssl.SSLContext) -> httpx.AsyncClient:
    """A client for what is no engine: a receiver of alerts, a target list. The caller closes it.

    It follows no redirect and reads no proxy from the environment; who uses it holds a deadline.
    """
    return httpx.AsyncClient(
        transport=httpx.AsyncHTTPTransport(verify=context, trust_env=False, retries=0),
        timeout=None,  # noqa: S113 - a deadline over the whole attempt is the user's
        trust_env=False,
        follow_redirects=False,
        headers={"user-agent": "inferguard"},
    )
