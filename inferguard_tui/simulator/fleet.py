"""Several simulated endpoints on one event loop, kept in step with the clock."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_tui.simulator.server import EngineServer

STREAMING_TICK_S = 0.02
"""While a client waits for tokens: about one engine step."""
QUIET_TICK_S = 0.25
"""Otherwise: a scrape brings its engine to the present by itself; this only bounds how far it lags."""


class Fleet:
    """Owns the servers from `open` to `close`."""

    def __init__(self, servers: Sequence[EngineServer]) -> None:
        self.servers = tuple(servers)

    async def open(self) -> None:
        for server in self.servers:
            await server.tick()

    async def close(self) -> None:
        for server in self.servers:
            await server.close()

    async def keep_time(self) -> None:
        """Advance every engine for ever, the ones with listeners finely."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            everyone = loop.time() >= due
            for server in self.servers:
                if everyone or server.listeners:
                    await server.tick()
                    # One engine's work is short; two hundred in a row would delay every answer.
                    await asyncio.sleep(0)
            if everyone:
                due = loop.time() + QUIET_TICK_S
            listened = any(server.listeners for server in self.servers)
            await asyncio.sleep(STREAMING_TICK_S if listened else QUIET_TICK_S)
