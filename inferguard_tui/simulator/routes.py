"""What a simulated engine answers over HTTP: its page, its read-only routes and its OpenAI routes."""

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

SIMULATED_HEADER = "X-InferGuard-Simulated"
"""By this the monitor knows whose numbers these are, and says so beside them."""
EXPOSITION = "text/plain; version=1.0.0; charset=utf-8"
HEALTH_PROBE_S = 20.0
"""SGLang's `/health` answers 503 when its probe got no token for this long."""


class Routes:
    """The handlers of one engine."""

    def __init__(self, engine: SimulatedEngine, clock: RealClock) -> None:
        self.listeners = 0
        """Clients that wait for tokens over the socket."""
        self._engine = engine
        self._clock = clock

    def application(self) -> web.Application:
        """The routes of this engine and version."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        get, post = app.router.add_get, app.router.add_post
        get("/metrics", self._metrics)
        get("/v1/models", self._models)
        get("/ping", self._ping)
        get("/health", self._health)
        post("/v1/completions", self._completions)
        post("/v1/chat/completions", self._chat)
        if self._engine.dialect is Dialect.SGLANG:
            for path in ("/get_model_info", "/model_info"):
                get(path, self._model_info)
            for path in ("/get_server_info", "/server_info"):
                get(path, self._server_info)
        else:
            get("/version", self._version)
        return app

    async def _present(self, http: web.Request) -> None:
        """What every handler does first: the present, and the delay of a slow API process."""
        self._engine.advance(self._clock.now())
        if delay := self._engine.api_delay_s:
            await asyncio.sleep(delay / self._clock.speed)
            self._engine.advance(self._clock.now())
        if self._engine.condition is Condition.DOWN:
            # It died while this request was on its way: a dead process sends no status line.
            if http.transport is not None:
                http.transport.abort()
            raise web.HTTPServiceUnavailable

    async def _metrics(self, http: web.Request) -> web.Response:
        await self._present(http)
        headers = {"Content-Type": EXPOSITION, SIMULATED_HEADER: "1"}
        return web.Response(body=self._engine.exposition().encode(), headers=headers)

    async def _models(self, http: web.Request) -> web.Response:
        await self._present(http)
        size = self._engine.scenario.size
        owner = self._engine.dialect.engine
        card = {"id": size.model, "object": "model", "owned_by": owner, "max_model_len": size.max_model_len}
        return web.json_response({"object": "list", "data": [card]})

    async def _version(self, http: web.Request) -> web.Response:
        await self._present(http)
        return web.json_response({"version": self._engine.dialect.version})

    async def _ping(self, http: web.Request) -> web.Response:
        await self._present(http)
        return web.Response()

    async def _health(self, http: web.Request) -> web.Response:
        """VLLM says only that the process lives; SGLang waits for its scheduler to turn."""
        await self._present(http)
        if self._engine.dialect is Dialect.SGLANG and self._engine.condition is Condition.STALLED:
            await asyncio.sleep(HEALTH_PROBE_S / self._clock.speed)
            self._engine.advance(self._clock.now())
            if self._engine.condition is Condition.STALLED:
                return web.Response(status=503)
        return web.Response()

    async def _model_info(self, http: web.Request) -> web.Response:
        await self._present(http)
        model = self._engine.scenario.size.model
        return web.json_response({"model_path": model, "tokenizer_path": model, "is_generation": True})

    async def _server_info(self, http: web.Request) -> web.Response:
        await self._present(http)
        size = self._engine.scenario.size
        info: dict[str, Any] = {
            "model_path": size.model,
            "served_model_name": size.model,
            "context_length": size.max_model_len,
            "max_running_requests": size.max_num_seqs,
            "chunked_prefill_size": size.chunked_prefill_size,
            "schedule_conservativeness": size.schedule_conservativeness,
            "page_size": size.block_size,
            "max_total_num_tokens": size.pool_tokens,
            "version": self._engine.dialect.version,
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
        ask = read_ask(body, self._engine.scenario.size, chat=chat)
        if isinstance(ask, Refusal):
            self._engine.process.page.refused(http.path, ask.status)
            return web.json_response(ask.body(self._engine.dialect), status=ask.status)
        self.listeners += 1
        try:
            return await Generation(self._engine, ask).respond(http)
        finally:
            self.listeners -= 1
