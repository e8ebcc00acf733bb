"""One simulated engine behind a port on the loopback, which refuses connections while the engine is down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from inferguard_tui.simulator.engine import Condition, SimulatedEngine
from inferguard_tui.simulator.routes import Routes

if TYPE_CHECKING:
    from inferguard_tui.simulator.clock import RealClock

HOST = "127.0.0.1"


class EngineServer:
    """One endpoint. While the engine is down its port refuses connections."""

    def __init__(self, engine: SimulatedEngine, clock: RealClock, port: int = 0) -> None:
        self.engine = engine
        self.port = port
        self._clock = clock
        self._routes = Routes(engine, clock)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def listeners(self) -> int:
        """Clients that wait for tokens over the socket."""
        return self._routes.listeners

    async def open(self) -> None:
        """Bind and answer. The first time with port 0 the system chooses one; it is kept from then on."""
        runner = web.AppRunner(
            self._routes.application(), access_log=None, handle_signals=False, shutdown_timeout=0.0
        )
        await runner.setup()
        site = web.TCPSite(runner, HOST, self.port, reuse_address=True)
        await site.start()
        self._runner = runner
        assert runner.addresses
        self.port = runner.addresses[0][1]

    async def close(self) -> None:
        """Stop listening and break open connections."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def tick(self) -> None:
        """Bring the engine to the present, and the socket to the engine's condition."""
        self.engine.advance(self._clock.now())
        down = self.engine.condition is Condition.DOWN
        if down and self._runner is not None:
            await self.close()
        elif not down and self._runner is None:
            await self.open()
