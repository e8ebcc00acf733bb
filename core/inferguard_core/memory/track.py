"""What was done about an incident and whether it helped: counted only where somebody said or something showed it.

A proposal is no deed. An execution counts when its receiver accepted it, a fix when a person said or the engine's
configuration showed that it was applied; either counts as helpful only where it was judged to be.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from inferguard_core.actions import ActionHistory
from inferguard_core.actions.track_record import Deed
from inferguard_core.followup import Grade, Outcome

if TYPE_CHECKING:
    import sqlite3

    from inferguard_core.memory.case import Case


def judged(case: Case) -> Grade:
    """How what was done fared: as a person judged it, else the best that a verification saw."""
    if case.grade is not Grade.UNKNOWN:
        return case.grade
    seen = {one.grade for one in case.executions if one.outcome is Outcome.APPLIED}
    return next((g for g in (Grade.HELPED, Grade.NO_CHANGE, Grade.WORSE) if g in seen), Grade.UNKNOWN)


def done(case: Case) -> str:
    """What was really done, in words; empty where nothing is known to have been."""
    parts = [f"{one.what} ({one.known.value} by {one.by})" for one in case.applied]
    parts += [
        f"{one.action_type.value} (applied, {one.requested_by})"
        for one in case.executions
        if one.outcome is Outcome.APPLIED
    ]
    return "; ".join(dict.fromkeys(parts))


def deeds(case: Case) -> dict[str, Deed]:
    """By what was done, each once for an incident; a person's judgement goes before a verification's."""
    found: dict[str, Deed] = {}
    for one in case.executions:
        if one.outcome is Outcome.APPLIED and one.grade is not None:
            sent = one.payload.get("parameters")
            numbers = sent if isinstance(sent, dict) else {}
            what = one.action_type.value
            found[what] = Deed(what, case.cause, case.incident.endpoint, one.grade, _numeric(numbers))
    advised = {a.action_type.value: a.parameters for a in case.advisories if a.superseded_by is None}
    for applied in case.applied:
        what = applied.what.split(maxsplit=1)[0] if applied.what.strip() else ""
        if what and case.grade is not Grade.UNKNOWN:
            known = found[what].parameters if what in found else _numeric(dict(advised.get(what, {})))
            found[what] = Deed(what, case.cause, case.incident.endpoint, case.grade, known)
    return found


def store(connection: sqlite3.Connection, number: int, case: Case) -> None:
    """Put the deeds of a case in place of its earlier ones."""
    connection.execute("DELETE FROM deeds WHERE number = ?", (number,))
    connection.executemany(
        "INSERT INTO deeds VALUES (?, ?, ?, ?, ?, ?)",
        [
            (number, what, deed.cause, deed.endpoint, deed.grade.value, json.dumps(dict(deed.parameters)))
            for what, deed in deeds(case).items()
        ],
    )


def record(connection: sqlite3.Connection) -> ActionHistory:
    """How everything that was done has fared."""
    rows = connection.execute("SELECT what, cause, endpoint, grade, parameters FROM deeds")
    return ActionHistory.of(
        Deed(what, cause, endpoint, Grade(grade), json.loads(parameters))
        for what, cause, endpoint, grade, parameters in rows
    )


def _numeric(parameters: dict[str, object]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in parameters.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
