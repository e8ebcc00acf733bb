"""The brain beside a monitor: never in a poll's way, visible when it is down, and never without the rules' answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from inferguard_brain.investigate import result
from inferguard_core.detect.limits import Limits
from inferguard_core.events import AdvisoryEvent, DiagnosisEvent
from inferguard_core.monitor import Listener, Monitor
from inferguard_core.poll import Poll, ProofLevel
from inferguard_core.settings.model import Brain as BrainSettings
from inferguard_core.watch import EndpointWatch
from inferguard_tui.brain_client import Brain
from inferguard_tui.brain_remote import RemoteMind
from inferguard_tui.brain_setup import open_brain
from tests.core.world import T0, Phase, World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from inferguard_core.events import Event

RAMP = World((Phase(0.0, kv=0.5, kv_slope=0.001),))
TROUBLE = World((Phase(0.0), Phase(60.0, kv=0.97, waiting=9, waiting_slope=0.2, preemptions=1)))


class Scripted:
    """A mind that answers as told."""

    name, trouble = "scripted", ""

    def __init__(self, answer: Callable[[dict[str, Any]], dict[str, Any]], delay_s: float = 0.0) -> None:
        self.asked: list[dict[str, Any]] = []
        self._answer, self._delay_s = answer, delay_s

    async def prepare(self) -> None: ...

    async def think(self, context: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(context)
        await asyncio.sleep(self._delay_s)
        return self._answer(context)

    async def close(self) -> None: ...


def watched(world: World, until: int) -> EndpointWatch:
    watch = EndpointWatch("http://gpu-07:8000", "gpu-07:8000", 1.0, ProofLevel.LIVE, Limits())
    for t in range(until + 1):
        watch.observe(Poll(float(t), T0 + t, 1.0, body=world.page(float(t))))
    return watch


async def judged(brain: Brain, watch: EndpointWatch, until: Callable[[], bool]) -> None:
    brain.start()
    brain.judged(watch)
    async with asyncio.timeout(5):
        while not until():
            await asyncio.sleep(0.01)


def made(settings: BrainSettings, mind: Scripted | None = None) -> tuple[Brain, list[str], list[Event]]:
    touched: list[str] = []
    told: list[Event] = []
    return Brain(settings, mind, touched.append, told.append), touched, told


async def test_what_is_ahead_stands_beside_the_watch_and_is_told_once() -> None:
    watch = watched(RAMP, 300)
    brain, touched, told = made(BrainSettings())
    await judged(brain, watch, lambda: bool(touched))
    assert watch.followup.brain is not None
    assert [a.advisory_type for a in watch.followup.brain.advisories] == ["capacity_cliff_predicted"]
    assert touched == [watch.endpoint]
    assert brain.investigate(watch.endpoint) == ""
    await judged(brain, watch, lambda: len(touched) == 2)
    assert [type(e) for e in told] == [AdvisoryEvent]
    await brain.close()


async def test_every_zero_is_never_but_a_person_may_ask() -> None:
    watch = watched(RAMP, 300)
    brain, touched, _ = made(BrainSettings(proactive_cycle_every=0))
    brain.start()
    brain.judged(watch)
    await asyncio.sleep(0.1)
    assert watch.followup.brain is None
    assert [(p.part, p.state) for p in brain.health] == [("brain", "off")]
    assert brain.investigate(watch.endpoint) == ""
    await judged(brain, watch, lambda: bool(touched))
    assert brain.investigate("http://elsewhere") == "http://elsewhere has not been polled yet"
    await brain.close()


async def test_a_mind_may_put_another_ranked_cause_first_but_not_its_own_numbers() -> None:
    watch = watched(TROUBLE, 200)
    concluded = watch.casebook.diagnosis
    assert concluded is not None
    second = concluded.ranked[1]

    def answer(context: dict[str, Any]) -> dict[str, Any]:
        said = {"incident_id": context["incident"]["id"], "cause": second.cause, "confidence": 0.99}
        return {**result(source="direct"), "diagnosis": said, "narrative": ["words"]}

    mind = Scripted(answer)
    brain, _, told = made(BrainSettings(), mind)
    await judged(
        brain, watch, lambda: watch.followup.brain is not None and bool(watch.followup.brain.narrative)
    )
    found = watch.followup.brain
    assert found is not None
    assert found.diagnosis is not None
    assert (found.diagnosis.cause, found.diagnosis.confidence) == (second.cause, second.confidence)
    assert found.diagnosis.source == "llm"
    assert watch.casebook.diagnosis is concluded, "the rules' own answer stays"
    (event,) = [e.to_json() for e in told if isinstance(e, DiagnosisEvent)]
    assert (event["cause"], event["source"]) == (second.cause, "llm")
    assert mind.asked[0]["asked_by"] == "incident"
    assert "gpu-07" not in str(mind.asked[0])
    await brain.close()


@pytest.mark.parametrize("named", ["engine_restarted", "aliens", "", None, 7])
async def test_a_cause_that_the_rules_did_not_rank_is_not_taken(named: object) -> None:
    watch = watched(TROUBLE, 200)
    concluded = watch.casebook.diagnosis
    assert concluded is not None
    assert named not in {score.cause for score in concluded.ranked}

    def answer(context: dict[str, Any]) -> dict[str, Any]:
        said = {"incident_id": context["incident"]["id"], "cause": named}
        return {**result(source="direct"), "diagnosis": said, "narrative": ["words"]}

    mind = Scripted(answer)
    brain, _, _ = made(BrainSettings(), mind)
    await judged(
        brain, watch, lambda: watch.followup.brain is not None and bool(watch.followup.brain.narrative)
    )
    assert watch.followup.brain is not None
    assert watch.followup.brain.diagnosis is None
    await brain.close()


@pytest.mark.parametrize("bad", [{}, {"schema": "x"}, result(error="no") | {"advisories": [1, {}]}])
async def test_any_other_answer_leaves_the_rules_and_a_reason(bad: dict[str, Any]) -> None:
    watch = watched(TROUBLE, 200)
    brain, _, _ = made(BrainSettings(), Scripted(lambda _: bad))
    await judged(brain, watch, lambda: watch.followup.brain is not None and bool(watch.followup.brain.error))
    assert watch.followup.brain is not None
    assert watch.followup.brain.source == "rules"
    await brain.close()


async def test_a_mind_that_takes_too_long_is_left_and_the_reason_is_shown() -> None:
    watch = watched(TROUBLE, 200)
    brain, _, _ = made(BrainSettings(deadline_seconds=1), Scripted(lambda _: {}, 60.0))
    await judged(brain, watch, lambda: watch.followup.brain is not None and bool(watch.followup.brain.error))
    assert watch.followup.brain is not None
    assert watch.followup.brain.error == "scripted: no answer within 1 s"
    await brain.close()


async def test_a_mind_that_was_away_is_asked_again_about_the_same_incident() -> None:
    watch = watched(TROUBLE, 200)
    answers = [result(error="away"), {**result(source="direct"), "narrative": ["words"]}]
    mind = Scripted(lambda _: answers[len(mind.asked) - 1])
    brain = Brain(BrainSettings(), mind, lambda _: None, lambda _: None, again_s=1.0)
    await judged(brain, watch, lambda: watch.followup.brain is not None and bool(watch.followup.brain.error))
    brain.judged(watch)
    await asyncio.sleep(0.05)
    assert len(mind.asked) == 1
    await asyncio.sleep(1.0)
    await judged(
        brain, watch, lambda: watch.followup.brain is not None and bool(watch.followup.brain.narrative)
    )
    await asyncio.sleep(1.0)
    brain.judged(watch)
    await asyncio.sleep(0.05)
    assert len(mind.asked) == 2, "an answer is not asked for again while nothing changes"
    await brain.close()


@pytest.fixture
async def silent() -> AsyncIterator[tuple[int, list[asyncio.StreamWriter]]]:
    """A port that accepts and never answers, like a host behind a cable that was pulled, and who waits there."""

    async def hold(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        await asyncio.sleep(60)

    held: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], held
    for writer in held:
        writer.close()
    server.close()


class InTrouble:
    """An engine whose next poll is always there."""

    endpoint, proof = "http://gpu-07:8000", ProofLevel.LIVE
    polls = 0

    async def poll(self) -> Poll:
        self.polls += 1
        t = 10.0 * self.polls
        return Poll(t, T0 + t, 1.0, body=TROUBLE.page(t))

    def refresh_facts(self) -> None: ...

    async def close(self) -> None: ...


async def test_with_the_cable_pulled_nothing_of_a_poll_waits_for_the_answer(silent) -> None:
    port, waiting = silent
    mind = RemoteMind(f"http://127.0.0.1:{port}", None, 600.0)
    brain = Brain(BrainSettings(mode="remote", deadline_seconds=600), mind, lambda _: None, lambda _: None)
    engine = InTrouble()
    monitor = Monitor([("gpu-07:8000", engine)], 0.1, Limits(), brain.beside(Listener()))
    brain.start()
    monitor.start()
    async with asyncio.timeout(30):
        while not waiting:
            await asyncio.sleep(0.01)
        before = engine.polls
        while engine.polls < before + 20:
            await asyncio.sleep(0.01)
    await monitor.close()
    await brain.close()


async def test_with_the_cable_pulled_it_says_so(silent) -> None:
    port, _ = silent
    mind = RemoteMind(f"http://127.0.0.1:{port}", None, 0.3)
    brain = Brain(BrainSettings(mode="remote"), mind, lambda _: None, lambda _: None)
    for _ in range(3):
        assert "no answer within 0.3 s" in str((await mind.think({}))["error"])
    (part,) = brain.health
    assert part.state == "down"
    assert "no answer" in part.detail
    assert part.since_unix is not None
    assert "not asked for" in str((await mind.think({}))["error"])
    await brain.close()


async def served(handler: Callable[[web.Request], Any]) -> tuple[web.AppRunner, str]:
    app = web.Application()
    app.router.add_post("/investigate", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (web.Response(status=503, text="busy"), "HTTP 503 busy"),
        (web.Response(text="<html>"), "something else than JSON"),
        (web.Response(text="[]"), "something else than an object"),
        (web.Response(body=b"x" * (2 << 20)), "more than 1024 KiB"),
        (web.Response(status=302, headers={"Location": "http://example.invalid"}), "HTTP 302"),
    ],
)
async def test_whatever_a_remote_brain_does_is_a_reason(reply: web.Response, reason: str) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return reply

    runner, url = await served(answer)
    mind = RemoteMind(url, None, 5.0)
    said = await mind.think({})
    assert reason in str(said["error"])
    assert str(said["error"]).endswith("rules alone")
    await mind.close()
    await runner.cleanup()


@pytest.mark.parametrize(
    ("settings", "detail"),
    [
        ({"mode": "remote"}, "INFERGUARD_BRAIN_URL is not set"),
        ({"mode": "remote", "url": "brain:80"}, "http(s)://host:port is expected"),
        ({"mode": "remote", "url": "http://brain.example", "token": "secret-token"}, "https only"),
        ({}, "no LLM key"),
    ],
)
def test_a_brain_without_a_mind_says_why(settings: dict[str, Any], detail: str) -> None:
    (part,) = open_brain(BrainSettings(**settings), lambda _: None, lambda _: None).health
    assert part.state == "ok"
    assert detail in part.detail
    assert "secret-token" not in part.detail
