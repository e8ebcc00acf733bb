"""An execution as a line of the audit: who, when, what, why, and what came of it. Never a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inferguard_core.actuation.payload import idempotency_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.followup import Execution


def record(
    execution: Execution, *, first: bool = False, before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The line; the first one of an execution holds its payload and what the guards said as well.

    `before` is what a later run needs to grade it, should this one not live to.
    """
    said: dict[str, Any] = {
        "execution_id": execution.id,
        "idempotency_key": idempotency_key(execution.endpoint, execution.action_id),
        "action_id": execution.action_id,
        "action_type": execution.action_type.value,
        "incident_id": execution.incident_id,
        "endpoint": execution.endpoint,
        "mode": execution.mode,
        "outcome": execution.outcome.value,
        "detail": execution.detail,
        "reference": execution.reference,
        "requested_unix": round(execution.requested_unix, 3),
        "requested_by": execution.requested_by,
        "target": execution.target,
        "answered_unix": execution.answered_unix,
        "verify_at_unix": execution.verify_at_unix,
        "grade": None if execution.grade is None else execution.grade.value,
        "verification": list(execution.verification),
    }
    if first:
        said["payload"] = dict(execution.payload)
        said["checks"] = [{"guard": c.guard, "ok": c.ok, "text": c.text} for c in execution.checks]
    if before is not None:
        said["before"] = dict(before)
    return said
