"""Server-sent events out of bytes as they come, and what one event of an OpenAI stream says.

Framing is that of the HTML standard (section 9.2.6): lines end by CR, LF or both, a blank line ends an event,
`data` fields of one event are joined by a line feed, everything else is skipped.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from inferguard_core.printable import printable

MAX_EVENT_BYTES: Final = 2**20
"""An event of a stream holds a few tokens; one that grows past this is no such stream."""
DONE: Final = "[DONE]"
_REASONING = ("reasoning_content", "reasoning")
"""vLLM before and since 0.12, and SGLang, which uses the first."""


class NotAStreamError(Exception):
    """What came is not a stream of OpenAI chunks; the text says what it is."""


class EventLines:
    """Takes bytes, gives the data of whole events."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[str] = []
        self._held = 0

    def feed(self, chunk: bytes) -> list[str]:
        """Data of the events that `chunk` completes."""
        *lines, self._rest = self._lines(self._rest + chunk)
        events: list[str] = []
        for line in lines:
            if line.startswith(b"data:"):
                self._held += len(line)
                self._data.append(line[5:].removeprefix(b" ").decode("utf-8", "replace"))
            elif not line and self._data:
                events.append("\n".join(self._data))
                self._data, self._held = [], 0
        if len(self._rest) + self._held > MAX_EVENT_BYTES:
            raise NotAStreamError(f"an event of more than {MAX_EVENT_BYTES} bytes")
        return events

    @staticmethod
    def _lines(data: bytes) -> list[bytes]:
        # A CR at the very end may be the first half of CR LF.
        held = b"\r" if data.endswith(b"\r") else b""
        whole = data[: len(data) - len(held)]
        lines = whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        lines[-1] += held
        return lines


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the server counted them."""

    prompt: int
    completion: int
    cached: int | None = None
    """Of the prompt, from the prefix cache; None where the server does not say."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one event brought."""

    text: bool = False
    """At least one token of content or of reasoning."""
    finished: bool = False
    usage: Usage | None = None


def read_piece(data: str) -> Piece:
    """One event. NotAStreamError for an error event and for what is no chunk."""
    if data.strip() == DONE:
        return Piece(finished=True)
    try:
        chunk = json.loads(data)
    except (ValueError, RecursionError):
        raise NotAStreamError(f"not JSON: {printable(data, 60)}") from None
    if not isinstance(chunk, dict):
        raise NotAStreamError(f"not an object: {printable(data, 60)}")
    if (error := chunk.get("error")) is not None or chunk.get("object") == "error":
        raise NotAStreamError(f"the server broke off: {_said(error if error is not None else chunk)}")
    choices = chunk.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    return Piece(
        text=_has_text(choice),
        finished=isinstance(choice.get("finish_reason"), str),
        usage=_usage(chunk.get("usage")),
    )


def _has_text(choice: dict[str, Any]) -> bool:
    delta = choice.get("delta")
    found = [choice.get("text")]
    if isinstance(delta, dict):
        found += [delta.get("content"), *(delta.get(name) for name in _REASONING)]
    return any(isinstance(text, str) and text for text in found)


def _usage(usage: Any) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    prompt, completion = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    if prompt is None or completion is None:
        return None
    details = usage.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else None
    return Usage(prompt, completion, cached)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _said(error: Any) -> str:
    message = error.get("message") if isinstance(error, dict) else error
    return printable(str(message), 120)
