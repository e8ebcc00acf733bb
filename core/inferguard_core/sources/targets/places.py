"""The two places of a target list: a file that is looked at often, and a URL that is asked once an interval."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from inferguard_core.printable import printable
from inferguard_core.sources.bad_input import BadInput

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

LOOK_EVERY_S: Final = 1.0
"""Between two looks at a file's time and size; it is read only when one of them changed."""
MOST_BYTES: Final = 16 * 2**20
DEADLINE_S: Final = 10.0


class FileList:
    """A JSON file in the form of Prometheus' file_sd."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self.name = path.name

    async def read(self) -> str | BadInput | None:
        stamp = self._stamp()
        self._seen = stamp
        try:
            if stamp is not None and stamp[1] > MOST_BYTES:
                return BadInput(f"{self._path}: larger than {MOST_BYTES} bytes")
            return await asyncio.to_thread(self._path.read_text, "utf-8")
        except OSError as error:
            return BadInput(f"{self._path}: {printable(error.strerror or str(error))}")
        except UnicodeDecodeError:
            return BadInput(f"{self._path}: not UTF-8 text")

    async def changed(self) -> None:
        while self._stamp() == self._seen:  # noqa: ASYNC110 - nothing tells when a file changes
            await asyncio.sleep(LOOK_EVERY_S)

    async def close(self) -> None:
        """Nothing is held open."""

    def _stamp(self) -> tuple[int, int, int] | None:
        """What changes with the file, also where it is replaced by another."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


class HttpList:
    """A URL that answers in the form of Prometheus' http_sd."""

    def __init__(self, url: str, client: httpx.AsyncClient, every_s: float) -> None:
        """`client` is closed here."""
        self._url = url
        self._client = client
        self._every_s = every_s
        self._asked = 0.0
        self.name = printable(urlsplit(url).netloc.rpartition("@")[2])

    async def read(self) -> str | BadInput | None:
        import httpx

        self._asked = time.monotonic()
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await self._get()
        except TimeoutError:
            return BadInput(f"{self.name}: no answer within {DEADLINE_S:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return BadInput(f"{self.name}: no target list: {type(error).__name__}")

    async def changed(self) -> None:
        await asyncio.sleep(max(0.0, self._asked + self._every_s - time.monotonic()))

    async def close(self) -> None:
        await self._client.aclose()

    async def _get(self) -> str | BadInput:
        headers = {
            "accept": "application/json",
            "accept-encoding": "identity",
            "x-prometheus-refresh-interval-seconds": f"{self._every_s:g}",
        }
        request = self._client.build_request("GET", self._url, headers=headers)
        response = await self._client.send(request, stream=True)
        try:
            if response.status_code != HTTPStatus.OK:
                return BadInput(f"{self.name} answered HTTP {response.status_code} in place of a target list")
            text = bytearray()
            async for chunk in response.aiter_raw():
                text += chunk
                if len(text) > MOST_BYTES:
                    return BadInput(f"{self.name}: the list is larger than {MOST_BYTES} bytes")
            return text.decode("utf-8", "replace")
        finally:
            await response.aclose()
