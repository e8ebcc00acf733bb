"""One POST of JSON to a receiver of alerts, as a value. No redirect is followed and no proxy is read.

The address may hold a secret in its path or its user part (chat services put it there): only host and port are ever
shown.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from inferguard_core.printable import printable
from inferguard_core.sources.access import Access, tls_context
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.sources.explain import distrusted

if TYPE_CHECKING:
    import ssl

    import httpx

    from inferguard_core.secret import SecretStr

DEADLINE_S = 10.0
_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
"""Client errors that pass."""
_ANSWER_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt."""

    final: bool
    """It arrived, or trying again would change nothing."""
    trouble: str = ""
    """Empty when it was taken."""


class Poster:
    """Sends to one address, one request at a time."""

    def __init__(self, url: SecretStr, context: ssl.SSLContext) -> None:
        self._url = url
        self._context = context
        self._client: httpx.AsyncClient | None = None
        self.name = host_of(url.get_secret_value())

    async def post(self, body: object, key: str = "") -> Answer:
        """One attempt within `DEADLINE_S`. Raises for nothing that a receiver does."""
        import httpx

        headers = {"content-type": "application/json"}
        if key:
            headers["idempotency-key"] = key
        data = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await self._exchange(data, headers)
        except TimeoutError:
            return Answer(final=False, trouble=f"{self.name}: no answer within {DEADLINE_S:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return Answer(final=False, trouble=f"{self.name}: {distrusted(error) or type(error).__name__}")

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def _exchange(self, data: bytes, headers: dict[str, str]) -> Answer:
        if self._client is None:
            # Loaded where something is sent, which most sessions never do.
            from inferguard_core.sources.client import open_plain_client

            self._client = open_plain_client(self._context)
        client = self._client
        request = client.build_request("POST", self._url.get_secret_value(), content=data, headers=headers)
        response = await client.send(request, stream=True)
        try:
            if response.is_success:
                return Answer(final=True)
            said = await _beginning(response)
        finally:
            await response.aclose()
        status = response.status_code
        line = f"{self.name} answered HTTP {status}{f': {said}' if said else ''}"
        refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _LATER
        return Answer(final=refused, trouble=line)


def poster(url: SecretStr, access: Access) -> Poster | BadInput:
    """A poster that trusts what `access` trusts."""
    context = tls_context(access)
    return context if isinstance(context, BadInput) else Poster(url, context)


def host_of(url: str) -> str:
    """host:port, for people."""
    parts = urlsplit(url)
    return printable(parts.netloc.rpartition("@")[2])


async def _beginning(response: httpx.Response) -> str:
    """The first line of an answer."""
    text = bytearray()
    async for chunk in response.aiter_raw():
        text += chunk
        if len(text) > _ANSWER_MAX:
            break
    lines = text.decode("utf-8", "replace").strip().splitlines()
    return printable(lines[0], 120) if lines else ""
