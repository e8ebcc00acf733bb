"""One call of a language model behind an OpenAI-compatible API, as a value: an object of JSON, or why there is none.

The deadline covers everything, the one retry and the one repair included. Whatever a server answers (refusals, HTML,
a stream where none was asked for, thoughts around the answer) ends in one kind of reason; nothing is raised.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from inferguard_brain.breaker import Breaker
from inferguard_brain.counted import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    Messages = Sequence[dict[str, str]]

MAX_TOKENS: Final = 2000
ANSWER_CHARS: Final = 200_000
JITTER_S: Final = (0.2, 0.8)
_THOUGHTS: Final = re.compile(r"<think>.*?(</think>|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens; None is unknown, and then a cost is not made up."""

    prompt: float | None = None
    completion: float | None = None


@dataclass(slots=True)
class Spent:
    """What a model has cost so far."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    uncounted: int = 0
    """Answers whose server told no token counts."""

    def add(self, usage: object) -> None:
        self.calls += 1
        counts = [getattr(usage, name, None) for name in ("prompt_tokens", "completion_tokens")]
        if not all(isinstance(c, int) and c >= 0 for c in counts):
            self.uncounted += 1
            return
        self.prompt_tokens += counts[0] or 0
        self.completion_tokens += counts[1] or 0

    def words(self, price: Price) -> str:
        told = f"{counted(self.calls, 'call')}, {self.prompt_tokens} + {self.completion_tokens} tokens"
        if price.prompt is not None and price.completion is not None:
            cost = (self.prompt_tokens * price.prompt + self.completion_tokens * price.completion) / 1e6
            told += f", ${cost:.4f}"
        return f"{told}, {self.uncounted} uncounted" if self.uncounted else told


@dataclass(frozen=True, slots=True)
class Model:
    """Which model, where."""

    base_url: str
    name: str
    key: str = field(repr=False)
    deadline_s: float = 20.0
    price: Price = Price()


@dataclass(frozen=True, slots=True)
class Form:
    """What an answer must be."""

    schema: dict[str, Any]
    needs: tuple[str, ...]
    """Keys without which it is none."""


class UnusableError(Exception):
    """An answer that is none, in words."""


class LanguageModel:
    """A model that is asked one question at a time."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.spent = Spent()
        self.breaker = Breaker()
        self._client: Any = None
        self._plain = False
        """The server takes no JSON schema."""
        self._stream = False
        """The server only streams."""

    async def ask(
        self, messages: Messages, form: Form, deadline_s: float | None = None
    ) -> dict[str, Any] | str:
        """The object that the model answers, or why there is none."""
        if self.breaker.rests_s:
            return f"not asked for {self.breaker.rests_s:.0f} s more: {self.breaker.reason}"
        limit = min(self.model.deadline_s, deadline_s or self.model.deadline_s)
        away = False
        try:
            async with asyncio.timeout(limit):
                answer: dict[str, Any] | str = await self._ask(messages, form, time.monotonic() + limit)
        except TimeoutError:
            answer, away = f"no answer within {limit:g} s", True
        except UnusableError as error:
            answer = str(error)
        except Exception as error:  # noqa: BLE001 - a client library raises anything on a bad server
            answer, away = self._reason(error), _may_pass(error)
        if isinstance(answer, str):
            self.breaker.failed(answer, away=away)
        else:
            self.breaker.answered()
        return answer

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def _ask(self, messages: Messages, form: Form, until: float) -> dict[str, Any]:
        text = await self._text(messages, form, until)
        try:
            return parsed(text, form)
        except UnusableError as error:
            repair = [
                *messages,
                {"role": "assistant", "content": text[:4000]},
                {
                    "role": "user",
                    "content": f"That was unusable: {error}. Answer with the JSON object alone.",
                },
            ]
        return parsed(await self._text(repair, form, until), form)

    async def _text(self, messages: Messages, form: Form, until: float) -> str:
        """One answer; adapts once to what the server cannot do, and retries once what may pass."""
        retried = False
        while True:
            try:
                return await self._call(messages, form, until)
            except Exception as error:
                if self._adapted(error):
                    continue
                if retried or not _may_pass(error):
                    raise
                retried = True
                await asyncio.sleep(random.uniform(*JITTER_S))  # noqa: S311 - spreads load, guards nothing

    async def _call(self, messages: Messages, form: Form, until: float) -> str:
        client = await self._opened()
        asked: dict[str, Any] = {
            "model": self.model.name,
            "messages": list(messages),
            "max_tokens": MAX_TOKENS,
            "temperature": 0,
            "timeout": max(0.1, until - time.monotonic()),
        }
        if not self._plain:
            wanted = {"name": "answer", "strict": True, "schema": form.schema}
            asked["response_format"] = {"type": "json_schema", "json_schema": wanted}
        if self._stream:
            return await self._streamed(client, asked)
        reply = await client.chat.completions.create(**asked)
        if isinstance(reply, str) and reply.lstrip().startswith("data:"):
            self._stream = True
            return await self._streamed(client, asked)
        self.spent.add(getattr(reply, "usage", None))
        return _said(reply)

    async def _streamed(self, client: Any, asked: dict[str, Any]) -> str:
        parts: list[str] = []
        usage = None
        async for chunk in await client.chat.completions.create(**asked, stream=True):
            usage = getattr(chunk, "usage", None) or usage
            choices = getattr(chunk, "choices", None)
            delta = getattr(choices[0], "delta", None) if choices else None
            parts.append(str(getattr(delta, "content", None) or ""))
            if sum(map(len, parts)) > ANSWER_CHARS:
                raise UnusableError("the answer does not end")
        self.spent.add(usage)
        return "".join(parts)

    def _adapted(self, error: Exception) -> bool:
        """Whether the error says what this server cannot do, and the next call leaves it out."""
        if getattr(error, "status_code", None) not in (400, 404, 415, 422, 501):
            return False
        said = str(error).lower()
        if not self._stream and "stream" in said:
            self._stream = True
            return True
        if not self._plain and any(w in said for w in ("response_format", "json_schema", "schema", "guided")):
            self._plain = True
            return True
        return False

    async def prepare(self) -> None:
        """Load and build the client, in a thread; what is wrong with that, the first question tells."""
        with contextlib.suppress(Exception):
            await self._opened()

    async def _opened(self) -> Any:
        if self._client is None:
            self._client = await asyncio.to_thread(_client, self.model)
        return self._client

    def _reason(self, error: Exception) -> str:
        """In words, without the key should a server echo it."""
        status = getattr(error, "status_code", None)
        said = " ".join(str(error).split())[:200].replace(self.model.key, "…")
        return f"HTTP {status}: {said}" if status else f"{type(error).__name__}: {said}"


def _client(model: Model) -> Any:
    import openai

    return openai.AsyncOpenAI(
        base_url=model.base_url,
        api_key=model.key,
        timeout=model.deadline_s,
        max_retries=0,
        # What is asked goes where a person said, and nowhere that an answer says.
        http_client=openai.DefaultAsyncHttpxClient(follow_redirects=False, timeout=model.deadline_s),
    )


def _may_pass(error: Exception) -> bool:
    """A refused or cut connection, a limit, a server's own fault."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return status in (408, 409, 429) or status >= 500
    return type(error).__name__ in ("APIConnectionError", "APITimeoutError")


def _said(reply: Any) -> str:
    """The text of a reply, wherever a server has put it."""
    choices = getattr(reply, "choices", None)
    if not choices:
        raise UnusableError("the server answers something else than a completion")
    choice = choices[0]
    message = getattr(choice, "message", None)
    if getattr(message, "refusal", None):
        raise UnusableError("the model refuses")
    if getattr(choice, "finish_reason", None) == "length":
        raise UnusableError(f"the answer was cut off at {MAX_TOKENS} tokens")
    if getattr(choice, "finish_reason", None) == "content_filter":
        raise UnusableError("the answer was filtered")
    content = getattr(message, "content", None)
    # Some servers put all of a short answer into the thoughts.
    text = content or getattr(message, "reasoning_content", None) or getattr(message, "reasoning", None)
    if not isinstance(text, str) or not text.strip():
        raise UnusableError("the answer is empty")
    if len(text) > ANSWER_CHARS:
        raise UnusableError("the answer does not end")
    return text


def parsed(text: str, form: Form) -> dict[str, Any]:
    """The JSON object in an answer, past thoughts, fences and words around it. Raises UnusableError."""
    bare = _THOUGHTS.sub("", text)
    start = bare.find("{")
    if start < 0:
        raise UnusableError("no JSON object in the answer")
    try:
        found, _ = json.JSONDecoder().raw_decode(bare[start:])
    except (ValueError, RecursionError) as error:
        raise UnusableError(f"not JSON: {str(error)[:80]}") from error
    missing = [name for name in form.needs if name not in found]
    if missing:
        raise UnusableError(f"the object has no {missing[0]!r}")
    return dict(found)
