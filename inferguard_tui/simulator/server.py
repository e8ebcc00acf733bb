"""A simulated engine over HTTP on the loopback: its page, its read-only routes and its OpenAI routes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiohttp import web

from inferguard_tui.simulator.dialect import Dialect
from inferguard_tui.simulator.engine import Condition, SimulatedEngine
from inferguard_tui.simulator.generation import Generation
from inferguard_tui.simulator.openai_api import Refusal, read_ask

if TYPE_CHECKING:
    from inferguard_tui.simulator.clock import RealClock

HOST = "127.0.0.1"
EXPOSITION = "text/plain; version=1.0.0; charset=utf-8"
HEALTH_PROBE_S = 20.0
"""SGLang's `/health` answers 503 when its probe got no token for this long."""


class EngineServer:
    """One endpoint. While the engine is down its port refuses connections."""

    def __init__(self, engine: SimulatedEngine, clock: RealClock, port: int = 0) -> None:
        self.engine = engine
        self.port = port
        self.listeners = 0
        """Clients that wait for tokens over the socket."""
        self._clock = clock
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def open(self) -> None:
        """Bind and answer. The first time with port 0 the system chooses one; it is kept from then on."""
        runner = web.AppRunner(self._app(), access_log=None, handle_signals=False, shutdown_timeout=0.0)
        await runner.setup()
        site = web.TCPSite(runner, HOST, self.port, reuse_address=True, shutdown_timeout=0.0)
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

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        get, post = app.router.add_get, app.router.add_post
        get("/metrics", self._metrics)
        get("/v1/models", self._models)
        get("/ping", self._ping)
        get("/health", self._health)
        post("/v1/completions", self._completions)
        post("/v1/chat/completions", self._chat)
        if self.engine.dialect is Dialect.SGLANG:
            for path in ("/get_model_info", "/model_info"):
                get(path, self._model_info)
            for path in ("/get_server_info", "/server_info"):
                get(path, self._server_info)
        else:
            get("/version", self._version)
        return app

    async def _present(self, http: web.Request) -> None:
        """What every handler does first: the present, and the delay of a slow API process."""
        self.engine.advance(self._clock.now())
        if delay := self.engine.api_delay_s:
            await asyncio.sleep(delay / self._clock.speed)
            self.engine.advance(self._clock.now())
        if self.engine.condition is Condition.DOWN:
            # It died while this request was on its way: a dead process sends no status line.
            if http.transport is not None:
                http.transport.abort()
            raise web.HTTPServiceUnavailable

    async def _metrics(self, http: web.Request) -> web.Response:
        await self._present(http)
        return web.Response(body=self.engine.exposition().encode(), headers={"Content-Type": EXPOSITION})

    async def _models(self, http: web.Request) -> web.Response:
        await self._present(http)
        size = self.engine.scenario.size
        owner = self.engine.dialect.engine
        card = {"id": size.model, "object": "model", "owned_by": owner, "max_model_len": size.max_model_len}
        return web.json_response({"object": "list", "data": [card]})

    async def _version(self, http: web.Request) -> web.Response:
        await self._present(http)
        return web.json_response({"version": self.engine.dialect.version})

    async def _ping(self, http: web.Request) -> web.Response:
        await self._present(http)
        return web.Response()

    async def _health(self, http: web.Request) -> web.Response:
        """VLLM says only that the process lives; SGLang waits for its scheduler to turn."""
        await self._present(http)
        if self.engine.dialect is Dialect.SGLANG and self.engine.condition is Condition.STALLED:
            await asyncio.sleep(HEALTH_PROBE_S / self._clock.speed)
            self.engine.advance(self._clock.now())
            if self.engine.condition is Condition.STALLED:
                return web.Response(status=503)
        return web.Response()

    async def _model_info(self, http: web.Request) -> web.Response:
        await self._present(http)
        model = self.engine.scenario.size.model
        return web.json_response({"model_path": model, "tokenizer_path": model, "is_generation": True})

    async def _server_info(self, http: web.Request) -> web.Response:
        await self._present(http)
        size = self.engine.scenario.size
        info: dict[str, Any] = {
            "model_path": size.model,
            "served_model_name": size.model,
            "context_length": size.max_model_len,
            "max_running_requests": size.max_num_seqs,
            "chunked_prefill_size": size.chunked_prefill_size,
            "schedule_conservativeness": size.schedule_conservativeness,
            "page_size": size.block_size,
            "max_total_num_tokens": size.pool_tokens,
            "version": self.engine.dialect.version,
        }
        return web.json_response(info)

    async def _completions(self, http: web.Request) -> web.StreamResponse:
        return await self._generate(http, chat=False)

    async def _chat(self, http: web.Request) -> web.StreamResponse:
        return await self._generate(http, chat=True)

    async def _generate(self, http: web.Request, *, chat: bool) -> web.StreamResponse:
        await self._present(http)
        try:
            body = await http.json()
        except (ValueError, UnicodeDecodeError):
            body = None
        ask = read_ask(body, self.engine.scenario.size, chat=chat)
        if isinstance(ask, Refusal):
            self.engine.process.page.refused(http.path, ask.status)
            return web.json_response(ask.body(self.engine.dialect), status=ask.status)
        self.listeners += 1
        try:
            return await Generation(self.engine, ask).respond(http)
        finally:
            self.listeners -= 1
