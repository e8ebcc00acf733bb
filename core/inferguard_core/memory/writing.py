"""One batch into the store, inside one transaction of the caller's."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, NamedTuple

from inferguard_core.memory import tiers, track
from inferguard_core.memory.case import Case
from inferguard_core.memory.codec import decode, encode
from inferguard_core.memory.merging import merged
from inferguard_core.memory.shape import TRAITS, Feature
from inferguard_core.memory.wording import words_of

if TYPE_CHECKING:
    import sqlite3

    from inferguard_core.memory.pending import Batch
    from inferguard_core.memory.records import Taught
    from inferguard_core.memory.shape import Shape

_COLUMNS = ", ".join(feature.value for feature in Feature)
_MARKS = ", ".join("?" for _ in Feature)


class _Known(NamedTuple):
    """An incident as it is stored."""

    number: int
    version: int
    """How often it was written; 0 is not yet."""
    id: str
    seen_unix: float
    whole: bytes


class Writer:
    """Writes batches for one process, which it signs: another's newer version of a case is merged, not lost."""

    def __init__(self, name: str, reopen_s: float, shared: tuple[str, ...] = ()) -> None:
        """Trouble within `reopen_s` after an end is the same incident; `shared` names stores to be told of changes."""
        self._name = name
        self._reopen_s = reopen_s
        self._shared = shared
        self._versions: dict[str, int] = {}
        self._endpoints: dict[str, int] = {}
        self._layout: int | None = None

    def forget(self) -> None:
        """Another file is behind the connection now: what was known of the old one does not hold."""
        self._versions.clear()
        self._endpoints.clear()
        self._layout = None

    def write(self, connection: sqlite3.Connection, batch: Batch) -> None:
        for case in batch.cases.values():
            self._case(connection, case)
        for taught in batch.learned.values():
            self._learned(connection, taught)
        connection.executemany(
            "INSERT OR IGNORE INTO audit (uid, unix, line) VALUES (?, ?, ?)",
            [(one.uid, one.unix, _line(one.entry)) for one in batch.audit.values()],
        )
        connection.executemany(
            "INSERT OR IGNORE INTO events (uid, endpoint, unix, line) VALUES (?, ?, ?, ?)",
            [(one.uid, one.endpoint, one.unix, _line(one.event)) for one in batch.events.values()],
        )
        self._readings(connection, batch)
        for uid in batch.audit:
            self._tell(connection, "audit", uid)
        for uid in batch.events:
            self._tell(connection, "event", uid)
        connection.executemany("DELETE FROM outbox WHERE number = ?", [(n,) for n in batch.sent])

    def _readings(self, connection: sqlite3.Connection, batch: Batch) -> None:
        if not batch.readings:
            return
        layout = self._layout_number(connection)
        newest: dict[int, float] = {}
        rows = []
        for (endpoint, second), row in batch.readings.items():
            number = self._endpoint(connection, endpoint)
            rows.append((number, tiers.TIERS[0].step_s, second, layout, tiers.pack(row.values)))
            newest[number] = max(row.unix, newest.get(number, 0.0))
        connection.executemany("INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?, ?)", rows)
        names = tiers.layouts(connection)
        for number, unix in newest.items():
            tiers.roll_up(connection, number, layout, names, unix)

    def _case(self, connection: sqlite3.Connection, case: Case) -> None:
        known = self._known(connection, case) or self._begin(connection, case)
        ours = self._versions.get(known.id) == known.version and known.id == case.id
        whole = case
        if known.version and (not ours or case.seen_unix < known.seen_unix):
            whole = merged(opened(known.whole), case)
        incident = whole.incident
        if whole == case:
            self._versions[known.id] = known.version + 1
        else:
            # Something of another's is in it now, which what comes next from here lacks as well.
            self._versions.pop(known.id, None)
        case = whole
        connection.execute(
            "UPDATE cases SET opened_unix = ?, ended_unix = ?, seen_unix = ?, cause = ?, grade = ?, writer = ?,"
            " version = ?, whole = ? WHERE number = ?",
            (incident.opened_unix, incident.ended_unix, case.seen_unix, case.cause, case.grade.value,
             self._name, known.version + 1, closed(case), known.number),
        )  # fmt: skip
        _index(connection, known.number, case)
        self._tell(connection, "case", case.id)

    def _begin(self, connection: sqlite3.Connection, case: Case) -> _Known:
        """A row for an incident that is not stored yet."""
        (number,) = connection.execute(
            "INSERT INTO cases (id, endpoint, opened_unix, seen_unix, cause, grade, writer, version, whole)"
            " VALUES (?, ?, 0, 0, '', '', ?, 0, x'') RETURNING number",
            (case.id, case.incident.endpoint, self._name),
        ).fetchone()
        return _Known(number, 0, case.id, 0.0, b"")

    def _known(self, connection: sqlite3.Connection, case: Case) -> _Known | None:
        """The stored incident that `case` is, by whichever name."""
        row = connection.execute(
            "SELECT number, version, id, seen_unix, whole FROM cases WHERE id = coalesce("
            "(SELECT case_id FROM other_names WHERE id = :id), :id)",
            {"id": case.id},
        ).fetchone()
        if row is not None:
            return _Known(*row)
        row = connection.execute(
            "SELECT number, version, id, seen_unix, whole FROM cases WHERE endpoint = ? AND writer <> ?"
            " AND opened_unix <= ? AND coalesce(ended_unix, seen_unix) + ? >= ? ORDER BY opened_unix DESC LIMIT 1",
            (case.incident.endpoint, self._name, case.incident.ended_unix or case.seen_unix,
             self._reopen_s, case.incident.opened_unix),
        ).fetchone()  # fmt: skip
        if row is None:
            return None
        connection.execute("INSERT OR REPLACE INTO other_names VALUES (?, ?)", (case.id, row[2]))
        return _Known(*row)

    def _learned(self, connection: sqlite3.Connection, taught: Taught) -> None:
        connection.execute(
            "INSERT INTO learned VALUES (?, ?, ?) ON CONFLICT (endpoint) DO UPDATE"
            " SET unix = excluded.unix, whole = excluded.whole WHERE unix <= excluded.unix",
            (taught.endpoint, taught.unix, zlib.compress(_line(taught.learned).encode())),
        )
        self._tell(connection, "learned", taught.endpoint)

    def _tell(self, connection: sqlite3.Connection, kind: str, key: str) -> None:
        """Note for the stores elsewhere; what waits already goes to the end, as a newer version of itself."""
        connection.executemany(
            "INSERT OR REPLACE INTO outbox (target, kind, key) VALUES (?, ?, ?)",
            [(target, kind, key) for target in self._shared],
        )

    def _endpoint(self, connection: sqlite3.Connection, url: str) -> int:
        if url not in self._endpoints:
            connection.execute("INSERT OR IGNORE INTO endpoints (url) VALUES (?)", (url,))
            row = connection.execute("SELECT number FROM endpoints WHERE url = ?", (url,)).fetchone()
            self._endpoints[url] = row[0]
        return self._endpoints[url]

    def _layout_number(self, connection: sqlite3.Connection) -> int:
        if self._layout is None:
            names = json.dumps(tiers.NAMES)
            connection.execute("INSERT OR IGNORE INTO layouts (names) VALUES (?)", (names,))
            row = connection.execute("SELECT number FROM layouts WHERE names = ?", (names,)).fetchone()
            self._layout = row[0]
        assert self._layout is not None
        return self._layout


def closed(case: Case) -> bytes:
    """A case as it is stored."""
    return zlib.compress(_line(encode(case)).encode())


def opened(whole: bytes, *, light: bool = False) -> Case:
    """The case that `closed` stored; a `light` one without its curves. Raises ValueError where it is none."""
    try:
        data = json.loads(zlib.decompress(whole))
    except zlib.error as error:
        raise ValueError(f"not a stored incident: {error}") from error
    if light and isinstance(data, dict):
        for name in ("course", "measures"):
            data.pop(name, None)
    return decode(Case, data)


def scaled(shape: Shape) -> list[float | None]:
    """A shape's numbers as they are compared, in the order of `Feature`; None where unknown."""
    return [
        None if (value := shape.numbers.get(feature)) is None else TRAITS[feature].scaled(value)
        for feature in Feature
    ]


def _index(connection: sqlite3.Connection, number: int, case: Case) -> None:
    """What recall searches: the shape in columns, the words in the full-text index."""
    shape = case.shape
    connection.execute(
        f"INSERT OR REPLACE INTO shapes (number, cause, also, engine, family, kinds, {_COLUMNS})"  # noqa: S608
        f" VALUES (?, ?, ?, ?, ?, ?, {_MARKS})",
        (
            number,
            case.cause,
            " ".join(shape.also),
            shape.engine,
            shape.family,
            " ".join(shape.kinds),
            *scaled(shape),
        ),
    )
    connection.execute("DELETE FROM words WHERE rowid = ?", (number,))
    connection.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (number, words_of(case)))
    track.store(connection, number, case)


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
