"""What an action would do: where it would go, on which evidence, what every guard says, and what came of it before.

Made from an advisory and the answer of the desk; nothing in here asks or sends.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from inferguard_core.followup import Outcome
from inferguard_core.printable import printable
from inferguard_tui.formatting import clock, day, duration, whole_age
from inferguard_tui.incident.told import GRADES, OUTCOMES, outcome_words
from inferguard_tui.line import EMPTY, Ink, Line, left
from inferguard_tui.panels.advisories import change, horizon, others
from inferguard_tui.panels.anomalies import evidence_rows
from inferguard_tui.panels.view import View, labelled, note_room, title_rule

if TYPE_CHECKING:
    from inferguard_core.followup import Check, Execution
    from inferguard_core.frame import EndpointFrame
    from inferguard_core.verdict import Advisory

_LABEL_CELLS = 15
_PAYLOAD_LINES = 200
_NEW_S = 5.0
"""Younger figures are those on screen, give or take a poll."""
_BEFORE_SENDING = frozenset({Outcome.DRY_RUN, Outcome.REFUSED, Outcome.NOT_SENT})
"""Outcomes that left nothing behind at the receiver: what was advised may still be sent, if the guards agree."""


def is_live(execution: Execution | str | None) -> bool:
    """Whether the session may send at all: the guard of the mode says which mode is set."""
    if execution is None or isinstance(execution, str):
        return False
    return any(check.guard == "mode" and check.text == "mode live" for check in execution.checks)


def why_not_sent(answer: Execution | str | None) -> str:
    """Why enter would send nothing now; empty where it would, once the name is typed."""
    if answer is None:
        return "the guards are still being asked"
    if isinstance(answer, str):
        return answer
    if not is_live(answer):
        return "nothing is sent outside live mode; this was the dry run"
    if answer.outcome not in _BEFORE_SENDING:
        return f"{OUTCOMES[answer.outcome]}: nothing more is sent"
    if refusing := [check.text for check in answer.checks if not check.ok]:
        return f"not sent: a guard says no: {'; '.join(refusing)}"
    return "not sent: a guard says no" if answer.outcome is Outcome.REFUSED else ""


def preview_lines(
    advisory: Advisory,
    place: tuple[int, int],
    endpoint: EndpointFrame,
    answer: Execution | str | None,
    cells: int,
) -> tuple[Line, ...]:
    """`place` is the number of this advisory and how many there are; `answer` None is still awaited."""
    at, of = place
    title = f"{advisory.action_type.value} → {printable(endpoint.name)}"
    rows: list[Line] = [title_rule(title, _mode(answer, note_room(title, cells)), View(cells, 1))]
    about = (
        f"{at} of {of} · confidence {advisory.confidence:.2f}{'' if advisory.calibrated else ' uncalibrated'}"
    )
    rows += _row("advice", f"{about} · {horizon(advisory)} · {advisory.source}", cells, Ink.DIM)
    rows += _answer(answer, cells)
    rows += _row("parameters", _parameters(advisory), cells, Ink.STRONG)
    rows += _row("because", advisory.reason, cells)
    for condition in advisory.preconditions:
        rows += _row("needs", condition, cells)
    for caveat in advisory.caveats:
        rows += _row("but", caveat, cells, Ink.NOTICE)
    rows += _row("rests on", _age(endpoint, answer) + _advised(advisory, endpoint), cells, Ink.DIM)
    rows += evidence_rows(advisory.evidence, cells)
    if isinstance(answer, str) or answer is None:
        return tuple(rows)
    return (*rows, *_guards(answer, cells), *_after(answer, cells))


def _mode(answer: Execution | str | None, room: int) -> str:
    """Whether this could be sent, in the longest form that the title has room for."""
    if answer is None or isinstance(answer, str):
        return ""
    if not is_live(answer):
        return "DRY RUN"
    if not why_not_sent(answer):
        forms = ("LIVE: enter asks for its name, then sends", "LIVE: enter, then its name", "LIVE")
        return next((form for form in forms if len(form) <= room), "LIVE")
    told = "a guard says no" if answer.outcome in _BEFORE_SENDING else OUTCOMES[answer.outcome]
    return f"LIVE: {told}"


def _row(label: str, text: str, cells: int, ink: Ink = Ink.TEXT) -> tuple[Line, ...]:
    return labelled(f" {left(label, _LABEL_CELLS)}", text, cells, ink)


def _answer(answer: Execution | str | None, cells: int) -> tuple[Line, ...]:
    """What came of asking; where it would go."""
    if answer is None:
        return _row("guards", "are being asked …", cells, Ink.DIM)
    if isinstance(answer, str):
        return _row("not so", answer, cells, Ink.WARNING)
    ink = {Outcome.REFUSED: Ink.WARNING, Outcome.APPLIED: Ink.OK, Outcome.DRY_RUN: Ink.STRONG}
    told = _row("outcome", outcome_words(answer), cells, ink.get(answer.outcome, Ink.NOTICE))
    verb = "would POST to" if answer.outcome in (Outcome.DRY_RUN, Outcome.REFUSED) else "POST to"
    target = answer.target or "no webhook is set: INFERGUARD_ACTUATION_ENDPOINT names one"
    # What decides stands above the fold; who said no, and why, is below.
    guards = _row("guards", _refusals(answer), cells, Ink.DIM)
    return (*told, *guards, *_row(verb, target, cells))


def _parameters(advisory: Advisory) -> str:
    changed = change(advisory.parameters)
    rest = others(advisory.parameters)
    if not changed and not rest:
        return "none"
    return " · ".join(part for part in (changed, *rest) if part)


def _age(endpoint: EndpointFrame, answer: Execution | str | None) -> str:
    """How old the data are that the guards, else the screen, looked at."""
    asked = None if answer is None or isinstance(answer, str) else answer.data_age_s
    age = asked if asked is not None else endpoint.age_s
    return "data of unknown age" if age is None else f"data {whole_age(age)} old"


def _advised(advisory: Advisory, endpoint: EndpointFrame) -> str:
    """That the figures are those of the advice, where they are older than what the screen shows."""
    if endpoint.last_page_unix is None or endpoint.age_s is None:
        return ""
    ago = endpoint.last_page_unix + endpoint.age_s - advisory.created_unix
    return f"; the figures are of {duration(ago)} ago, when it was advised" if ago >= _NEW_S else ""


def _guards(execution: Execution, cells: int) -> list[Line]:
    rows: list[Line] = [EMPTY, title_rule("Guards: all must agree", _refusals(execution), View(cells, 1))]
    for check in execution.checks:
        rows += _check(check, cells)
    return rows


def _refusals(execution: Execution) -> str:
    said_no, asked = sum(not check.ok for check in execution.checks), len(execution.checks)
    return (
        f"all {asked} agree"
        if not said_no
        else f"{said_no} of {asked} {'says' if said_no == 1 else 'say'} no"
    )


def _check(check: Check, cells: int) -> tuple[Line, ...]:
    shape, ink = ("✔", Ink.OK) if check.ok else ("×", Ink.WARNING)
    only = "  (live only)" if check.live_only and not check.ok else ""
    label = f" {shape} {left(check.guard.replace('_', ' '), _LABEL_CELLS - 2)}"
    return labelled(label, f"{check.text}{only}", cells, label_ink=ink)


def _after(execution: Execution, cells: int) -> list[Line]:
    """What will be compared afterwards, and what came of it before."""
    rows: list[Line] = [EMPTY, title_rule("Then", "", View(cells, 1))]
    for watched in execution.watches or ("nothing is compared afterwards",):
        rows += _row("watch", watched, cells)
    for use in execution.past:
        when = f"{day(use.unix)} {clock(use.unix)} ({printable(use.incident_id).rpartition('/')[2]})"
        rows += _row("last time", f"{GRADES[use.grade][0]}, {when}", cells)
    if not execution.past:
        rows += _row("last time", "never sent here", cells, Ink.DIM)
    return rows


def payload_lines(execution: Execution, cells: int) -> tuple[Line, ...]:
    """The body as it would be sent, as JSON."""
    body = json.dumps(dict(execution.payload), indent=2, ensure_ascii=False, default=str, sort_keys=True)
    rows: list[Line] = [title_rule("Payload", execution.mode.replace("_", " "), View(cells, 1))]
    for text in body.split("\n")[:_PAYLOAD_LINES]:
        indent = " " * (len(text) - len(text.lstrip()))
        rows += labelled(f" {indent}", text.strip(), cells)
    return tuple(rows)
