"""Messages of an export as what can really be sent.

An asset that is named by its path only is not content: it is handed back as missing, and its declared tokens
are never counted as sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inferguard_core.replay.node import Node

_ROLES = ("system", "user", "assistant")
_LABELLED = ("tool", "retrieval", "execution")
"""Roles that chat templates do not know; their text goes out as the user's, with the role before it."""
_BETWEEN_BLOCKS = "\n\n"


@dataclass(frozen=True, slots=True)
class Asset:
    """A part of a message that the export names and does not hold."""

    at: str
    """Its JSON path."""
    kind: str
    declared_tokens: int | None


@dataclass(frozen=True, slots=True)
class Message:
    role: str
    """system, user or assistant."""
    text: str


def read_messages(messages: Node) -> tuple[tuple[Message, ...], tuple[Asset, ...]]:
    """What can be sent, and what is missing. A message of which nothing is left is left out."""
    sendable: list[Message] = []
    missing: list[Asset] = []
    for message in messages.items():
        role = message.need("role").text()
        texts, assets = _content(message)
        missing += assets
        text = _BETWEEN_BLOCKS.join(texts)
        if not text:
            continue
        if role in _ROLES:
            sendable.append(Message(role, text))
        elif role in _LABELLED:
            sendable.append(Message("user", f"[{role}] {text}"))
        else:
            raise message.need("role").wrong(f"one of {', '.join((*_ROLES, *_LABELLED))}")
    return tuple(sendable), tuple(missing)


def as_prompt(messages: tuple[Message, ...]) -> str:
    """The history as one text, for the completions API."""
    return "\n\n".join(f"{message.role}: {message.text}" for message in messages) + "\n\nassistant:"


def _content(message: Node) -> tuple[list[str], list[Asset]]:
    content = message.get("content")
    if content is not None and isinstance(content.value, str):
        return ([content.value] if content.value else []), []
    blocks = content or message.get("content_blocks")
    if blocks is None:
        message.need("content")
        return [], []
    texts: list[str] = []
    missing: list[Asset] = []
    for block in blocks.items():
        text = block.get("text")
        if text is not None and text.text():
            texts.append(text.text())
        elif (kind := _names_an_asset(block)) is not None:
            declared = block.get("asset_token_count")
            missing.append(Asset(block.path, kind, None if declared is None else int(declared.number())))
    return texts, missing


def _names_an_asset(block: Node) -> str | None:
    """The kind of a block without text that stands for something outside the export; None for an empty one."""
    kind = block.get("type")
    word = kind.label() if kind is not None else "asset"
    points = any(block.get(name) is not None for name in ("asset_path", "uri", "image_url"))
    return word if points or word == "image" else None
