"""Answers of the memory as a list to choose from, and the chosen one in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.printable import printable
from inferguard_tui.formatting import day
from inferguard_tui.incident.followup import similar_body, similar_lead
from inferguard_tui.incident.told import GRADES
from inferguard_tui.line import Ink, Line, Span, clauses, left, line, width
from inferguard_tui.panels.causes import cause_words
from inferguard_tui.panels.view import View, title_rule, wrapped_block

if TYPE_CHECKING:
    from inferguard_core.followup import Similar

_GRADE_CELLS = 9
_UNTRIED = "untried"
"""Where nothing is known to have been done there is nothing to grade; a blank would read as a grade not yet there."""
_CAUSE_CELLS = 30
Answer = tuple["Similar", ...] | str | None
"""What was found, why nothing was looked for, or None while it is looked for."""


def answer_words(answer: Answer, query: str) -> str:
    """What is shown: for which question, and how much was found."""
    about = f"for: {printable(query, 60)}" if query.strip() else "like this incident"
    if answer is None:
        return f"looking {about} …"
    if isinstance(answer, str):
        return answer
    if not answer:
        return f"nothing is remembered {about}"
    return f"{len(answer)} {about}"


def asked_line(answer: Answer, query: str, cells: int) -> Line:
    """The title of the list."""
    return title_rule("Past incidents", answer_words(answer, query), View(cells, 1))


def list_rows(answer: Answer, chosen: int, cells: int) -> tuple[Line, ...]:
    """One line an incident: score, day, what helped, cause, endpoint."""
    if answer is None or isinstance(answer, str):
        return ()
    return tuple(_row(past, cells, under_cursor=at == chosen) for at, past in enumerate(answer))


def _row(past: Similar, cells: int, *, under_cursor: bool) -> Line:
    grade, ink = GRADES[past.grade] if past.done else (_UNTRIED, Ink.DIM)
    start = line(
        Span("▌" if under_cursor else " ", Ink.FOCUS),
        Span(f"{past.score:.2f}  ", Ink.KEY),
        Span(f"{day(past.opened_unix)}  ", Ink.DIM),
        Span(f"{left(grade, _GRADE_CELLS)}  ", ink),
        Span(f"{left(cause_words(past.cause), _CAUSE_CELLS)} ", Ink.STRONG if under_cursor else Ink.TEXT),
    )
    host = printable(past.endpoint.partition("://")[2] or past.endpoint)
    return (*start, Span(clauses(f" {host}", cells - width(start)), Ink.DIM))


def list_heading(cells: int) -> Line:
    """The names of the columns."""
    names = f" score {left('day', 11)} {left('grade', _GRADE_CELLS)}  {left('cause', _CAUSE_CELLS)}  endpoint"
    return line(Span(clauses(names, cells), Ink.DIM))


def chosen_rows(answer: Answer, chosen: int, unix: float, cells: int) -> tuple[Line, ...]:
    """All that is known of the chosen incident."""
    if answer is None or isinstance(answer, str) or not 0 <= chosen < len(answer):
        return ()
    past = answer[chosen]
    rows = [title_rule("Chosen", past.incident_id.rpartition("/")[2], View(cells, 1))]
    rows += [*similar_lead(past, unix, cells), *similar_body(past, cells)]
    if past.recording:
        rows += wrapped_block(f"   recording: {past.recording}", cells, Ink.DIM, 5)
    return tuple(rows)
