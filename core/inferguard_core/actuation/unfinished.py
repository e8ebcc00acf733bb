"""Attempts that an earlier run sent and did not live to grade, out of the audit, and what is done about them.

The span before an attempt is written beside it, so that a later run can hold its own quiet window against it. Taken
up is an attempt only once the run that sent it has had its time: a second monitor on the same state directory may be
watching it still. After a long absence nothing is held against anything, and the grade is `unknown` and says why.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from inferguard_core.actuation.attempts import REACHED, attempts, folded
from inferguard_core.actuation.effect import Effect
from inferguard_core.actuation.span import Span
from inferguard_core.actuation.verification import Before, Pending
from inferguard_core.comparison import Period
from inferguard_core.followup import Execution, Grade, Outcome
from inferguard_core.verdict import ActionType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from inferguard_core.actuation.policy import Policy
    from inferguard_core.poll import Poll

LATE_S = 1800.0
"""Watched again later than this after the grade was due, what is seen is no longer what followed the action."""
GRADED = "graded"
"""In place of a reason: another run has done it."""
DIED = "the run that sent it ended before it was graded"


class Unfinished(NamedTuple):
    """One attempt without a grade."""

    execution: Execution
    before: Before


def before_json(before: Before) -> dict[str, Any]:
    """What the audit keeps of the span before."""
    controls = {endpoint: asdict(each) for endpoint, each in before.controls.items()}
    span = None if before.span is None else asdict(before.span)
    return {"span": span, "controls": controls, "exposed": dict(before.exposed)}


def unfinished(records: Iterable[Mapping[str, Any]]) -> tuple[Unfinished, ...]:
    """Live attempts that were or may have been carried out and have no grade, in the order they were made.

    Records of another shape, and attempts of a version that kept no span, are passed over.
    """
    return folded(records, _take)


def _take(found: dict[str, Unfinished], record: Mapping[str, Any]) -> None:
    key, outcome = str(record["execution_id"]), Outcome(record["outcome"])
    if outcome is Outcome.SENDING:
        found[key] = Unfinished(_execution(record), _before(record["before"]))
    elif outcome not in REACHED or record.get("grade") is not None:
        found.pop(key, None)
    elif key in found:
        execution = replace(
            found[key].execution,
            outcome=outcome,
            detail=str(record["detail"]),
            reference=str(record["reference"]),
            answered_unix=record["answered_unix"],
        )
        found[key] = found[key]._replace(execution=execution)


def taken_up(one: Unfinished, poll: Poll, policy: Policy) -> Pending:
    """The attempt on the clock of the polls of a new watch, of which `poll` is the first."""
    execution = one.execution
    assert execution.verify_at_unix is not None
    sent_t = poll.t - (poll.unix - execution.requested_unix)
    theirs_t = poll.t - (poll.unix - execution.verify_at_unix) + policy.quiet_s
    due_t = max(theirs_t, poll.t + policy.quiet_s)
    away_s = poll.unix - execution.requested_unix
    said = f"{DIED}; watched again from {away_s:.0f} s after it was sent"
    return Pending(execution, one.before, sent_t, due_t, due_t + policy.quiet_s, said)


def too_late(one: Unfinished, unix: float) -> Effect | None:
    """The end of an attempt that nobody watched for too long."""
    due = one.execution.verify_at_unix
    if due is None or unix - due <= LATE_S:
        return None
    away = (unix - one.execution.requested_unix) / 60
    return Effect(Grade.UNKNOWN, (f"{DIED}, and nobody watched until {away:.0f} min after it was sent",))


def settled(records: Iterable[Mapping[str, Any]], execution: Execution) -> str:
    """Why an attempt of an earlier run cannot be graded by what is seen now, by a fresh look at the audit.

    `graded` where another run has done so meanwhile; empty where nothing is in the way.
    """
    done = attempts(records)
    own = next((a for a in done if a.execution_id == execution.id), None)
    if own is None or own.grade is not None:
        return GRADED
    after = [a for a in done if a.endpoint == own.endpoint and a.unix > own.unix and a.outcome in REACHED]
    return f"{DIED}, and {after[0].action_type} was sent to the endpoint since" if after else ""


def _execution(record: Mapping[str, Any]) -> Execution:
    payload = record["payload"]
    return Execution(
        id=str(record["execution_id"]),
        action_id=str(record["action_id"]),
        action_type=ActionType(record["action_type"]),
        incident_id=str(record["incident_id"]),
        endpoint=str(record["endpoint"]),
        mode="live",
        # Whoever was sending it is gone, and with it the answer.
        outcome=Outcome.UNKNOWN,
        requested_unix=float(record["requested_unix"]),
        requested_by=str(record["requested_by"]),
        payload=payload if isinstance(payload, dict) else {},
        detail="the run that sent it ended before an answer",
        verify_at_unix=float(record["verify_at_unix"]),
        target=str(record["target"]),
    )


def _before(data: Mapping[str, Any]) -> Before:
    span = data["span"]
    controls = {str(endpoint): Period(**each) for endpoint, each in data["controls"].items()}
    exposed = {str(name): float(value) for name, value in data["exposed"].items()}
    if span is None:
        return Before(None, controls, exposed)
    return Before(Span(**{**span, "period": Period(**span["period"])}), controls, exposed)
