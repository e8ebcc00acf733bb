"""Follows a target list: who is new on it is polled, who is gone from it no longer.

A list that cannot be read changes nothing: the last good one holds, and the status line says why.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

from inferguard_core.counted import counted
from inferguard_core.frame import PartHealth
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.sources.targets.listing import read_listing

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_core.fleet import Membership
    from inferguard_core.poll import Source
    from inferguard_core.sources.address import Address
    from inferguard_core.sources.targets.listing import Listing

SPREAD_S = 5.0
"""New endpoints get their first poll within this time, not all at once."""


class ListText(Protocol):
    """Where a list is kept."""

    @property
    def name(self) -> str:
        """For people: the path, or host:port."""
        ...

    async def read(self) -> str | BadInput | None:
        """The text; None when it is as it was the last time."""
        ...

    async def changed(self) -> None:
        """Return when it is time to read again."""
        ...

    async def close(self) -> None: ...


class TargetFleet:
    """The endpoints of one list."""

    def __init__(self, text: ListText, source_of: Callable[[Address], Source]) -> None:
        """`source_of` makes the source of an engine."""
        self._text = text
        self._source_of = source_of
        self._urls: dict[str, str] = {}
        """URL of each endpoint on the list to its name."""
        self._now = asyncio.Event()
        self._health = PartHealth(text.name, "reading")

    @property
    def health(self) -> PartHealth:
        return self._health

    def reread(self) -> None:
        """Read the list at once, whether or not it seems to have changed."""
        self._now.set()

    async def follow(self, members: Membership) -> None:
        while True:
            self._apply(await self._text.read(), members)
            self._now.clear()
            waits = {asyncio.create_task(self._now.wait()), asyncio.create_task(self._text.changed())}
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
                await asyncio.gather(*waits, return_exceptions=True)

    async def close(self) -> None:
        await self._text.close()

    def _apply(self, text: str | BadInput | None, members: Membership) -> None:
        if text is None:
            return
        listing = text if isinstance(text, BadInput) else read_listing(text, self._text.name)
        if isinstance(listing, BadInput):
            self._say("unreadable", listing.message)
            return
        self._change(listing, members)
        count = counted(len(self._urls), "endpoint")
        complaint = listing.complaint
        self._say(
            "ok" if not complaint else "in part", f"{count}; left out: {complaint}" if complaint else count
        )

    def _change(self, listing: Listing, members: Membership) -> None:
        wanted = {address.url for _, address in listing.endpoints}
        for url in [u for u in self._urls if u not in wanted]:
            del self._urls[url]
            members.remove(url)
        fresh = [(name, address) for name, address in listing.endpoints if address.url not in self._urls]
        for index, (name, address) in enumerate(fresh):
            self._urls[address.url] = name
            members.add(name, self._source_of(address), SPREAD_S * index / len(fresh))

    def _say(self, state: str, detail: str) -> None:
        before = self._health
        since = before.since_unix if before.state == state else time.time()
        self._health = PartHealth(self._text.name, state, detail, since)
