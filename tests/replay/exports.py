"""Exports made for a test, and exchanges of a server that answers as an engine does."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from inferguard_core.replay.content import Message
from inferguard_core.replay.export import Cell, Turn

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.e2e.hostile import Answer

STACK, HARDWARE, MODEL = "standalone:vllm", "nvidia:h100_sxm_80gb", "gpt_oss_120b"


def event(number: int, offset_ms: float, text: str = "hello", tokens: int = 8) -> dict[str, Any]:
    return {
        "turn_id": number,
        "arrival_time_offset_ms": offset_ms,
        "target_output_tokens": tokens,
        "input_messages": [{"role": "user", "content": text}],
    }


def cell(trace: str = "t1", events: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "trace_id": trace,
        "runtime_stack_id": STACK,
        "hardware_profile_id": HARDWARE,
        "canonical_model_id": MODEL,
        "events": [event(0, 0)] if events is None else events,
        **more,
    }


def export(*cells: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"adapter_id": "inferencex_trace_replay", "exports": list(cells), **more}


def written(directory: Path, content: object, name: str = "export.json") -> Path:
    path = directory / name
    path.write_text(json.dumps(content), "utf-8")
    return path


def turn(number: int = 0, *, wait_s: float = 0.0, text: str = "hello there", tokens: int = 8) -> Turn:
    return Turn(str(number), wait_s, (Message("user", text),), tokens)


def session(name: str, *turns: Turn) -> Cell:
    return Cell(name, name, STACK, HARDWARE, MODEL, turns or (turn(),))


def data(content: object) -> bytes:
    return b"data: " + (content if isinstance(content, str) else json.dumps(content)).encode() + b"\n\n"


def token(text: str = "a", *, key: str = "content", finish: str | None = None) -> bytes:
    return data({"choices": [{"index": 0, "delta": {key: text}, "finish_reason": finish}]})


def usage(prompt: int, completion: int) -> bytes:
    return data({"choices": [], "usage": {"prompt_tokens": prompt, "completion_tokens": completion}})


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nConnection: close\r\n\r\n"
DONE = data("[DONE]")


def streaming(*parts: bytes | float, asked: list[dict[str, Any]] | None = None) -> Answer:
    """Answers with these bytes and closes; a number is a pause in seconds. Bodies asked go to `asked`."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        body = json.loads(await reader.readexactly(length))
        if asked is not None:
            asked.append({"path": head.split(b" ")[1].decode(), "head": head.decode(), **body})
        await _write(writer, parts)

    return answer


async def _write(writer: asyncio.StreamWriter, parts: Iterable[bytes | float]) -> None:
    for part in parts:
        if isinstance(part, bytes):
            writer.write(part)
            await writer.drain()
        else:
            await asyncio.sleep(part)
