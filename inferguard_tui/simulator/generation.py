"""One answer to a client over the socket, fed token by token from the scheduler."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from inferguard_tui.simulator.openai_api import Ask, answer, chunk, usage_chunk
from inferguard_tui.simulator.request import FinishReason, Request, Status
from inferguard_tui.simulator.tokens import words

if TYPE_CHECKING:
    from inferguard_tui.simulator.engine import SimulatedEngine


class Generation:
    """Lives as long as the HTTP exchange. A client that hangs up aborts its request."""

    def __init__(self, engine: SimulatedEngine, ask: Ask) -> None:
        self._engine = engine
        self._ask = ask
        self._made: asyncio.Queue[int] = asyncio.Queue()
        self._words = words()
        self._created = int(time.time())

    async def respond(self, http: web.Request) -> web.StreamResponse:
        ask = self._ask
        request = self._engine.submit(
            ask.segments,
            max_tokens=ask.max_tokens,
            target_tokens=ask.target_tokens,
            handler=ask.handler,
            streaming=ask.stream,
            on_tokens=self._made.put_nowait,
        )
        try:
            return await (self._stream(http, request) if ask.stream else self._whole(http, request))
        finally:
            if request.status is not Status.FINISHED:
                self._engine.hang_up(request)

    async def _whole(self, http: web.Request, request: Request) -> web.StreamResponse:
        text = ""
        while not _done(request):
            text += self._text(await self._made.get())
        while not self._made.empty():
            text += self._text(self._made.get_nowait())
        if request.finish_reason is FinishReason.ABORT:
            return _break_off(http, web.Response())
        return web.json_response(answer(self._ask, request, text, self._created))

    async def _stream(self, http: web.Request, request: Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(http)
        sent = 0
        while not _done(request) or not self._made.empty():
            made = await self._made.get()
            if request.finish_reason is FinishReason.ABORT:
                return _break_off(http, response)
            for _ in range(made):
                sent += 1
                last = _done(request) and sent == request.generated
                event = chunk(self._ask, request, next(self._words), self._created, last=last)
                await response.write(_event(event))
        if self._ask.include_usage:
            await response.write(_event(usage_chunk(self._ask, request, self._created)))
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
        return response

    def _text(self, tokens: int) -> str:
        return "".join(next(self._words) for _ in range(tokens))


def _break_off(http: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """What a client sees of a server that dies: its connection is reset."""
    if http.transport is not None:
        http.transport.abort()
    return response


def _done(request: Request) -> bool:
    return request.status is Status.FINISHED


def _event(body: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(body)}\n\n".encode()
