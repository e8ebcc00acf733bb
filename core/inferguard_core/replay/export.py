"""ISB-1 replay exports: recorded sessions with their rhythm, as values.

Both adapters and schema 0.2.0 are read. Unknown fields are ignored; a required one that is missing or of
another kind is named by its JSON path, and then nothing of the file is used.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from inferguard_core.replay.content import Asset, Message, read_messages
from inferguard_core.replay.node import Node, WrongShapeError
from inferguard_core.replay.prefixes import Prefixes
from inferguard_core.sources.bad_input import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TRACE_REPLAY: Final = "inferencex_trace_replay"
MULTITURN: Final = "inferencex_multiturn"
TARGET_TOKENS: Final = 256
"""Asked for where a turn does not say how long its answer was."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One request of a session; it carries the whole history."""

    id: str
    wait_s: float
    """From the end of the answer before."""
    messages: tuple[Message, ...]
    target_tokens: int
    missing: tuple[Asset, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """One session as recorded on one stack, hardware and model."""

    trace_id: str
    session_id: str
    runtime_stack_id: str
    hardware_profile_id: str
    canonical_model_id: str
    turns: tuple[Turn, ...]
    support_status: str = ""


@dataclass(frozen=True, slots=True)
class Export:
    adapter_id: str
    bundle_id: str
    cells: tuple[Cell, ...]


def read_export(path: Path) -> Export | BadInput:
    """The export in the file at `path`, with the prefix files it points to."""
    try:
        root = Node(json.loads(path.read_text("utf-8")))
        return _export(root, path)
    except OSError as error:
        return BadInput(f"{path}: {error.strerror}")
    except UnicodeDecodeError:
        return BadInput(f"{path}: not UTF-8 text")
    except json.JSONDecodeError as error:
        return BadInput(f"{path}: line {error.lineno}: not JSON: {error.msg}")
    except RecursionError:
        return BadInput(f"{path}: nested too deeply to be an export")
    except WrongShapeError as error:
        return BadInput(f"{path}: {error}")


def _export(root: Node, path: Path) -> Export:
    adapter = root.need("adapter_id")
    if adapter.text() not in (TRACE_REPLAY, MULTITURN):
        raise adapter.wrong(f"{TRACE_REPLAY} or {MULTITURN}")
    prefixes = Prefixes(path.parent, root)
    cells = tuple(_cell(cell, adapter.text(), prefixes) for cell in root.need("exports").items())
    if not cells:
        raise root.need("exports").wrong("at least one cell")
    bundle = root.get("bundle_id")
    return Export(adapter.text(), bundle.label() if bundle is not None else "", cells)


def _cell(cell: Node, adapter: str, prefixes: Prefixes) -> Cell:
    trace_id = cell.need("trace_id").label()
    status = cell.get("support_status")
    if adapter == MULTITURN:
        session = cell.need("session")
        turns, named = _multiturn(session.need("turns")), session.get("session_id")
    else:
        metadata = cell.get("trace_metadata")
        turns = _trace(prefixes.events(cell))
        named = metadata.get("session_id") if metadata is not None else None
    return Cell(
        trace_id=trace_id,
        session_id=named.label() if named is not None else trace_id,
        runtime_stack_id=cell.need("runtime_stack_id").label(),
        hardware_profile_id=cell.need("hardware_profile_id").label(),
        canonical_model_id=cell.need("canonical_model_id").label(),
        turns=tuple(turns),
        support_status=status.label() if status is not None else "",
    )


def _trace(events: Node) -> Iterator[Turn]:
    """Turns with the difference of their arrival offsets as the wait before them."""
    before: float | None = None
    for event in _some(events):
        offset = event.need("arrival_time_offset_ms")
        at = offset.number()
        if before is not None and at < before:
            raise offset.wrong(f"an offset of at least the one before, {before:g},")
        wait_s = 0.0 if before is None else (at - before) / 1000
        before = at
        yield _turn(event, wait_s, event.need("turn_id"), "input_messages", "target_output_tokens")


def _multiturn(turns: Node) -> Iterator[Turn]:
    for turn in _some(turns):
        wait = turn.get("wait_before_ms")
        named = turn.get("turn_id") or turn.need("turn_idx")
        yield _turn(
            turn,
            wait.number() / 1000 if wait is not None else 0.0,
            named,
            "messages",
            "expected_output_tokens",
        )


def _turn(turn: Node, wait_s: float, named: Node, messages: str, tokens: str) -> Turn:
    sendable, missing = read_messages(turn.need(messages))
    target = turn.get(tokens)
    length = TARGET_TOKENS if target is None else max(1, int(target.number()))
    return Turn(named.label(), wait_s, sendable, length, missing)


def _some(turns: Node) -> list[Node]:
    found = turns.items()
    if not found:
        raise turns.wrong("at least one turn")
    return found
