"""A local server that speaks the OpenAI chat API, with an answer for each call as scripted."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    Reply = Callable[[dict[str, Any]], Any]


class ChatServer:
    """Serves the replies in turn, the last one for ever; keeps what was asked."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.url = ""

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.asked.append(body)
        self.keys.append(request.headers.get("Authorization", ""))
        reply = self.replies[min(len(self.asked), len(self.replies)) - 1](body)
        made = await reply if asyncio.iscoroutine(reply) else reply
        assert isinstance(made, web.StreamResponse)
        return made


@asynccontextmanager
async def serving(*replies: Reply) -> AsyncIterator[ChatServer]:
    server = ChatServer(*replies)
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server.chat)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()


def completion(content: str | None, finish: str = "stop", **message: Any) -> Reply:
    said = {"role": "assistant", "content": content, **message}
    return lambda _: web.json_response(
        {
            "id": "x",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "finish_reason": finish, "message": said}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
        }
    )


def answering(answer: object, **message: Any) -> Reply:
    return completion(json.dumps(answer), **message)


def status(code: int, text: str = "", kind: str = "text/plain") -> Reply:
    return lambda _: web.Response(status=code, text=text, content_type=kind)


def redirect(code: int, url: str) -> Reply:
    return lambda _: web.Response(status=code, headers={"Location": url})


def slow(seconds: float) -> Reply:
    async def reply(_body: dict[str, Any]) -> web.Response:
        await asyncio.sleep(seconds)
        return web.Response(status=503)

    return reply


def only_streams(text: str) -> Reply:
    """Refuses what is not asked for as a stream, then streams piece by piece."""

    def reply(body: dict[str, Any]) -> web.Response:
        if not body.get("stream"):
            return web.json_response({"error": {"message": "stream must be true"}}, status=400)
        parts = [text[i : i + 7] for i in range(0, len(text), 7)]
        chunks = [
            {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
             "choices": [{"index": 0, "delta": {"content": part}, "finish_reason": None}]}
            for part in parts
        ]  # fmt: skip
        lines = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
        return web.Response(text=f"{lines}data: [DONE]\n\n", content_type="text/event-stream")

    return reply
