"""The tables of the store and how they came to be. A migration that has been released is never changed.

The version of a file is the number of migrations it has seen.
"""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x49475444
"""Marks a file as ours, so that another program's database is not taken for a broken one of ours."""

_FIRST: Final = (
    "CREATE TABLE endpoints (number INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE)",
    # Names of the numbers packed in a reading, so that a later version may keep others.
    "CREATE TABLE layouts (number INTEGER PRIMARY KEY, names TEXT NOT NULL UNIQUE)",
    """CREATE TABLE readings (
        endpoint INTEGER NOT NULL, step INTEGER NOT NULL, bin INTEGER NOT NULL,
        layout INTEGER NOT NULL, packed BLOB NOT NULL,
        PRIMARY KEY (endpoint, step, bin)) WITHOUT ROWID""",
    """CREATE TABLE cases (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, endpoint TEXT NOT NULL,
        opened_unix REAL NOT NULL, ended_unix REAL, seen_unix REAL NOT NULL,
        cause TEXT NOT NULL, grade TEXT NOT NULL,
        writer TEXT NOT NULL, version INTEGER NOT NULL, whole BLOB NOT NULL)""",
    "CREATE INDEX cases_by_endpoint ON cases (endpoint, opened_unix)",
    "CREATE INDEX cases_by_time ON cases (opened_unix)",
    # Two processes that watch one endpoint see one incident and name it by their own clocks.
    "CREATE TABLE other_names (id TEXT PRIMARY KEY, case_id TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE shapes (
        number INTEGER PRIMARY KEY, cause TEXT NOT NULL, engine TEXT NOT NULL, family TEXT NOT NULL,
        kinds TEXT NOT NULL)""",
    # What was really done and judged, apart from the cases, for the counts of every advisory rest on all of it.
    """CREATE TABLE deeds (
        number INTEGER NOT NULL, what TEXT NOT NULL, cause TEXT NOT NULL, endpoint TEXT NOT NULL,
        grade TEXT NOT NULL, parameters TEXT NOT NULL, PRIMARY KEY (number, what)) WITHOUT ROWID""",
    "CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = 'porter unicode61')",
    "CREATE TABLE learned (endpoint TEXT PRIMARY KEY, unix REAL NOT NULL, whole BLOB NOT NULL) WITHOUT ROWID",
    """CREATE TABLE events (
        number INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, endpoint TEXT NOT NULL, unix REAL NOT NULL,
        line TEXT NOT NULL)""",
    "CREATE INDEX events_by_endpoint ON events (endpoint, number)",
    """CREATE TABLE audit (
        number INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, unix REAL NOT NULL, line TEXT NOT NULL)""",
    """CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit is only ever added to'); END""",
    """CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit is only ever added to'); END""",
    """CREATE TABLE outbox (
        number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,
        UNIQUE (kind, key))""",
)
_SECOND: Final = (
    "DROP TABLE shapes",
    # How incidents looked, in numbers from 0 to 1; NULL is unknown.
    """CREATE TABLE shapes (
        number INTEGER PRIMARY KEY, cause TEXT NOT NULL, also TEXT NOT NULL, engine TEXT NOT NULL,
        family TEXT NOT NULL, kinds TEXT NOT NULL,
        kv_level REAL, kv_rise REAL, queue REAL, queue_growth REAL, running_step REAL, preemption REAL,
        swapped REAL, hit_rate REAL, hit_drop REAL, ttft_step REAL, itl_step REAL, generation_drop REAL,
        arrival_step REAL, acceptance REAL, prompt_step REAL, kv_each_step REAL, finish_drop REAL,
        deferred REAL, down_s REAL)""",
    "DROP TABLE outbox",
    # What the stores elsewhere have not been told yet.
    """CREATE TABLE outbox (
        number INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,
        UNIQUE (target, kind, key))""",
)

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (_FIRST, _SECOND)
"""In the order in which they are applied, each in one transaction."""
