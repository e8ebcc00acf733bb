"""One turn sent and its stream read, as a value. Nothing that an engine does raises from here.

A failed turn is not sent again: a retry would hide what the load met.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from inferguard_core.counted import counted
from inferguard_core.printable import printable
from inferguard_core.replay.client import Api, in_httpx_terms, transport_errors
from inferguard_core.replay.content import as_prompt
from inferguard_core.replay.outcome import Counted, Ending, TurnOutcome
from inferguard_core.replay.sse import DONE, EventLines, NotAStreamError, Usage, read_piece
from inferguard_core.sources import explain
from inferguard_core.sources.access import Access, authorization

if TYPE_CHECKING:
    import httpx

    from inferguard_core.replay.export import Cell, Turn
    from inferguard_core.sources.address import Address

CHARACTERS_PER_TOKEN: Final = 4
"""Of English text under common tokenizers; only where the server does not count."""
_ERROR_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Target:
    """Where turns go and how they are asked for."""

    address: Address
    access: Access
    model: str
    api: Api = Api.CHAT
    deadline_s: float = 600.0
    """For a whole answer."""
    approximate: bool = True
    """Count tokens by length where the server does not say; otherwise they stay unknown."""


class Sender:
    """Sends turns to one target over `client`, which is not closed here."""

    def __init__(self, client: httpx.AsyncClient, target: Target) -> None:
        self._client = client
        self._target = target
        self._headers = {"accept": "text/event-stream", "accept-encoding": "identity"}
        if credentials := authorization(target.access, target.address.login):
            self._headers["authorization"] = credentials

    async def send(self, cell: Cell, turn: Turn, began: float) -> TurnOutcome:
        """One turn; `began` is the run's start on the monotonic clock."""
        start = time.monotonic()
        blank = TurnOutcome(cell.trace_id, cell.session_id, turn.id, start - began, Ending.FAILED)
        stream = _Stream(start)
        try:
            async with asyncio.timeout(self._target.deadline_s):
                error, message = await self._exchange(turn, stream)
        except TimeoutError:
            error, message = "TimedOut", f"no whole answer within {self._target.deadline_s:g} s"
        except asyncio.CancelledError:
            return replace(stream.onto(blank), ending=Ending.INTERRUPTED)
        except transport_errors() as problem:
            told = in_httpx_terms(problem)
            failure = explain.connection_failure(self._target.address.name, told, stream.received)
            error, message = failure.kind.value, failure.message
        outcome = stream.onto(blank)
        if error:
            return replace(outcome, error=error, message=printable(message))
        return self._counted(replace(outcome, ending=Ending.ANSWERED), turn, stream)

    async def _exchange(self, turn: Turn, stream: _Stream) -> tuple[str, str]:
        """Fill `stream`; the kind of failure and its words, both empty when the answer is whole."""
        url = self._target.address.url + self._target.api.path
        request = self._client.build_request("POST", url, json=self._body(turn), headers=self._headers)
        response = await self._client.send(request, stream=True)
        try:
            if response.status_code != 200:
                return f"HTTP {response.status_code}", await self._refusal(response)
            kind = printable(response.headers.get("content-type", "nothing"), 40)
            if not kind.startswith("text/event-stream"):
                return "NotAStream", f"answered with {kind} in place of a stream"
            async for chunk in response.aiter_raw():
                if stream.take(chunk):
                    break
        except NotAStreamError as problem:
            return "NotAStream", self._safe(str(problem))
        finally:
            await response.aclose()
        if not stream.finished:
            return "CutOff", f"the stream ended after {counted(stream.pieces, 'piece')} without an end mark"
        if not stream.pieces:
            return "Empty", "the answer ended without a token"
        return "", ""

    def _body(self, turn: Turn) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "model": self._target.model,
            "max_tokens": turn.target_tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if self._target.api is Api.CHAT:
            asked["messages"] = [{"role": m.role, "content": m.text} for m in turn.messages]
        else:
            asked["prompt"] = as_prompt(turn.messages)
        return asked

    async def _refusal(self, response: httpx.Response) -> str:
        """The message of an error body, where it has one."""
        body = b""
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > _ERROR_BYTES:
                break
        try:
            error = json.loads(body)
            error = error.get("error", error)
            return self._safe(str(error["message"] if isinstance(error, dict) else error))
        except (ValueError, KeyError, AttributeError, RecursionError):
            return "refused without a reason that can be read"

    def _safe(self, text: str) -> str:
        """A server may send back what it was given: credentials go out of its words."""
        credentials = self._headers.get("authorization", "")
        for secret in (credentials, credentials.partition(" ")[2]):
            text = text.replace(secret, "***") if secret else text
        return text

    def _counted(self, outcome: TurnOutcome, turn: Turn, stream: _Stream) -> TurnOutcome:
        if (usage := stream.usage) is not None:
            return replace(
                outcome,
                prompt_tokens=usage.prompt,
                output_tokens=usage.completion,
                cached_tokens=usage.cached,
                counted=Counted.SERVER,
            )
        if not self._target.approximate:
            return outcome
        characters = sum(len(message.text) for message in turn.messages)
        return replace(
            outcome,
            prompt_tokens=ceil(characters / CHARACTERS_PER_TOKEN),
            output_tokens=stream.pieces,
            counted=Counted.APPROXIMATE,
        )


class _Stream:
    """One answer as it comes in."""

    def __init__(self, start: float) -> None:
        self._start = start
        self._lines = EventLines()
        self._last: float | None = None
        self._first: float | None = None
        self._gaps: list[float] = []
        self._end = start
        self.received = 0
        self.pieces = 0
        self.finished = False
        self.usage: Usage | None = None

    def take(self, chunk: bytes) -> bool:
        """Take bytes that came now; whether they hold the mark after which nothing comes."""
        now = self._end = time.monotonic()
        self.received += len(chunk)
        for data in self._lines.feed(chunk):
            piece = read_piece(data)
            self.finished = self.finished or piece.finished
            self.usage = piece.usage or self.usage
            if piece.text:
                self._token(now)
            if data.strip() == DONE:
                return True
        return False

    def onto(self, outcome: TurnOutcome) -> TurnOutcome:
        return replace(
            outcome,
            ttft_s=None if self._first is None else self._first - self._start,
            e2e_s=self._end - self._start if self.finished else None,
            gaps_s=tuple(self._gaps),
            pieces=self.pieces,
        )

    def _token(self, now: float) -> None:
        self.pieces += 1
        if self._last is None:
            self._first = now
        else:
            self._gaps.append(now - self._last)
        self._last = now
