"""A DirectSource with a client of its own, for tests against servers of `hostile`."""

from __future__ import annotations

from contextlib import asynccontextmanager

import httpx

from inferguard_core.sources.access import Access
from inferguard_core.sources.address import Address, parse_address
from inferguard_core.sources.client import open_client
from inferguard_core.sources.direct import DirectSource
from tests.e2e.hostile import listening

ACCESS = Access(timeout_s=5)


@asynccontextmanager
async def source_at(url, access=ACCESS, **more):
    address = parse_address(url)
    assert isinstance(address, Address), address
    client = open_client(access)
    assert isinstance(client, httpx.AsyncClient), client
    async with client:
        source = DirectSource(address, access, client=client, **more)
        try:
            yield source
        finally:
            await source.close()


async def poll_of(answer, access=ACCESS):
    async with listening(answer) as at, source_at(at, access) as source:
        return await source.poll()
