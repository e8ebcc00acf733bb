"""An attempt whose run ended before its grade: a later run grades it, or says why nobody can."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from inferguard_core.actuation.actuator import Actuator
from inferguard_core.actuation.audit import Audit
from inferguard_core.actuation.record import record
from inferguard_core.actuation.unfinished import LATE_S, before_json, settled, unfinished
from inferguard_core.actuation.verification import begin
from inferguard_core.detect.limits import Limits
from inferguard_core.followup import Execution, Grade, Outcome
from inferguard_core.poll import Failure, FailureKind, Poll, ProofLevel
from inferguard_core.verdict import ActionType
from inferguard_core.watch import EndpointWatch
from inferguard_tui.simulator.actions import carry_out
from inferguard_tui.simulator.engine import SimulatedEngine
from inferguard_tui.simulator.scenarios import SCENARIOS
from tests.core.receivers import answer, receiver
from tests.core.test_actuator import NAME, Session

if TYPE_CHECKING:
    from pathlib import Path


class Later:
    """Another run on the same state directory: a new watch, an actuator that knows only the audit."""

    def __init__(self, first: Session, state: Path, begun: int, sent_unix: float) -> None:
        self.engine, self.t = first.engine, begun - 1
        self._sent_t, self._sent_unix = 65, sent_unix
        self.watch = EndpointWatch("http://sim:8000", "sim:8000", 1.0, ProofLevel.SIMULATED, Limits())
        self.told: list[Execution] = []
        self.actuator = Actuator(first.policy, Audit(state), lambda: [self.watch], self.told.append)

    def run(self, until: int, *, answers: bool = True) -> None:
        while self.t < until:
            self.t += 1
            self.engine.advance(float(self.t))
            # This run's monotonic clock has nothing to do with that of the run before.
            unix = self._sent_unix + self.t - self._sent_t
            poll = Poll(5000.0 + self.t, unix, 1.0, body=self.engine.exposition())
            away = replace(poll, body=None, failure=Failure(FailureKind.UNREACHABLE, "nobody there"))
            self.watch.observe(poll if answers else away)
            self.actuator.judged(self.watch)


async def sent(tmp_path: Path, *, works: bool = True) -> tuple[Session, Execution]:
    async with receiver(answer()) as seen:
        session = Session(tmp_path, seen.url)
        made = await session.send()
    if works:
        assert not carry_out(session.engine, NAME, dict(session.advice.parameters))
    return session, made


async def test_a_later_run_grades_what_an_earlier_one_sent(tmp_path: Path) -> None:
    """Sent at 65 s, due at 125 s; the run ends at once, and the next one begins at 80 s."""
    first, made = await sent(tmp_path)
    later = Later(first, tmp_path, 80, made.requested_unix)
    await later.actuator.start()
    later.run(until=160)
    assert [e.grade for e in later.watch.followup.executions] == [None]
    later.run(until=167)
    (kept,) = later.watch.followup.executions
    assert (kept.id, kept.outcome, kept.grade) == (made.id, Outcome.APPLIED, Grade.HELPED)
    assert any("late first tokens" in text for text in kept.verification)
    assert "watched again from 15 s after it was sent" in kept.verification[-1]
    assert later.told == [kept]
    assert [r["grade"] for r in Audit(tmp_path).read().records] == [None, None, "helped"]


async def test_a_later_run_claims_nothing_for_an_action_without_effect(tmp_path: Path) -> None:
    first, made = await sent(tmp_path, works=False)
    later = Later(first, tmp_path, 80, made.requested_unix)
    await later.actuator.start()
    later.run(until=200)
    assert later.watch.followup.executions[0].grade in (Grade.NO_CHANGE, Grade.UNKNOWN, Grade.WORSE)


async def test_a_grade_is_given_once_by_however_many_runs(tmp_path: Path) -> None:
    first, made = await sent(tmp_path)
    one, other = (Later(first, tmp_path, 80, made.requested_unix) for _ in range(2))
    await asyncio.gather(one.actuator.start(), other.actuator.start())
    for t in range(80, 200):
        one.run(until=t)
        other.run(until=t)
    assert len(one.told) + len(other.told) == 1
    assert [r["grade"] for r in Audit(tmp_path).read().records] == [None, None, "helped"]
    third = Later(first, tmp_path, 200, made.requested_unix)
    await third.actuator.start()
    third.run(until=300)
    assert third.watch.followup.executions == ()


async def test_after_a_long_absence_the_grade_is_unknown_and_says_why(tmp_path: Path) -> None:
    first, made = await sent(tmp_path)
    later = Later(first, tmp_path, 65 + int(LATE_S) + 120, made.requested_unix)
    await later.actuator.start()
    later.run(until=later.t + 1)
    (kept,) = later.told
    assert kept.grade is Grade.UNKNOWN
    assert "nobody watched until 32 min after it was sent" in kept.verification[0]


async def test_an_engine_that_restarted_unwatched_is_not_compared(tmp_path: Path) -> None:
    """The page has a start time: another process than the one that was acted on, though nobody saw it go."""
    first, made = await sent(tmp_path, works=False)
    later = Later(first, tmp_path, 80, made.requested_unix)
    later.engine = SimulatedEngine(SCENARIOS["self_repair"], seed=2)
    await later.actuator.start()
    later.engine.advance(79.0)
    real, moved = later.engine.exposition, 500.0

    def page() -> str:
        return "\n".join(
            f"process_start_time_seconds {float(row.split()[-1]) + moved}"
            if row.startswith("process_start_time_seconds ")
            else row
            for row in real().splitlines()
        )

    later.engine.exposition = page  # type: ignore[method-assign]
    later.run(until=170)
    (kept,) = later.told
    assert kept.grade is Grade.UNKNOWN
    assert "the engine restarted 1 time in between" in kept.verification[0]


async def test_an_endpoint_that_is_gone_at_the_return_proves_nothing(tmp_path: Path) -> None:
    """A host that went down takes the monitor and the engine: that is not what the action did."""
    first, made = await sent(tmp_path)
    later = Later(first, tmp_path, 80, made.requested_unix)
    await later.actuator.start()
    later.run(until=300, answers=False)
    (kept,) = later.told
    assert kept.grade is Grade.UNKNOWN
    assert "no good data" in kept.verification[0]


async def test_a_run_that_died_while_sending_left_an_attempt_that_may_have_been_applied(
    tmp_path: Path,
) -> None:
    first, made = await sent(tmp_path)
    path = Audit(tmp_path).path
    path.write_text(path.read_text().splitlines(keepends=True)[0])
    later = Later(first, tmp_path, 80, made.requested_unix)
    await later.actuator.start()
    later.run(until=167)
    (kept,) = later.watch.followup.executions
    assert (kept.outcome, kept.grade) == (Outcome.UNKNOWN, Grade.HELPED)
    assert kept.detail == "the run that sent it ended before an answer"


async def test_another_action_in_between_leaves_the_first_unknown(tmp_path: Path) -> None:
    first, made = await sent(tmp_path)
    later = Later(first, tmp_path, 80, made.requested_unix)
    await later.actuator.start()
    other = replace(
        made, id="other", action_type=ActionType.DRAIN_AND_RECYCLE, requested_unix=time.time() + 70
    )
    with Audit(tmp_path).book() as book:
        before = before_json(begin(first.watch, (), first.policy))
        book.append(record(replace(other, outcome=Outcome.SENDING), first=True, before=before))
        book.append(record(other))
    later.run(until=167)
    kept = next(e for e in later.told if e.id == made.id)
    assert kept.grade is Grade.UNKNOWN
    assert "drain_and_recycle was sent to the endpoint since" in kept.verification[0]


async def test_the_span_before_survives_the_audit(tmp_path: Path) -> None:
    first, made = await sent(tmp_path)
    records = Audit(tmp_path).read().records
    (left,) = unfinished(records)
    assert left.execution.requested_unix == pytest.approx(made.requested_unix, abs=0.001)
    same = replace(left.execution, requested_unix=made.requested_unix)
    assert same == replace(made, checks=(), watches=(), data_age_s=None, past=())
    assert json.loads(json.dumps(before_json(left.before))) == records[0]["before"]
    assert left.before.span is not None
    assert left.before.span.period.late_share is not None
    assert settled(records, made) == ""
    assert first.actuator


def test_records_of_an_older_version_are_passed_over() -> None:
    old = {"execution_id": "x", "mode": "live", "outcome": "sending", "action_id": "a"}
    assert (
        unfinished([old, {}, {**old, "before": {"span": {"period": 3}, "controls": {}, "exposed": {}}}]) == ()
    )
