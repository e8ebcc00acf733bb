"""What another process writes into an incident shows in a session that is running: real processes, a real file."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from inferguard_core.detect.limits import Limits
from inferguard_core.followup import Note
from inferguard_core.frame import IncidentState, Severity
from inferguard_core.memory.case import Case
from inferguard_core.memory.scribe import Scribe
from inferguard_core.memory.sqlite import SqliteMemory
from inferguard_core.poll import ProofLevel
from inferguard_core.watch import EndpointWatch
from tests.core.memory_cases import T0, URL, case, incident, stored

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from inferguard_core.frame import Incident


async def command(directory: Path, *words: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "inferguard_tui", "incidents", *words,
        env={**os.environ, "INFERGUARD_STATE_DIR": str(directory)},
    )  # fmt: skip
    assert await process.wait() == 0


async def until(done: Callable[[], object], seconds: float) -> None:
    for _ in range(round(seconds / 0.1)):
        if done():
            return
        await asyncio.sleep(0.1)


async def test_a_note_and_a_resolution_from_another_terminal_show_without_a_restart(tmp_path: Path) -> None:
    await stored(SqliteMemory(tmp_path / "state.db"), case())
    watch = EndpointWatch(URL, "gpu-07:8000", 2.0, ProofLevel.LIVE, Limits())
    touched: list[str] = []
    scribe = Scribe(SqliteMemory(tmp_path / "state.db"), touched.append)
    await scribe.start([watch])
    scribe.judged(watch)
    touched.clear()
    assert not watch.log.incidents[-1].notes

    await command(tmp_path, "note", case().id, "rolled back to 0.9")
    await until(lambda: watch.log.incidents[-1].notes, 10)
    assert [note.text for note in watch.log.incidents[-1].notes] == ["rolled back to 0.9"]
    lines = [entry.text for entry in watch.log.incidents[-1].timeline]
    assert sum(line.endswith(": rolled back to 0.9") for line in lines) == 1
    assert touched == [URL]

    flag = "--max-num-seqs"
    await command(tmp_path, "resolve", case().id, "--applied", f"{flag} 64", "--grade", "helped")
    await until(lambda: len(watch.log.incidents[-1].notes) == 2, 10)
    assert watch.log.incidents[-1].notes[-1].text == f"resolved; applied {flag} 64"
    assert watch.casebook.history.graded[flag, "kv_exhausted"].helped == 1
    await scribe.close([watch])


class Second:
    """A watcher that has seen nothing of an incident which another one holds open."""

    def __init__(self, directory: Path) -> None:
        self.now = T0 + 20.0
        self.path = directory / "state.db"
        self.watch = EndpointWatch(URL, "gpu-07:8000", 2.0, ProofLevel.LIVE, Limits())
        self.scribe = Scribe(SqliteMemory(self.path), clock=lambda: self.now)

    async def begin(self) -> Incident:
        held = incident()
        await stored(SqliteMemory(self.path), Case(held, seen_unix=self.now - 5.0))
        await self.scribe.start([self.watch])
        self.scribe.judged(self.watch)
        assert self.watch.log.open is None
        assert self.watch.log.incidents == [held]
        return held


async def test_an_incident_that_another_watcher_sees_end_ends_here_too(tmp_path: Path) -> None:
    second = Second(tmp_path)
    held = await second.begin()
    noted = Note(T0 + 21.0, "kim", "on it")
    second.watch.log.annotate(held.id, None, notes=(noted,))
    over = replace(held, state=IncidentState.RESOLVED, severity=Severity.OK, ended_unix=T0 + 22.0)
    await stored(SqliteMemory(second.path), Case(over, seen_unix=T0 + 22.0))
    log = second.watch.log
    await until(lambda: log.incidents[-1].state is IncidentState.RESOLVED, 10)
    (shown,) = log.incidents
    assert (shown.ended_unix, shown.notes, log.elsewhere) == (T0 + 22.0, (noted,), None)
    await second.scribe.close([second.watch])


async def test_an_incident_whose_other_watcher_falls_silent_is_let_go_and_not_written(tmp_path: Path) -> None:
    second = Second(tmp_path)
    held = await second.begin()
    worse = replace(held, headline="queue_growth: 90 waiting")
    await stored(SqliteMemory(second.path), Case(worse, seen_unix=T0 + 100.0))
    log = second.watch.log
    await until(lambda: log.incidents[-1] == worse, 10)
    second.now = T0 + 185.0
    second.scribe.judged(second.watch)
    assert log.incidents == [worse]
    second.now = T0 + 195.0
    second.scribe.judged(second.watch)
    (shown,) = log.incidents
    assert (shown.state, shown.ended_unix) == (IncidentState.RESOLVED, second.now)
    assert shown.timeline[-1].text.startswith("not watched since 2027-01-15 08:01:40 UTC")
    await second.scribe.close([second.watch])


async def test_what_this_process_writes_itself_is_not_read_again(tmp_path: Path) -> None:
    memory = SqliteMemory(tmp_path / "state.db")
    await memory.start()
    await memory.rewritten()
    memory.put(case())
    await asyncio.sleep(1.5)
    assert await memory.case(case().id) is not None
    assert await memory.rewritten() == ()
    other = SqliteMemory(tmp_path / "state.db")
    await stored(other, case(outcome="fewer sequences"))
    found: tuple[object, ...] = ()
    for _ in range(50):
        found = found or await memory.rewritten()
        await asyncio.sleep(0.1)
    assert len(found) == 1
    await memory.close()
