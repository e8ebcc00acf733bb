"""The store on a real file: what is put is there for the next process, and the file is never lost or overwritten."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from inferguard_core.followup import Grade, Note
from inferguard_core.frame import IncidentEntry, IncidentState
from inferguard_core.memory.case import Applied, Known
from inferguard_core.memory.records import Audited, ReadingRow, Taught, Told
from inferguard_core.memory.schema import APPLICATION_ID, MIGRATIONS
from inferguard_core.memory.shape import Feature
from inferguard_core.memory.sqlite import SqliteMemory
from tests.core.memory_cases import KV, T0, URL, case, incident, stored, until

if TYPE_CHECKING:
    from pathlib import Path


async def test_what_was_put_is_there_for_the_next_process(tmp_path: Path) -> None:
    one = case()
    await stored(
        SqliteMemory(tmp_path / "state.db"),
        one,
        ReadingRow(URL, T0, {"kv_usage": 0.5, "waiting": 3.0}),
        Taught(URL, T0, {"baselines": {}}),
        Told(URL, T0, {"event": "anomaly"}),
        Audited(T0, {"who": "kim", "what": "dry_run"}),
    )
    later = SqliteMemory(tmp_path / "state.db", read_only=True)
    assert await later.case(one.id) == one
    assert await later.cases(URL) == (one,)
    assert await later.cases("http://elsewhere") == ()
    assert await later.learned(URL) == {"baselines": {}}
    assert await later.events(URL) == ({"event": "anomaly"},)
    assert await later.audit() == ({"who": "kim", "what": "dry_run"},)
    (row,) = await later.readings(URL, T0 - 10)
    assert (row.unix, row.values) == (T0, {"kv_usage": 0.5, "waiting": 3.0})


async def test_the_file_and_those_beside_it_are_their_owners_alone(tmp_path: Path) -> None:
    memory = SqliteMemory(tmp_path / "state" / "state.db")
    before = os.umask(0)
    try:
        await memory.start()
        memory.put(case())
        await until(memory.cases)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in memory.path.parent.iterdir()}
        await memory.close()
    finally:
        os.umask(before)
    assert set(modes) >= {"state.db", "state.db-wal"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(memory.path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("content", "label", "said"),
    [
        (b"this is not a database, whatever it is called" * 100, "damaged", "is damaged"),
        (b"", "newer", "is of a newer version (99"),
        (b"", "foreign", "belongs to another program"),
    ],
)
async def test_a_file_that_is_not_ours_to_write_is_set_aside_and_said_so(
    tmp_path: Path, content: bytes, label: str, said: str
) -> None:
    path = tmp_path / "state.db"
    if label == "newer":
        await stored(SqliteMemory(path), case())
    if content:
        path.write_bytes(content)
    else:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE theirs (x)")
            connection.execute(f"PRAGMA user_version = {99 if label == 'newer' else 0}")
        connection.close()
    before = path.read_bytes()
    memory = SqliteMemory(path)
    await memory.start()
    memory.put(case("2"))
    (health,) = memory.health
    await memory.close()
    (aside,) = tmp_path.glob(f"state.db.{label}-*Z")
    assert aside.read_bytes() == before
    assert said in health.detail
    assert aside.name in health.detail
    assert [c.id for c in await memory.cases()] == ["gpu-07:8000/2"]


async def test_a_file_damaged_while_it_is_in_use_is_set_aside_and_writing_goes_on(tmp_path: Path) -> None:
    path = await stored(
        SqliteMemory(tmp_path / "state.db"), *(case(str(n), T0 + 1e4 * n) for n in range(300))
    )
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    memory = SqliteMemory(path)
    await memory.start()
    memory.put(case("new", T0 + 1e8))
    await until(memory.cases)
    await memory.close()
    assert [c.id for c in await memory.cases()] == ["gpu-07:8000/new"]
    assert list(tmp_path.glob("state.db.damaged-*"))


async def test_two_processes_that_see_one_incident_keep_one(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    watch, screen = SqliteMemory(path), SqliteMemory(path)
    await watch.start()
    await screen.start()
    watch.put(replace(case("watch"), incident=incident("watch", T0), seen_unix=T0 + 10))
    await until(watch.cases)
    note = Note(T0 + 12, "kim", "rolled back")
    screen.put(replace(case("screen"), incident=incident("screen", T0 + 3, notes=(note,)), seen_unix=T0 + 12))
    await until(lambda: watch.case("gpu-07:8000/screen"))
    watch.put(case("watch"))
    await watch.close()
    await screen.close()
    (kept,) = await watch.cases()
    assert kept.id == "gpu-07:8000/watch"
    assert kept.incident.state is IncidentState.RESOLVED
    assert kept.incident.notes == (note,)
    assert [entry.text for entry in kept.incident.timeline] == ["opened", "kim: rolled back"]
    assert await watch.case("gpu-07:8000/screen") == kept


async def test_incidents_of_one_process_stay_apart_however_close(tmp_path: Path) -> None:
    memory = SqliteMemory(tmp_path / "state.db")
    await stored(memory, case("1", T0), case("2", T0 + 70.0))
    assert [c.id for c in await memory.cases()] == ["gpu-07:8000/2", "gpu-07:8000/1"]


async def test_what_a_person_said_of_an_incident_survives_what_the_monitor_writes_later(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state.db"
    monitor = SqliteMemory(path)
    await monitor.start()
    monitor.put(replace(case(), incident=incident()))
    await until(monitor.cases)
    said = Applied("--max-num-seqs 64", Known.SAID, "kim", T0 + 20)
    await stored(SqliteMemory(path), case(applied=(said,), grade=Grade.HELPED, graded_by="kim", seen_unix=T0))
    for seen in (T0 + 60, T0 + 70):
        monitor.put(case(seen_unix=seen))

        async def written(seen: float = seen) -> bool:
            return [kept.seen_unix for kept in await monitor.cases()] == [seen]

        await until(written)
    await monitor.close()
    (kept,) = await monitor.cases()
    assert kept.seen_unix == T0 + 70
    assert (kept.applied, kept.grade, kept.graded_by) == ((said,), Grade.HELPED, "kim")
    assert kept.shape == KV


async def test_who_released_an_incident_is_off_it_though_another_process_wrote_between(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state.db"
    screen = SqliteMemory(path)
    await screen.start()
    on_it = IncidentEntry(T0 + 5, "kim is on it", "kim")
    taken = incident(acknowledged_by="kim", timeline=(*incident().timeline, on_it))
    screen.put(replace(case(), incident=taken))
    await until(screen.cases)
    note = Note(T0 + 7, "ana", "pool is full")
    await stored(SqliteMemory(path), replace(case(), incident=replace(taken, notes=(note,))))
    off = IncidentEntry(T0 + 9, "kim released it", "kim")
    screen.put(replace(case(), incident=replace(taken, acknowledged_by="", timeline=(*taken.timeline, off))))
    await screen.close()
    (kept,) = await screen.cases()
    assert kept.incident.acknowledged_by == ""
    assert kept.incident.notes == (note,)


async def test_the_audit_can_only_be_added_to(tmp_path: Path) -> None:
    path = await stored(SqliteMemory(tmp_path / "state.db"), Audited(T0, {"n": 1}))
    with sqlite3.connect(path) as connection:
        for statement in ("UPDATE audit SET line = ''", "DELETE FROM audit"):
            with pytest.raises(sqlite3.IntegrityError, match="only ever added to"):
                connection.execute(statement)
    connection.close()


async def test_a_directory_that_cannot_be_written_is_a_state_and_what_waits_is_written_later(
    tmp_path: Path,
) -> None:
    blocked = tmp_path / "state"
    blocked.write_text("a file where the directory should be")
    memory = SqliteMemory(blocked / "state.db")
    await memory.start()
    memory.put(case())
    (health,) = memory.health
    assert health.state == "down"
    assert health.since_unix is not None
    assert str(blocked) in health.detail
    blocked.unlink()

    async def well() -> bool:
        return memory.health[0].state == "ok"

    await until(well)
    await memory.close()
    assert len(await memory.cases()) == 1


@pytest.mark.parametrize(
    ("directory", "why"),
    [("file", "Not a directory"), ("x" * 300, "File name too long")],
    ids=["in a file", "too long a name"],
)
@pytest.mark.parametrize("read_only", [True, False])
async def test_a_file_that_cannot_be_reached_is_a_state_and_not_an_empty_memory(
    tmp_path: Path, directory: str, why: str, read_only: bool
) -> None:
    """As one in a directory of somebody else; these bar root too."""
    (tmp_path / "file").touch()
    memory = SqliteMemory(tmp_path / directory / "state.db", read_only=read_only)
    await memory.start()
    assert await memory.cases() == ()
    (health,) = memory.health
    await memory.close()
    assert health.state == ("read-only" if read_only else "down")
    assert (why if read_only or directory != "file" else "File exists") in health.detail


async def test_a_read_only_memory_writes_nothing(tmp_path: Path) -> None:
    memory = SqliteMemory(tmp_path / "state.db", read_only=True)
    await stored(memory, case())
    assert memory.health[0].state == "read-only"
    assert list(tmp_path.iterdir()) == []
    assert await memory.cases() == ()


async def test_a_file_that_is_replaced_under_a_running_monitor_is_written_anew(tmp_path: Path) -> None:
    memory = SqliteMemory(tmp_path / "state.db")
    await memory.start()
    memory.put(case("1"))
    await until(memory.cases)
    for path in tmp_path.glob("state.db*"):
        path.unlink()
    memory.put(case("2", T0 + 1e4))
    await memory.close()
    assert [c.id for c in await memory.cases()] == ["gpu-07:8000/2"]


def test_the_version_of_a_file_is_the_number_of_migrations(tmp_path: Path) -> None:
    path = asyncio.run(stored(SqliteMemory(tmp_path / "state.db"), case()))
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


async def test_a_store_of_the_first_version_is_brought_up_to_date_with_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with sqlite3.connect(path) as connection:
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
        connection.execute("INSERT INTO learned VALUES (?, ?, ?)", (URL, T0, zlib.compress(b'{"a": 1}')))
    connection.close()
    memory = SqliteMemory(path, read_only=True)
    assert await memory.learned(URL) is None
    assert "older version" in memory.health[0].detail
    memory = SqliteMemory(path)
    await stored(memory, case())
    assert await memory.learned(URL) == {"a": 1}
    assert await memory.cases() == (case(),)


def test_every_number_of_a_shape_has_a_column(tmp_path: Path) -> None:
    path = asyncio.run(stored(SqliteMemory(tmp_path / "state.db"), case()))
    with sqlite3.connect(path) as connection:
        columns = {row[1] for row in connection.execute("PRAGMA table_info(shapes)")}
    connection.close()
    assert columns >= {feature.value for feature in Feature}
