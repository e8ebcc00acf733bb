"""What is still to be told to a store elsewhere, read from the local one, oldest first."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

BATCH = 50
BATCH_BYTES = 400_000
"""Well below what a request may hold."""


class Item(NamedTuple):
    """One entry: what it is, its name everywhere, and its content as JSON text."""

    number: int
    kind: str
    """case, event, audit or learned."""
    key: str
    endpoint: str
    unix: float
    body: str


def count(connection: sqlite3.Connection, target: str) -> int:
    (number,) = connection.execute("SELECT count(*) FROM outbox WHERE target = ?", (target,)).fetchone()
    return int(number)


def items(connection: sqlite3.Connection, target: str, after: int = 0) -> list[Item]:
    """The next entries past number `after`, as many as one request should hold; at least one."""
    found: list[Item] = []
    size = 0
    rows = connection.execute(
        "SELECT number, kind, key FROM outbox WHERE target = ? AND number > ? ORDER BY number LIMIT ?",
        (target, after, BATCH),
    ).fetchall()
    for number, kind, key in rows:
        item = _READ[kind](connection, number, key)
        size += len(item.body)
        if found and size > BATCH_BYTES:
            break
        found.append(item)
    return found


def _case(connection: sqlite3.Connection, number: int, key: str) -> Item:
    row = connection.execute("SELECT endpoint, opened_unix, whole FROM cases WHERE id = ?", (key,)).fetchone()
    return Item(number, "case", key, row[0], row[1], _text(row[2])) if row else _gone(number, "case", key)


def _learned(connection: sqlite3.Connection, number: int, key: str) -> Item:
    row = connection.execute("SELECT unix, whole FROM learned WHERE endpoint = ?", (key,)).fetchone()
    return Item(number, "learned", key, key, row[0], _text(row[1])) if row else _gone(number, "learned", key)


def _event(connection: sqlite3.Connection, number: int, key: str) -> Item:
    row = connection.execute("SELECT endpoint, unix, line FROM events WHERE uid = ?", (key,)).fetchone()
    return Item(number, "event", key, *row) if row else _gone(number, "event", key)


def _audit(connection: sqlite3.Connection, number: int, key: str) -> Item:
    row = connection.execute("SELECT unix, line FROM audit WHERE uid = ?", (key,)).fetchone()
    return Item(number, "audit", key, "", *row) if row else _gone(number, "audit", key)


def _gone(number: int, kind: str, key: str) -> Item:
    """An event that was let go of for its age before it could be sent: nothing but its note is left."""
    return Item(number, kind, key, "", 0.0, "")


def _text(whole: bytes) -> str:
    return zlib.decompress(whole).decode()


_READ: dict[str, Callable[[Any, int, str], Item]] = {
    "case": _case,
    "learned": _learned,
    "event": _event,
    "audit": _audit,
}


def parsed(body: str) -> Any:
    """JSON text of an item or of an answer; None where it is none."""
    try:
        return json.loads(body)
    except ValueError:
        return None
