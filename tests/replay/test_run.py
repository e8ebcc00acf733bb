"""Sessions side by side: order, waits, limits and early ends. The server is a stand-in with a clock."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from inferguard_core.replay.outcome import Ending, TurnOutcome
from inferguard_core.replay.plan import Identity, Plan
from inferguard_core.replay.run import GONE_AFTER, Run
from tests.replay.exports import session, turn

if TYPE_CHECKING:
    from inferguard_core.replay.export import Cell, Turn


@dataclass
class Server:
    """Answers after `seconds`; counts who is in flight."""

    seconds: float = 0.05
    error: str = ""
    now: int = 0
    most: int = 0
    order: list[tuple[str, str, float]] = field(default_factory=list)

    async def send(self, cell: Cell, asked: Turn, began: float) -> TurnOutcome:
        self.now += 1
        self.most = max(self.most, self.now)
        at = time.monotonic() - began
        self.order.append((cell.trace_id, asked.id, at))
        ending = Ending.FAILED if self.error else Ending.ANSWERED
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            ending = Ending.INTERRUPTED
        self.now -= 1
        return TurnOutcome(cell.trace_id, cell.session_id, asked.id, at, ending, self.error, "no one there")


def plan(*cells: Cell, ignore_waits: bool = False) -> Plan:
    return Plan(Identity("standalone:vllm", "h", "m"), cells, ignore_waits)


async def test_sessions_go_side_by_side_and_their_turns_one_after_another() -> None:
    server = Server()
    cells = [session(name, turn(0), turn(1), turn(2)) for name in "abcde"]
    began = time.monotonic()
    record = await Run(plan(*cells), server, concurrency=2).go()
    whole = time.monotonic() - began
    assert server.most == 2
    assert len(record.outcomes) == 15
    for name in "abcde":
        assert [number for trace, number, _ in server.order if trace == name] == ["0", "1", "2"]
    # The longer of two lanes has eight turns or more.
    assert 0.05 * 8 - 0.01 <= record.seconds <= whole
    assert record.ended_early == ""


async def test_a_wait_counts_from_the_answer_before() -> None:
    server = Server(seconds=0.2)
    async with asyncio.timeout(15):  # 0.4 minutes would be longer
        await Run(plan(session("a", turn(0), turn(1, wait_s=0.4))), server, 4).go()
    (_, _, first), (_, _, second) = server.order
    assert second - first >= 0.2 + 0.4 - 0.01


async def test_waits_that_are_ignored_are_not_waited_for() -> None:
    server = Server()
    async with asyncio.timeout(30):
        await Run(plan(session("a", turn(0), turn(1, wait_s=3600)), ignore_waits=True), server, 4).go()
    assert [number for _, number, _ in server.order] == ["0", "1"]


async def test_told_to_end_it_lets_go_and_gives_what_is_there() -> None:
    class Stuck(Server):
        """Answers six turns, and none after; what asks is told to end when three wait."""

        async def send(self, cell: Cell, asked: Turn, began: float) -> TurnOutcome:
            self.seconds = 0.0 if len(self.order) < 6 else 3600.0
            if len(self.order) == 8:
                asyncio.get_running_loop().call_soon(run.end, "told")
            return await super().send(cell, asked, began)

    server = Stuck()
    run = Run(plan(*(session(str(n), turn(0), turn(1)) for n in range(50))), server, concurrency=3)
    async with asyncio.timeout(30):
        record = await run.go()
    assert record.ended_early == "told"
    endings = [outcome.ending for outcome in record.outcomes]
    assert endings.count(Ending.ANSWERED) == 6
    assert endings.count(Ending.INTERRUPTED) == 3
    assert server.now == 0


async def test_told_to_end_during_a_wait_nothing_more_is_sent() -> None:
    server = Server()
    run = Run(plan(session("a", turn(0), turn(1, wait_s=60))), server, 1)
    asyncio.get_running_loop().call_later(0.2, run.end, "told")
    record = await run.go()
    assert [outcome.turn_id for outcome in record.outcomes] == ["0"]


async def test_an_endpoint_that_is_gone_ends_the_run() -> None:
    server = Server(seconds=0.0, error="Refused")
    record = await Run(plan(*(session(str(n)) for n in range(100))), server, concurrency=1).go()
    assert len(record.outcomes) == GONE_AFTER
    assert "could not be sent: no one there" in record.ended_early


async def test_errors_of_an_engine_that_answers_end_nothing() -> None:
    server = Server(seconds=0.0, error="HTTP 429")
    record = await Run(plan(*(session(str(n)) for n in range(30))), server, concurrency=2).go()
    assert len(record.outcomes) == 30


async def test_a_bug_of_ours_comes_out() -> None:
    class Broken:
        async def send(self, cell: Cell, asked: Turn, began: float) -> TurnOutcome:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Run(plan(session("a"), session("b")), Broken(), 2).go()
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("replay")]
