"""Tasks that wait for news end when they are cancelled, also when news comes in the same instant: closing brings both."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from inferguard_core.alerts.outlet import Outlet
from inferguard_core.memory.upstash import sending
from inferguard_core.memory.upstash.sending import Sender

if TYPE_CHECKING:
    from collections.abc import Callable


class NothingLeft:
    """A local store with an empty outbox."""

    async def read(self, _question: object, nothing: object) -> object:
        return nothing


class NothingDue:
    """A spool that never has anything."""

    waiting = lost = 0

    def batch(self, _unix: float) -> None: ...

    def due_s(self, _unix: float) -> float:
        return 60.0


async def ends(task: asyncio.Task[Any], news: Callable[[], None]) -> None:
    await asyncio.sleep(0.1)
    assert not task.done()
    news()
    # As far as the event loop wakes whatever waits, and no further.
    await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=2.0)
    assert done, "the cancellation was lost"


@pytest.mark.parametrize("target", ["redis", "vector"])
async def test_a_sender(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    monkeypatch.setattr(sending, "GATHER_S", 30.0)

    class Quiet(Sender):
        pass

    Quiet.target = target
    sender = Quiet(NothingLeft())  # type: ignore[arg-type]
    await ends(asyncio.create_task(sender.run()), sender.notify)


async def test_an_outlet() -> None:
    outlet = Outlet("webhook", NothingDue(), None)  # type: ignore[arg-type]
    outlet.start()
    assert outlet._task is not None
    await ends(outlet._task, outlet._news.set)
