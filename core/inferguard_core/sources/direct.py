"""A live endpoint as a Source. It reads, within one deadline, and turns whatever happens into a Poll."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from inferguard_core.poll import EndpointFacts, Failure, Poll, ProofLevel
from inferguard_core.reading import Engine
from inferguard_core.sources import explain, loads
from inferguard_core.sources.facts import Answer, ask_facts, engine_of
from inferguard_core.sources.fetch import Page, build_request, complaint, fetch

if TYPE_CHECKING:
    import httpx

    from inferguard_core.sources.access import Access
    from inferguard_core.sources.address import Address

ASK_AGAIN_S = 60.0
"""Wait before the version and models are asked again, when a part failed in a way that may pass."""


class DirectSource:
    """Polls GET /metrics of one engine; of an SGLang that has none, /v1/loads.

    Version and models are asked in the background after the first page, so that they never delay a poll, and
    come with the first poll after their answer.
    """

    def __init__(
        self,
        address: Address,
        access: Access,
        *,
        client: httpx.AsyncClient,
        proof: ProofLevel = ProofLevel.LIVE,
    ) -> None:
        """`client` comes from `open_client`, is shared by all sources, and is not closed here."""
        self._address = address
        self._access = access
        self._client = client
        self._proof = proof
        self._request = build_request(client, address, access, "/metrics")
        self._loads = build_request(client, address, access, loads.ROUTE, Engine.SGLANG)
        self._loads_until = 0.0
        """Until then /metrics is known to be missing and is not asked for."""
        self._facts: EndpointFacts | None = None
        self._asking: asyncio.Task[Answer] | None = None
        self._ask_at = 0.0

    @property
    def endpoint(self) -> str:
        return self._address.url

    @property
    def proof(self) -> ProofLevel:
        return self._proof

    def refresh_facts(self) -> None:
        """Ask version and models again after the next page: the engine seems to have been restarted."""
        self._ask_at = 0.0

    async def poll(self) -> Poll:
        t, unix = time.monotonic(), time.time()
        page, lacking = await self._read(t)
        ms = (time.monotonic() - t) * 1000
        if isinstance(page, Failure):
            return Poll(t, unix, ms, failure=page, facts=self._new_facts())
        facts = self._new_facts()
        self._ask_when_due(Engine.SGLANG if lacking else engine_of(page.text), t)
        return Poll(
            t,
            unix,
            ms,
            body=page.text,
            facts=facts,
            size=page.size,
            lacking=lacking,
            simulated=page.simulated,
        )

    async def close(self) -> None:
        if self._asking:
            self._asking.cancel()
            await asyncio.wait({self._asking})
            self._asking = None

    async def _page(self) -> Page | Failure:
        page = await fetch(self._client, self._request, self._address.name, self._access)
        if isinstance(page, Page) and (what := complaint(page.text)):
            return explain.not_metrics(self._address.name, what)
        return page

    async def _read(self, now: float) -> tuple[Page | Failure, str]:
        """A page, and the flag without which it is a lesser one."""
        page: Page | Failure | None = None
        if now >= self._loads_until:
            page = await self._page()
            if not (isinstance(page, Failure) and page.status == HTTPStatus.NOT_FOUND):
                return page, ""
        answer = await fetch(self._client, self._loads, self._address.name, self._access)
        text = loads.page_of(answer.text) if isinstance(answer, Page) else None
        if isinstance(answer, Page) and text is not None:
            if page is not None:
                self._loads_until = now + ASK_AGAIN_S
            return replace(answer, text=text), loads.FLAG
        self._loads_until = 0.0
        missing = explain.not_metrics(self._address.name, "no load that we know")
        return page or (missing if isinstance(answer, Page) else answer), ""

    def _ask_when_due(self, engine: Engine, now: float) -> None:
        if self._asking or now < self._ask_at:
            return
        self._ask_at = float("inf")

        async def ask(path: str) -> Page | Failure:
            request = build_request(self._client, self._address, self._access, path, engine)
            return await fetch(self._client, request, self._address.name, self._access)

        self._asking = asyncio.create_task(ask_facts(ask, engine), name=f"facts of {self._address.name}")

    def _new_facts(self) -> EndpointFacts | None:
        """What the background question brought, once, when it differs from what was known."""
        if not (self._asking and self._asking.done()):
            return None
        answer, self._asking = self._asking.result(), None
        if answer.incomplete:
            self._ask_at = min(self._ask_at, time.monotonic() + ASK_AGAIN_S)
        changed = answer.facts != self._facts
        self._facts = answer.facts
        return answer.facts if changed else None
