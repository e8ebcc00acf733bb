"""A brain on another host: one POST a question, its own deadline and cap, and a reason for whatever goes wrong.

The LLM's key is on its side; ours is a bearer token, which does not leave this host over plain http.
"""

from __future__ import annotations

import asyncio
import json
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from inferguard_brain.breaker import Breaker
from inferguard_core.printable import printable

if TYPE_CHECKING:
    import aiohttp

    from inferguard_core.secret import SecretStr

ANSWER_BYTES: Final = 2**20
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class RemoteMind:
    """An `inferguard brain` at `url`."""

    def __init__(self, url: str, token: SecretStr | None, deadline_s: float) -> None:
        """ValueError for a URL that is none, or that would show the token to the network."""
        split = urlsplit(url)
        if split.scheme not in ("http", "https") or not split.hostname:
            raise ValueError(f"brain.url {url!r}: http(s)://host:port is expected")
        if token is not None and split.scheme == "http" and split.hostname not in LOOPBACK:
            raise ValueError(f"brain.url {url!r}: a token goes over https only, except to this host")
        self._url = url.rstrip("/")
        self._token = token
        self._deadline_s = deadline_s
        self._breaker = Breaker()
        self._client: aiohttp.ClientSession | None = None
        self.name = f"remote {split.netloc.rpartition('@')[2]}"

    @property
    def trouble(self) -> str:
        return f"{self.name}: {why}" if (why := self._breaker.trouble) else ""

    async def prepare(self) -> None:
        """Load the HTTP client in a thread: on the loop it would delay a poll in the middle of an incident."""
        await asyncio.to_thread(import_module, "aiohttp")

    async def think(self, context: dict[str, Any]) -> dict[str, Any]:
        """The remote answer; without one a result that only says why."""
        if self._breaker.rests_s:
            return self._without(f"not asked for {self._breaker.rests_s:.0f} s more: {self._breaker.reason}")
        away = True
        try:
            async with asyncio.timeout(self._deadline_s):
                answer, away = await self._post(context), False
        except TimeoutError:
            answer = f"no answer within {self._deadline_s:g} s"
        except Exception as error:  # noqa: BLE001 - whatever a client raises, the reason is what matters
            answer = f"{type(error).__name__}: {printable(str(error))}"
        if isinstance(answer, str):
            self._breaker.failed(answer, away=away)
            return self._without(answer)
        self._breaker.answered()
        return answer

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def _post(self, context: dict[str, Any]) -> dict[str, Any] | str:
        import aiohttp

        if self._client is None:
            self._client = aiohttp.ClientSession()
        headers = {} if self._token is None else {"Authorization": f"Bearer {self._token.get_secret_value()}"}
        async with self._client.post(
            f"{self._url}/investigate", json=context, headers=headers, allow_redirects=False
        ) as reply:
            body = await reply.content.read(ANSWER_BYTES + 1)
            while len(body) <= ANSWER_BYTES and (more := await reply.content.read(ANSWER_BYTES)):
                body += more
            if len(body) > ANSWER_BYTES:
                return f"answers more than {ANSWER_BYTES // 1024} KiB"
            if reply.status != 200:
                return f"HTTP {reply.status} {printable(body.decode('utf-8', 'replace'), 120)}"
        try:
            answer = json.loads(body)
        except ValueError:
            return "answers something else than JSON"
        return answer if isinstance(answer, dict) else "answers something else than an object"

    def _without(self, reason: str) -> dict[str, Any]:
        from inferguard_brain.investigate import result

        return result(trace=[f"{self.name}: {reason}"], error=f"{self.name}: {reason}; rules alone")
