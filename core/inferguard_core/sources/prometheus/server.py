"""Questions to a Prometheus server: three read-only routes, answers as values.

An answer that is larger than the cap is asked for in more and smaller queries; how many is remembered, since the
fleet will not have shrunk by the next poll.
"""

from __future__ import annotations

import asyncio
import gc
import json
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from inferguard_core.poll import Failure, FailureKind
from inferguard_core.printable import printable
from inferguard_core.sources.access import TENANT_SETTING
from inferguard_core.sources.fetch import Page, build_request, fetch
from inferguard_core.sources.guard import PROMETHEUS_EXTENSION
from inferguard_core.sources.prometheus.names import ANCHORS, UP, bucket_names, parts, query_of, scalar_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

    from inferguard_core.sources.access import Access
    from inferguard_core.sources.address import Address
    from inferguard_core.sources.prometheus.pages import Labels, Series
    from inferguard_core.sources.prometheus.selector import Selector

MOST_QUERIES: Final = 32
"""Into so many the histograms of one poll are split at most."""


class PrometheusServer:
    """One server, and the selection of its series that `address` names."""

    def __init__(self, address: Address, access: Access, client: httpx.AsyncClient) -> None:
        """`client` comes from `open_client` and is not closed here."""
        assert address.selector is not None
        self.selector: Selector = address.selector
        self.name = address.name
        self._address = address
        self._access = access
        self._client = client
        self._queries = 1
        self.bytes = 0
        """Of the newest answer."""
        self.partial = ""
        """Why the newest answer is known to lack series, in the server's words; empty where it is whole."""

    async def raw(self, seconds: float, at: float | None, narrowed: Selector) -> list[Series] | Failure:
        """Samples of everything that is read, over `seconds` up to `at` (Unix; None is now)."""
        self.bytes, self.partial = 0, ""
        scalars = await self._matrix(scalar_names(), seconds, at, narrowed)
        if isinstance(scalars, Failure):
            return scalars
        while True:
            found = list(scalars)
            trouble: Failure | None = None
            for names in parts(bucket_names(), self._queries):
                answer = await self._matrix(names, seconds, at, narrowed)
                if isinstance(answer, Failure):
                    trouble = answer
                    break
                found += answer
            if trouble is None:
                return found
            if trouble.kind is not FailureKind.TOO_LARGE or self._queries >= MOST_QUERIES:
                return trouble
            self._queries *= 2

    async def engines(self, since_s: float) -> list[Labels] | Failure:
        """Labels of every engine's series of the last `since_s` seconds, of those still there or not."""
        now = time.time()
        asked = [("match[]", query_of(ANCHORS, self.selector))]
        span = [("start", f"{now - since_s:.3f}"), ("end", f"{now:.3f}")]
        answer = await self._ask("/api/v1/series", [*asked, *span])
        if isinstance(answer, Failure):
            return answer
        return [entry for entry in answer if isinstance(entry, dict)] if isinstance(answer, list) else []

    async def range(self, query: str, start: float, end: float, step_s: float) -> list[Series] | Failure:
        """A query at every step from `start` to `end`, both Unix times."""
        span = [("start", f"{start:.3f}"), ("end", f"{end:.3f}"), ("step", f"{step_s:g}")]
        return _series(await self._ask("/api/v1/query_range", [("query", query), *span]))

    async def clock(self) -> float | Failure:
        """Monotonic time less the server's Unix time: added to a sample's time it gives our own."""
        asked = time.monotonic()
        # VictoriaMetrics answers for half a minute ago unless it is told not to look into its cache.
        answer = await self._ask("/api/v1/query", [("query", "time()"), ("nocache", "1")])
        if isinstance(answer, Failure):
            return answer
        at = _number(answer)
        return _strange(self.name) if at is None else (asked + time.monotonic()) / 2 - at

    async def scraped(self, seconds: float, narrowed: Selector) -> list[Series] | Failure:
        """As `raw`, of the few series that show when targets were scraped."""
        return await self._matrix((UP, *ANCHORS), seconds, None, narrowed)

    async def _matrix(
        self, names: Sequence[str], seconds: float, at: float | None, narrowed: Selector
    ) -> list[Series] | Failure:
        query = f"{query_of(names, (*self.selector, *narrowed))}[{max(1, round(seconds))}s]"
        moment = [] if at is None else [("time", f"{at:.3f}")]
        return _series(await self._ask("/api/v1/query", [("query", query), *moment]))

    async def _ask(self, path: str, query: Sequence[tuple[str, str]]) -> Any | Failure:
        """The `data` of an answer."""
        request = build_request(self._client, self._address, self._access, f"{path}?{urlencode(query)}")
        if self._access.tenant:
            request.headers["x-scope-orgid"] = self._access.tenant
        request.extensions = {**request.extensions, PROMETHEUS_EXTENSION: True}
        page = await fetch(self._client, request, self.name, self._access)
        if isinstance(page, Failure):
            return self._explained(page, path)
        self.bytes += page.size
        parsed = await asyncio.to_thread(_parsed, page)
        match parsed:
            case {"status": "success", "data": data}:
                self.partial = self.partial or _partial(parsed)
                return data
        return _strange(self.name)

    def _explained(self, failure: Failure, path: str) -> Failure:
        """A failure in the words that fit a metrics server."""
        name = self.name
        if failure.status == HTTPStatus.UNAUTHORIZED and not self._access.tenant:
            hint = f"one that keeps tenants apart (Mimir) wants {TENANT_SETTING}"
            return Failure(failure.kind, f"{failure.message}; {hint}", failure.status)
        if failure.status == HTTPStatus.NOT_FOUND:
            hint = "is this a Prometheus server, and is its path prefix in the address?"
            return Failure(
                failure.kind, f"{name} has no {printable(path)} (HTTP 404): {hint}", failure.status
            )
        if failure.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY):
            hint = "check the match expression" if self.selector else "check the credentials and the path"
            return Failure(
                failure.kind, f"{name} refuses the query (HTTP {failure.status}): {hint}", failure.status
            )
        if failure.kind is FailureKind.TOO_LARGE:
            hint = "narrow it with ?match={…}, or raise INFERGUARD_BODY_CAP_MIB"
            return Failure(failure.kind, f"{name}: the answer is larger than the cap on a body; {hint}")
        return failure


def _number(data: Any) -> float | None:
    """The one number of an answer: a scalar, or, of a store that knows none, a vector of one."""
    match data:
        case {"result": [int() | float(), str() as text]} | {"result": [{"value": [_, str() as text]}]}:
            try:
                return float(text)
            except ValueError:
                return None
    return None


def _partial(answer: object) -> str:
    """Thanos and Prometheus with remote storage warn beside the data; a VictoriaMetrics cluster sets a flag."""
    match answer:
        case {"warnings": [str() as first, *_]}:
            return printable(first, 160)
        case {"isPartial": True}:
            return "a part of its storage did not answer"
    return ""


def _parsed(page: Page) -> object:
    # A collection in the midst of a hundred thousand new dicts finds nothing and costs more than the parsing.
    collects = gc.isenabled()
    gc.disable()
    try:
        return json.loads(page.text)
    except (ValueError, RecursionError):
        return None
    finally:
        if collects:
            gc.enable()


def _series(data: Any | Failure) -> list[Series] | Failure:
    """The usable entries of a matrix."""
    if isinstance(data, Failure):
        return data
    result = data.get("result") if isinstance(data, dict) else None
    return [entry for entry in result if _usable(entry)] if isinstance(result, list) else []


def _usable(entry: object) -> bool:
    match entry:
        case {"metric": dict(), "values": [[int() | float(), str()], *_]}:
            return True
    return False


def _strange(name: str) -> Failure:
    what = "with something that is no answer of a Prometheus server; check the port and path prefix"
    return Failure(FailureKind.NOT_METRICS, f"{name} answered {what}")
