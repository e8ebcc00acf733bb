"""What the engines' OpenAI routes accept and answer, as values: no socket, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inferguard_tui.simulator.dialect import Dialect
from inferguard_tui.simulator.tokens import segments_of

if TYPE_CHECKING:
    from inferguard_tui.simulator.request import Request, Segment
    from inferguard_tui.simulator.size import EngineSize

DEFAULT_COMPLETION_TOKENS = 16
"""The default of the OpenAI completions API."""
DEFAULT_CHAT_TOKENS = 256
"""Where an answer of this engine ends by itself when the client sets no limit."""
CHAT_TEMPLATE_TOKENS = 4
"""Role markers around one message."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A valid request."""

    chat: bool
    model: str
    segments: tuple[Segment, ...]
    prompt_tokens: int
    max_tokens: int
    target_tokens: int
    stream: bool
    include_usage: bool

    @property
    def handler(self) -> str:
        return "/v1/chat/completions" if self.chat else "/v1/completions"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer without tokens."""

    status: int
    message: str
    kind: str = "BadRequestError"

    def body(self, dialect: Dialect) -> dict[str, Any]:
        error = {"message": self.message, "type": self.kind, "param": None, "code": self.status}
        if dialect is Dialect.VLLM_V1:
            return {"error": error}
        return {"object": "error", **error}


def read_ask(body: Any, size: EngineSize, *, chat: bool) -> Ask | Refusal:
    """Check a decoded JSON body as the engines do; 400 for what does not fit, 404 for another model."""
    if not isinstance(body, dict):
        return Refusal(400, "the body must be a JSON object")
    model = body.get("model", size.model)
    if model != size.model:
        return Refusal(404, f"no model {model!r} here; this server has {size.model!r}", "NotFoundError")
    parts = _messages(body.get("messages")) if chat else _prompt(body.get("prompt"))
    if parts is None:
        what = "messages: a non-empty list of objects with content" if chat else "prompt: a string"
        return Refusal(400, f"missing or invalid {what}")
    segments = segments_of(parts)
    prompt_tokens = sum(segment.tokens for segment in segments)
    asked = body.get("max_completion_tokens", body.get("max_tokens"))
    if asked is not None and (not isinstance(asked, int) or isinstance(asked, bool) or asked < 1):
        return Refusal(400, f"max_tokens must be at least 1, got {asked!r}")
    room = size.max_model_len - prompt_tokens
    if room < 1 or (asked or 0) > room:
        return Refusal(
            400,
            f"max_model_len is {size.max_model_len}: {prompt_tokens} prompt tokens and max_tokens "
            f"{asked or 1} do not fit",
        )
    limit = asked or (room if chat else min(room, DEFAULT_COMPLETION_TOKENS))
    options = body.get("stream_options")
    return Ask(
        chat=chat,
        model=size.model,
        segments=segments,
        prompt_tokens=prompt_tokens,
        max_tokens=limit,
        target_tokens=asked or min(limit, DEFAULT_CHAT_TOKENS),
        stream=bool(body.get("stream", False)),
        include_usage=isinstance(options, dict) and bool(options.get("include_usage")),
    )


def usage(request: Request) -> dict[str, Any]:
    return {
        "prompt_tokens": request.prompt_tokens,
        "completion_tokens": request.generated,
        "total_tokens": request.prompt_tokens + request.generated,
        "prompt_tokens_details": {"cached_tokens": request.cached_tokens},
    }


def answer(ask: Ask, request: Request, text: str, created: int) -> dict[str, Any]:
    """The body of an answer that is not streamed."""
    choice = _choice(_reason(request))
    choice["message" if ask.chat else "text"] = {"role": "assistant", "content": text} if ask.chat else text
    return {**_head(ask, request, created, chunk=False), "choices": [choice], "usage": usage(request)}


def chunk(ask: Ask, request: Request, text: str, created: int, *, last: bool) -> dict[str, Any]:
    """One server-sent event of a streamed answer."""
    choice = _choice(_reason(request) if last else None)
    choice["delta" if ask.chat else "text"] = {"content": text} if ask.chat else text
    return {**_head(ask, request, created, chunk=True), "choices": [choice]}


def usage_chunk(ask: Ask, request: Request, created: int) -> dict[str, Any]:
    """The event after the last, when the client asked for usage."""
    return {**_head(ask, request, created, chunk=True), "choices": [], "usage": usage(request)}


def _head(ask: Ask, request: Request, created: int, *, chunk: bool) -> dict[str, Any]:
    kind = f"chat.completion{'.chunk' if chunk else ''}" if ask.chat else "text_completion"
    prefix = "chatcmpl" if ask.chat else "cmpl"
    return {"id": f"{prefix}-{request.number:032x}", "object": kind, "created": created, "model": ask.model}


def _choice(finish_reason: str | None) -> dict[str, Any]:
    return {"index": 0, "logprobs": None, "finish_reason": finish_reason}


def _reason(request: Request) -> str:
    return request.finish_reason.value if request.finish_reason else "stop"


def _prompt(prompt: Any) -> list[str] | None:
    return [prompt] if isinstance(prompt, str) and prompt else None


def _messages(messages: Any) -> list[str] | None:
    if not isinstance(messages, list) or not messages:
        return None
    parts: list[str] = []
    for message in messages:
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, list):
            content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
        if not isinstance(content, str):
            return None
        parts.append(f"{message.get('role', 'user')}:" + "." * (CHAT_TEMPLATE_TOKENS * 4 - 6) + content)
    return parts
