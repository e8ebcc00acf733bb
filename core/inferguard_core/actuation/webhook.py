"""The one attempt: a POST of its own client, no redirect, one deadline, a short reply, and a value for whatever comes.

`applied` is said only when the receiver says so in the documented form. Whatever else comes after the request may
have left is `unknown`, and nobody sends it again.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, NamedTuple

from inferguard_core.followup import Outcome
from inferguard_core.printable import printable
from inferguard_core.sources.access import Access, tls_context
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.sources.explain import distrusted

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    import httpx

REPLY_MAX = 64 * 1024


class Reply(NamedTuple):
    outcome: Outcome
    detail: str = ""
    reference: str = ""
    """What the receiver calls it."""


async def send(url: str, body: bytes, headers: Mapping[str, str], deadline_s: float, access: Access) -> Reply:
    """POST `body` to `url` once. Raises for nothing that a receiver does."""
    # The HTTP stack is loaded when something is really sent, which most sessions never do.
    import httpx

    context = tls_context(access)
    if isinstance(context, BadInput):
        return Reply(Outcome.NOT_SENT, context.message)
    client = _open(context)
    try:
        async with client, asyncio.timeout(deadline_s):
            return await _exchange(client, url, body, headers)
    except TimeoutError:
        return Reply(Outcome.UNKNOWN, f"no answer within {deadline_s:g} s; it may have been applied")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        if _never_connected(error):
            why = distrusted(error) or printable(str(error), 120)
            return Reply(Outcome.NOT_SENT, f"no connection to the receiver: {why}")
        return Reply(Outcome.UNKNOWN, "the exchange broke off; it may have been applied")


def _never_connected(error: Exception) -> bool:
    """Whether no connection came about, so that nothing can have left.

    The transport calls a lost connection by the same names as a refused one; only the error beneath tells.
    """
    import aiohttp

    return isinstance(error.__cause__, aiohttp.ClientConnectorError)


def _open(context: ssl.SSLContext) -> httpx.AsyncClient:
    """A client for one attempt; nothing of it is shared with the one that reads engines."""
    import aiohttp
    import httpx
    from httpx_aiohttp import AiohttpTransport

    def session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context, force_close=True),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    return httpx.AsyncClient(
        transport=AiohttpTransport(verify=context, trust_env=False, client=session),
        trust_env=False,
        follow_redirects=False,
        timeout=None,  # noqa: S113 - one deadline over the whole attempt
        headers={"User-Agent": "inferguard"},
    )


async def _exchange(client: httpx.AsyncClient, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
    request = client.build_request("POST", url, content=body, headers=dict(headers))
    response = await client.send(request, stream=True)
    try:
        if response.is_redirect or 300 <= response.status_code < 400:
            return Reply(Outcome.UNKNOWN, f"answered {response.status_code}: a redirect is not followed")
        if response.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            return Reply(Outcome.UNKNOWN, f"answered {response.status_code} in an encoding not asked for")
        text = bytearray()
        async for chunk in response.aiter_raw():
            text += chunk
            if len(text) > REPLY_MAX:
                return Reply(Outcome.UNKNOWN, f"answered {response.status_code} with over {REPLY_MAX} bytes")
    finally:
        await response.aclose()
    return read_reply(response.status_code, bytes(text))


def read_reply(status: int, text: bytes) -> Reply:
    """What a receiver's answer says: `{"accepted": true|false, "error"?, "reference"?}` and nothing else."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    accepted = said.get("accepted") if isinstance(said, dict) else None
    if not isinstance(accepted, bool):
        return Reply(Outcome.UNKNOWN, f"answered {status} without saying whether it was accepted")
    error, reference = (
        printable(value) if isinstance(value := said.get(name), str) else ""
        for name in ("error", "reference")
    )
    if accepted and 200 <= status < 300:
        return Reply(Outcome.APPLIED, error, reference)
    if not accepted and status < 500:
        return Reply(Outcome.REJECTED, error or "the receiver gave no reason", reference)
    return Reply(
        Outcome.UNKNOWN,
        f"answered {status} with accepted {str(accepted).lower()}: these contradict",
        reference,
    )
