"""What was attempted before, folded from the audit: what cooldowns, hourly counts and in-flight checks rest on.

From the file and not from memory, so that a restarted monitor, or a second one on the same state directory,
is bound by what was sent before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from inferguard_core.followup import Grade, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

T = TypeVar("T")
REACHED = frozenset({Outcome.SENDING, Outcome.APPLIED, Outcome.UNKNOWN})
"""It was, or may have been, carried out. One still `sending` in the audit is of a process that died with it."""
SENT = REACHED | {Outcome.REJECTED}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One live attempt."""

    execution_id: str
    action_id: str
    action_type: str
    endpoint: str
    incident_id: str
    unix: float
    outcome: Outcome
    graded_by_unix: float
    """When its effect will have been measured, if anybody is left to measure it."""
    grade: Grade | None = None

    def in_flight(self, unix: float) -> bool:
        return self.outcome in REACHED and self.grade is None and unix < self.graded_by_unix


def attempts(records: Iterable[Mapping[str, Any]]) -> tuple[Attempt, ...]:
    """Live attempts in the order in which they were made. Records of another shape are passed over."""
    return folded(records, _take)


def folded(
    records: Iterable[Mapping[str, Any]], take: Callable[[dict[str, T], Mapping[str, Any]], None]
) -> tuple[T, ...]:
    """What `take` makes of the live records, one after another, by execution; those it cannot read are passed over."""
    found: dict[str, T] = {}
    for record in records:
        try:
            if record["mode"] == "live":
                take(found, record)
        except (KeyError, TypeError, ValueError):
            continue
    return tuple(found.values())


def _take(found: dict[str, Attempt], record: Mapping[str, Any]) -> None:
    key, outcome = str(record["execution_id"]), Outcome(record["outcome"])
    if outcome is Outcome.SENDING:
        found[key] = Attempt(
            execution_id=key,
            action_id=str(record["action_id"]),
            action_type=str(record["action_type"]),
            endpoint=str(record["endpoint"]),
            incident_id=str(record["incident_id"]),
            unix=float(record["requested_unix"]),
            outcome=outcome,
            graded_by_unix=float(record["verify_at_unix"]),
        )
    elif key in found:
        grade = record.get("grade")
        found[key] = replace(found[key], outcome=outcome, grade=None if grade is None else Grade(grade))
