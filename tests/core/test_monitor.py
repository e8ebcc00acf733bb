"""Several endpoints side by side, with sources that answer, hang, fail or break."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from inferguard_core.detect.limits import Limits
from inferguard_core.events import AnomalyEvent, Event
from inferguard_core.frame import Frame, Status
from inferguard_core.monitor import BACK_OFF_MAX_S, Listener, Monitor, back_off
from inferguard_core.poll import Failure, FailureKind, Poll, ProofLevel
from tests.core.test_watch import page

if TYPE_CHECKING:
    from collections.abc import Callable


class Scripted:
    """A source that answers at once; subclasses misbehave."""

    proof = ProofLevel.LIVE

    def __init__(self, name: str) -> None:
        self.endpoint = f"http://{name}"
        self.asked = 0
        self.refreshed = 0
        self.closed = False

    async def poll(self) -> Poll:
        self.asked += 1
        return Poll(time.monotonic(), time.time(), 1.0, body=page(self.asked))

    def refresh_facts(self) -> None:
        self.refreshed += 1

    async def close(self) -> None:
        self.closed = True


class Hung(Scripted):
    async def poll(self) -> Poll:
        self.asked += 1
        await asyncio.Event().wait()
        raise AssertionError


class Refusing(Scripted):
    async def poll(self) -> Poll:
        self.asked += 1
        failure = Failure(FailureKind.REFUSED, f"{self.endpoint} refuses connections")
        return Poll(time.monotonic(), time.time(), 1.0, failure=failure)


class Raising(Scripted):
    async def poll(self) -> Poll:
        self.asked += 1
        raise RuntimeError("a fault of ours \x1b[2J")


class Flaky(Scripted):
    async def poll(self) -> Poll:
        poll = await super().poll()
        if self.asked == 2:
            return Poll(poll.t, poll.unix, 1.0, failure=Failure(FailureKind.TIMED_OUT, "late"))
        return poll


async def run(
    sources: list[Scripted], enough: Callable[[list[Frame]], object], listener: Listener | None = None
) -> list[Frame]:
    """The frames of a monitor until they are enough, or the frames end with it in vain."""
    monitor = Monitor([(s.endpoint, s) for s in sources], 0.05, Limits(), listener)
    frames: list[Frame] = []

    async def collect() -> None:
        async for frame in monitor.frames():
            frames.append(frame)

    task = asyncio.create_task(collect())
    await until(lambda: frames and enough(frames))
    await monitor.close()
    await asyncio.wait_for(task, 20)
    return frames


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


async def test_the_first_frame_comes_before_any_answer() -> None:
    frames = await run([Hung("a")], lambda _: True)
    assert frames[0].endpoints[0].status is Status.WAITING


async def test_a_hung_endpoint_costs_the_others_nothing() -> None:
    sources = [Hung("hung"), Scripted("one"), Scripted("two")]
    frames = await run(sources, lambda got: min(one.polls for one in got[-1].endpoints[1:]) >= 10)
    hung, one, two = frames[-1].endpoints
    assert hung.status is Status.WAITING
    assert one.status is two.status is Status.OK
    assert frames[-1].parts[0].state == "2/3 answer"


async def test_the_first_answer_waits_for_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Later ones share a frame; the first is what somebody who has just started the monitor waits for."""
    monkeypatch.setattr("inferguard_core.monitor.COALESCE_S", 3600.0)
    monitor = Monitor([("one", Scripted("one")), ("hung", Hung("hung"))], 10.0, Limits())
    async with asyncio.timeout(20):
        async for frame in monitor.frames():
            if frame.endpoints[0].polls:
                break
            monitor.touch("http://hung")  # what is no answer does not count as one
    await monitor.close()


async def test_frames_are_numbered_and_hold_every_endpoint_in_order() -> None:
    frames = await run([Scripted("b"), Scripted("a")], lambda got: len(got) >= 3)
    assert [f.seq for f in frames] == list(range(1, len(frames) + 1))
    assert {tuple(e.endpoint for e in f.endpoints) for f in frames} == {("http://b", "http://a")}


async def test_a_fault_of_our_own_is_that_endpoints_failure() -> None:
    frames = await run(
        [Raising("broken"), Scripted("fine")],
        lambda got: got[-1].endpoints[0].failure and got[-1].endpoints[1].polls,
    )
    broken, fine = frames[-1].endpoints
    assert broken.failure is not None
    assert broken.failure.kind is FailureKind.INTERNAL
    assert "a fault of ours" in broken.failure.message
    assert "\x1b" not in broken.failure.message
    assert fine.status is Status.OK


async def test_events_reach_the_listener_in_order() -> None:
    events: list[Event] = []
    polls: list[tuple[str, Poll]] = []
    listener = Listener(on_poll=lambda e, p: polls.append((e, p)), on_event=events.append)
    await run([Refusing("gone")], lambda _: len(polls) >= 3, listener)
    assert isinstance(events[0], AnomalyEvent)
    assert events[0].anomaly.kind == "endpoint_down"


async def test_facts_are_asked_again_after_an_outage() -> None:
    source = Flaky("flaky")
    await run([source], lambda _: source.asked >= 6)
    assert source.refreshed == 1


async def test_closing_closes_the_sources_and_ends_the_frames() -> None:
    source = Scripted("a")
    await run([source], lambda _: source.asked)
    assert source.closed
    asked = source.asked
    await asyncio.sleep(0.2)
    assert source.asked == asked


@pytest.mark.parametrize("interval", [1.0, 5.0, 60.0])
def test_a_dead_endpoint_is_asked_ever_more_seldom_within_a_bound(interval: float) -> None:
    pauses = [back_off(n, interval) for n in range(50)]
    assert pauses[:4] == [interval] * 4
    assert pauses == sorted(pauses)
    assert pauses[-1] == max(interval, BACK_OFF_MAX_S)
