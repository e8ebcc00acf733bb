"""Sessions sent side by side, at most so many at once, and what came of their turns.

Each session is a person: a turn goes out when the answer before is there and its wait is over. A run ends early
when it is told to, or when the endpoint is gone; what came until then is kept.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from inferguard_core.poll import FailureKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from inferguard_core.replay.export import Cell, Turn
    from inferguard_core.replay.outcome import TurnOutcome
    from inferguard_core.replay.plan import Plan

GONE_AFTER: Final = 5
"""Turns in a row that no connection could be had for: the rest would only be counted as errors."""
_NO_CONNECTION = {FailureKind.REFUSED, FailureKind.UNRESOLVED, FailureKind.UNREACHABLE, FailureKind.TLS}


class Sends(Protocol):
    """What a run sends turns by."""

    async def send(self, cell: Cell, turn: Turn, began: float) -> TurnOutcome:
        """One turn; when cancelled it gives an interrupted outcome in place of raising."""
        ...


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a run gave."""

    outcomes: tuple[TurnOutcome, ...]
    """Of the turns that were sent, as they ended."""
    seconds: float
    """From the first turn sent to the last end."""
    began_unix: float
    ended_early: str = ""
    """Why not every turn was sent; empty when all were."""


class Run:
    """One run of a plan; `go` once."""

    def __init__(
        self,
        plan: Plan,
        sender: Sends,
        concurrency: int,
        on_outcome: Callable[[TurnOutcome], None] = lambda _outcome: None,
    ) -> None:
        """`on_outcome` is told of each turn as it ends; it must not block."""
        self._plan = plan
        self._sender = sender
        self._concurrency = concurrency
        self._on_outcome = on_outcome
        self._outcomes: list[TurnOutcome] = []
        self._began = 0.0
        self._unreached = 0
        self._over = asyncio.Event()
        self._why = ""

    def end(self, why: str) -> None:
        """Send nothing more and let go of what is on its way."""
        self._why = self._why or why
        self._over.set()

    async def go(self) -> RunRecord:
        unix, self._began = time.time(), time.monotonic()
        sessions = iter(self._plan.cells)
        workers = [
            asyncio.create_task(self._work(sessions), name=f"replay session {n}")
            for n in range(min(self._concurrency, len(self._plan.cells)))
        ]
        told = asyncio.create_task(self._over.wait())
        everything = asyncio.gather(*workers)
        try:
            await asyncio.wait((everything, told), return_when=asyncio.FIRST_COMPLETED)
        finally:
            told.cancel()
            for worker in workers:
                worker.cancel()
            ended = await asyncio.gather(*workers, told, return_exceptions=True)
        await asyncio.gather(everything, return_exceptions=True)
        for problem in ended:
            if isinstance(problem, Exception):
                raise problem
        return RunRecord(tuple(self._outcomes), time.monotonic() - self._began, unix, self._why)

    async def _work(self, sessions: Iterator[Cell]) -> None:
        for cell in sessions:
            for turn in cell.turns:
                if not self._plan.ignore_waits:
                    await asyncio.sleep(turn.wait_s)
                outcome = await self._sender.send(cell, turn, self._began)
                self._outcomes.append(outcome)
                self._on_outcome(outcome)
                self._notice(outcome)
                if self._over.is_set():
                    return

    def _notice(self, outcome: TurnOutcome) -> None:
        self._unreached = self._unreached + 1 if outcome.error in _NO_CONNECTION else 0
        if self._unreached >= GONE_AFTER:
            self.end(f"{self._unreached} turns in a row could not be sent: {outcome.message}")
