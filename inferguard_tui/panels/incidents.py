"""The log of incidents, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.frame import IncidentState, Severity
from inferguard_tui.formatting import clock, duration
from inferguard_tui.glyphs import INK, SHAPE
from inferguard_tui.line import EMPTY, Ink, Line, Span, clauses, left, line, right, spread, width, wrapped
from inferguard_tui.panels.causes import cause_words
from inferguard_tui.panels.measures import since
from inferguard_tui.panels.view import Content, Panel, View, listing

if TYPE_CHECKING:
    from inferguard_core.frame import EndpointFrame, Incident

_AGE_CELLS = 9


def short_id(incident: Incident) -> str:
    """The id without the endpoint that it begins with."""
    return incident.id.rpartition("/")[2]


def _words(incident: Incident, endpoint: EndpointFrame) -> str:
    told = incident.headline or ", ".join(incident.anomalies)
    diagnosis = endpoint.diagnosis
    if diagnosis is not None and diagnosis.incident_id == incident.id:
        # The cause takes the place of the kind that a headline begins with.
        return f"{cause_words(diagnosis.cause)} · {told.partition(': ')[2] or told}"
    return told


def incident_row(incident: Incident, endpoint: EndpointFrame, cells: int) -> Line:
    over = incident.state is IncidentState.RESOLVED
    severity = Severity.OK if over else incident.severity
    end = incident.ended_unix
    lasted = duration(end - incident.onset_unix) if end is not None else since(endpoint, incident.onset_unix)
    again = f"×{incident.reopened + 1} " if incident.reopened else ""
    start = line(
        Span(f"{clock(incident.opened_unix)} ", Ink.DIM),
        Span(f"{SHAPE[severity]} {left(incident.state.value, 11)}", INK[severity]),
        Span(again, Ink.KEY),
    )
    words = clauses(_words(incident, endpoint), cells - width(start) - _AGE_CELLS - 1)
    start = (*start, Span(words, Ink.DIM if over else Ink.TEXT))
    return spread(start, line(Span(right(lasted, _AGE_CELLS), Ink.DIM)), cells)


def incidents_content(endpoint: EndpointFrame, view: View) -> Content:
    if not endpoint.incidents:
        return Content((line(Span("none since the monitor started", Ink.DIM)),)[: view.height])
    rows = [incident_row(incident, endpoint, view.width) for incident in endpoint.incidents]
    # In a single line the newest says more than that there are others, which the title counts.
    shown = listing(rows, view.height, "incidents") if view.height > 1 else tuple(rows[: view.height])
    return Content(shown, f"{len(rows)} seen")


def incidents_detail(endpoint: EndpointFrame, view: View) -> tuple[Line, ...]:
    rows: list[Line] = []
    for incident in endpoint.incidents:
        rows.append(incident_row(incident, endpoint, view.width))
        worst = f"  {short_id(incident)} · worst {incident.worst.word} · {', '.join(incident.anomalies)}"
        rows += [line(Span(row, Ink.DIM)) for row in wrapped(worst, view.width, 2)]
        for entry in incident.timeline:
            rows += [
                line(Span(row)) for row in wrapped(f"  {clock(entry.unix)} {entry.text}", view.width, 11)
            ]
        rows.append(EMPTY)
    return tuple(rows)


INCIDENTS = Panel("incidents", "Incidents", incidents_content, detail=incidents_detail, measured=False)
