"""The whole of a session's acting, on a simulated engine in virtual time and receivers on the loopback."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from inferguard_core.actuation.actuator import Actuator
from inferguard_core.actuation.audit import Audit
from inferguard_core.actuation.policy import Policy
from inferguard_core.detect.limits import Limits
from inferguard_core.followup import Execution, Grade, Outcome
from inferguard_core.poll import Poll, ProofLevel
from inferguard_core.secret import SecretStr
from inferguard_core.watch import EndpointWatch
from inferguard_tui.simulator.actions import carry_out
from inferguard_tui.simulator.engine import SimulatedEngine
from inferguard_tui.simulator.scenarios import SCENARIOS
from tests.core.receivers import answer, receiver

if TYPE_CHECKING:
    from pathlib import Path

NAME = "throttle_concurrency"
SECRET = "do not say this aloud"


class Session:
    """A monitor without its clock: a pressed engine, watched until it is advised to throttle."""

    def __init__(self, state: Path, url: str | None, **policy: object) -> None:
        self.engine = SimulatedEngine(SCENARIOS["self_repair"], seed=1)
        self.watch = EndpointWatch("http://sim:8000", "sim:8000", 1.0, ProofLevel.SIMULATED, Limits())
        self.told: list[Execution] = []
        self.t = -1
        given: dict[str, object] = {
            "mode": "live", "target": url, "allowlist": frozenset({NAME}), "secret": SecretStr(SECRET),
            "kill_switch": state / "STOP", "verify_delay_s": 20.0, "quiet_s": 40.0, "deadline_s": 1.0,
        }  # fmt: skip
        self.policy = Policy(**(given | policy))  # type: ignore[arg-type]
        self.actuator = Actuator(
            self.policy, Audit(state), lambda: [self.watch], self.told.append, lambda: float(self.t)
        )
        self.run(until=65)
        self.advice = next(
            a for a in self.watch.casebook.advisories if a.action_type == NAME and not a.superseded_by
        )

    def run(self, until: int) -> None:
        base = time.time()
        while self.t < until:
            self.t += 1
            self.engine.advance(float(self.t))
            self.watch.observe(Poll(float(self.t), base + self.t, 1.0, body=self.engine.exposition()))
            if hasattr(self, "actuator"):
                self.actuator.judged(self.watch)

    async def send(self, confirmed: str = NAME) -> Execution:
        made = await self.actuator.carry_out(self.advice.id, "ana", confirmed)
        assert isinstance(made, Execution), made
        return made


async def test_from_advice_to_grade(tmp_path: Path) -> None:
    async with receiver(answer()) as seen:
        session = Session(tmp_path, seen.url)
        made = await session.send()
        assert (made.outcome, made.reference) == (Outcome.APPLIED, "job-7")
        assert not carry_out(session.engine, NAME, dict(session.advice.parameters))
        session.run(until=65 + 59)
        assert session.watch.followup.executions[0].grade is None
        session.run(until=65 + 61)
    (kept,) = session.watch.followup.executions
    assert kept.grade is Grade.HELPED
    assert any("late first tokens" in text for text in kept.verification)
    assert [e.outcome for e in session.told] == [Outcome.SENDING, Outcome.APPLIED, Outcome.APPLIED]
    incident = session.watch.log.incidents[-1]
    said = [entry.text for entry in incident.timeline if NAME in entry.text]
    assert any("by ana: applied" in text for text in said)
    assert any("helped" in text for text in said)
    records = Audit(tmp_path).read().records
    assert [(r["outcome"], r["grade"]) for r in records] == [
        ("sending", None), ("applied", None), ("applied", "helped"),
    ]  # fmt: skip
    assert SECRET not in Audit(tmp_path).path.read_text() + repr(session.policy) + repr(session.told)


async def test_without_the_effect_nothing_is_claimed(tmp_path: Path) -> None:
    """The receiver says yes and does nothing: the numbers say so."""
    async with receiver(answer()) as seen:
        session = Session(tmp_path, seen.url)
        await session.send()
        session.run(until=65 + 61)
    assert session.watch.followup.executions[0].grade in (Grade.NO_CHANGE, Grade.UNKNOWN, Grade.WORSE)


async def test_it_is_sent_only_when_its_name_was_typed(tmp_path: Path) -> None:
    async with receiver(answer()) as seen:
        session = Session(tmp_path, seen.url)
        for typed in ("", "yes", "drain_and_recycle"):
            assert isinstance(await session.actuator.carry_out(session.advice.id, "ana", typed), str)
        assert isinstance(await session.actuator.carry_out("another", "ana", NAME), str)
    assert seen.taken == []


async def test_a_rehearsal_sends_nothing_and_refuses_nothing_that_only_sending_needs(tmp_path: Path) -> None:
    session = Session(tmp_path, None, mode="dry_run", read_only=True)
    made = await session.actuator.rehearse(session.advice.id, "ana")
    assert isinstance(made, Execution)
    assert made.outcome is Outcome.DRY_RUN
    assert made.payload["dry_run"] is True
    assert {c.guard for c in made.checks if not c.ok} == {"read_only", "target"}
    assert made.verify_at_unix is None


@pytest.mark.parametrize(
    ("guard", "policy"),
    [
        ("mode", {"mode": "dry_run"}),
        ("allowlist", {"allowlist": frozenset({"drain_and_recycle"})}),
        ("read_only", {"read_only": True}),
        ("per_hour", {"per_hour": 0}),
    ],
)
async def test_a_guard_that_says_no_is_the_end_of_it(
    tmp_path: Path, guard: str, policy: dict[str, object]
) -> None:
    async with receiver(answer()) as seen:
        made = await Session(tmp_path, seen.url, **policy).send()
    assert made.outcome is Outcome.REFUSED
    assert [c.guard for c in made.checks if not c.ok] == [guard]
    assert seen.taken == []
    assert Audit(tmp_path).read().records[-1]["outcome"] == "refused"


async def test_the_kill_switch(tmp_path: Path) -> None:
    (tmp_path / "STOP").touch()
    async with receiver(answer()) as seen:
        made = await Session(tmp_path, seen.url).send()
    assert made.outcome is Outcome.REFUSED
    assert "STOP exists" in made.detail
    assert seen.taken == []


async def test_an_audit_that_cannot_be_written_refuses(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").mkdir()
    async with receiver(answer()) as seen:
        made = await Session(tmp_path, seen.url).send()
    assert made.outcome is Outcome.REFUSED
    assert "audit cannot be written" in made.detail
    assert seen.taken == []


async def test_stale_data_refuse(tmp_path: Path) -> None:
    async with receiver(answer()) as seen:
        session = Session(tmp_path, seen.url)
        session.t += 30
        made = await session.send()
    assert made.outcome is Outcome.REFUSED
    assert "old" in made.detail
    assert seen.taken == []


async def test_a_time_out_is_unknown_and_never_sent_again_not_even_by_the_next_process(
    tmp_path: Path,
) -> None:
    async def never(_: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async with receiver(never) as seen:
        session = Session(tmp_path, seen.url)
        first = await session.send()
        assert first.outcome is Outcome.UNKNOWN
        again = await session.send()
        restarted = Actuator(
            session.policy, Audit(tmp_path), lambda: [session.watch], clock=lambda: float(session.t)
        )
        later = await restarted.carry_out(session.advice.id, "ana", NAME)
    assert isinstance(later, Execution)
    for one in (again, later):
        assert one.outcome is Outcome.REFUSED
        assert {c.guard for c in one.checks if not c.ok} == {"once", "cooldown", "in_flight"}
        assert one.past[0].incident_id == session.advice.incident_id
    assert len(seen.taken) == 1


async def test_a_person_who_leaves_does_not_cut_it_short(tmp_path: Path) -> None:
    async def slow(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        await answer()(writer)

    async with receiver(slow) as seen:
        session = Session(tmp_path, seen.url)
        asked = asyncio.create_task(session.actuator.carry_out(session.advice.id, "ana", NAME))
        while not seen.taken:
            await asyncio.sleep(0.01)
        asked.cancel()
        await session.actuator.close()
    assert session.told[-1].outcome is Outcome.APPLIED
    assert Audit(tmp_path).read().records[-1]["outcome"] == "applied"


async def test_two_at_once_are_one(tmp_path: Path) -> None:
    async with receiver(answer()) as seen:
        session = Session(tmp_path, seen.url)
        both = await asyncio.gather(session.send(), session.send())
    assert sorted(e.outcome.value for e in both) == ["applied", "refused"]
    assert len(seen.taken) == 1
