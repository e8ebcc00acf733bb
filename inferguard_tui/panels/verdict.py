"""Line 2: the state in one word, its shape, and a plain sentence. What a person reads first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.frame import AnomalyState, IncidentState, Severity, Status
from inferguard_core.printable import printable
from inferguard_tui.formatting import clock, duration
from inferguard_tui.glyphs import INK, NO_DATA_SHAPE, SHAPE
from inferguard_tui.line import Ink, Line, Span, clauses, fitted, flowed, line, spread, width
from inferguard_tui.panels.causes import cause_words, headline_figures
from inferguard_tui.panels.reach import reason

if TYPE_CHECKING:
    from inferguard_core.frame import EndpointFrame, Frame, Incident
    from inferguard_tui.panels.view import Watching

_BY_STATUS: dict[Status, tuple[str, Ink]] = {
    Status.WAITING: ("…", Ink.DIM),
    Status.OK: (SHAPE[Severity.OK], INK[Severity.OK]),
    Status.NOTICE: (SHAPE[Severity.NOTICE], INK[Severity.NOTICE]),
    Status.WARNING: (SHAPE[Severity.WARNING], INK[Severity.WARNING]),
    Status.CRITICAL: (SHAPE[Severity.CRITICAL], INK[Severity.CRITICAL]),
    Status.NO_DATA: (NO_DATA_SHAPE, INK[Severity.CRITICAL]),
    Status.STALE: (NO_DATA_SHAPE, INK[Severity.WARNING]),
    Status.RESTARTED: (SHAPE[Severity.WARNING], INK[Severity.WARNING]),
}


_HELD_FROM = 100


def mark(status: Status) -> tuple[str, Ink]:
    """Shape and ink of a state word."""
    return _BY_STATUS[status]


def _age(endpoint: EndpointFrame) -> str:
    if endpoint.last_page_unix is None or endpoint.age_s is None:
        return "never any data"
    return f"last data {duration(endpoint.age_s)} ago, at {clock(endpoint.last_page_unix)}"


def _trouble(endpoint: EndpointFrame) -> str:
    """The cause in words and the figures of what is wrong; before a cause is named, the incident's headline."""
    incident, diagnosis = endpoint.incident, endpoint.diagnosis
    if incident is not None and diagnosis is not None:
        what = cause_words(diagnosis.cause)
        # A finding that is the cause itself begins with its words; only what it adds is news.
        told = (figure.removeprefix(what).removeprefix(", ") for figure in headline_figures(endpoint))
        figures = ", ".join((*_turn(endpoint), *(figure for figure in told if figure)))
        return what + (f" — {figures}" if figures else "")
    if incident is not None and incident.headline:
        return incident.headline
    return endpoint.anomalies[0].summary if endpoint.anomalies else "an incident is open"


def _turn(endpoint: EndpointFrame) -> tuple[str, ...]:
    """That nothing crosses its limit any more: the state stays what it is until that has lasted."""
    found = endpoint.anomalies
    return ("recovering",) if found and all(a.state is AnomalyState.RECOVERING for a in found) else ()


def sentence(endpoint: EndpointFrame) -> str:
    """Why the state is what it is, in words."""
    failure = endpoint.failure.message if endpoint.failure is not None else ""
    if endpoint.status in (Status.NO_DATA, Status.STALE):
        return f"{_age(endpoint)}. {failure or 'The poll has not come back.'}"
    if endpoint.status is Status.WAITING:
        return f"no poll has come back yet{f': {failure}' if failure else ''}"
    if endpoint.incident is not None or endpoint.anomalies:
        return _trouble(endpoint)
    if endpoint.status is Status.RESTARTED:
        return "the engine started anew; figures begin again"
    if endpoint.incidents and endpoint.incidents[0].state is not IncidentState.RESOLVED:
        # Another watcher's, or of this one before it was started anew.
        return "nothing wrong is seen here yet, but an incident is open"
    count = len(endpoint.blind)
    blind = f"; {count} rule{' has' if count == 1 else 's have'} no input" if count else ""
    return f"nothing wrong is seen{blind}"


def cause(endpoint: EndpointFrame) -> str:
    """What is wrong, in a few words."""
    if endpoint.status in (Status.NO_DATA, Status.STALE):
        why = reason(endpoint.failure)
        lasts = "never any data" if endpoint.age_s is None else f"no data for {duration(endpoint.age_s)}"
        return f"{lasts} ({why})" if why else lasts
    if endpoint.incident is not None and endpoint.diagnosis is not None:
        return cause_words(endpoint.diagnosis.cause)
    if endpoint.anomalies:
        return endpoint.anomalies[0].kind.replace("_", " ")
    return "restarted" if endpoint.status is Status.RESTARTED else ""


def _held(incident: Incident, unix: float) -> str:
    """Who is on it, or that it rests; empty where neither is so."""
    until = incident.snoozed_until_unix
    if incident.acknowledged_by:
        return f" ● {printable(incident.acknowledged_by, 16)}"
    return f" snoozed to {clock(until)[:5]}" if until is not None and until > unix else ""


def endpoint_verdict(frame: Frame, endpoint: EndpointFrame, watching: Watching, cells: int) -> Line:
    if watching.trouble:
        return trouble_line(frame, watching, cells)
    shape, ink = mark(endpoint.status)
    start = line(Span(f" {shape} {endpoint.status.value}  ", ink))
    end: Line = ()
    if endpoint.incident is not None and not endpoint.status.value.startswith("NO"):
        lasts = duration(frame.unix - endpoint.incident.onset_unix)
        # Where there is little room the figures say more than the name, which the incident's own screen has.
        held = _held(endpoint.incident, frame.unix) if cells >= _HELD_FROM else ""
        end = line(Span(held, Ink.FOCUS), Span(f" {lasts} ", Ink.DIM))
    words = clauses(sentence(endpoint), cells - width(start) - width(end) - 1)
    start = (*start, Span(words, Ink.STRONG))
    return spread(start, end, cells) if end else fitted(start, cells)


def trouble_line(frame: Frame | None, watching: Watching, cells: int) -> Line:
    """Our own failure: the screen stands still, and says since when."""
    stopped = f" What is shown is from {clock(frame.unix)}." if frame is not None else ""
    return fitted(
        line(
            Span(f" {NO_DATA_SHAPE} MONITOR STOPPED  ", INK[Severity.CRITICAL]),
            Span(f"{watching.trouble}.{stopped} Press q to quit.", Ink.STRONG),
        ),
        cells,
    )


def fleet_verdict(frame: Frame, watching: Watching, cells: int) -> Line:
    """`3 of 12 in trouble: KV exhausted by demand on gpu-07 and 1 more`: the worst first, each cause once."""
    if watching.trouble:
        return trouble_line(frame, watching, cells)
    bad = sorted(
        (e for e in frame.endpoints if rank(e.status) >= rank(Status.STALE)), key=lambda e: -rank(e.status)
    )
    total = len(frame.endpoints)
    if not bad:
        waiting = sum(e.status is Status.WAITING for e in frame.endpoints)
        if waiting == total:
            return line(Span(" … WAITING  ", Ink.DIM), Span("no poll has come back yet", Ink.STRONG))
        rest = f"; {waiting} not polled yet" if waiting else ""
        return fitted(
            line(
                Span(" ✔ OK  ", Ink.OK), Span(f"nothing wrong is seen on {total - waiting}{rest}", Ink.STRONG)
            ),
            cells,
        )
    worst = bad[0]
    shape, ink = mark(worst.status)
    start = line(
        Span(f" {shape} {worst.status.value}  ", ink), Span(f"{len(bad)} of {total} in trouble: ", Ink.STRONG)
    )
    alike: dict[str, list[EndpointFrame]] = {}
    for endpoint in bad:
        # How long differs from one dead endpoint to the next, and would tell each of them apart.
        silent = endpoint.status in (Status.NO_DATA, Status.STALE)
        key = f"no data ({reason(endpoint.failure) or 'not back yet'})" if silent else cause(endpoint)
        alike.setdefault(key, []).append(endpoint)
    told = [_told(key, found) for key, found in alike.items()]
    room, (what, found) = cells - width(start), next(iter(alike.items()))
    words = flowed(told, room, "; ") or flowed((_told(what, found, names=1),), room) or _told(what, found[:1])
    return fitted((*start, Span(words)), cells)


def _told(what: str, found: list[EndpointFrame], names: int = 2) -> str:
    """One cause and where it is: the first endpoint and how many besides, a second and last one by its name."""
    first, *more = found
    if not more:
        return f"{cause(first)} on {first.name}"
    return f"{what} on {first.name} and {more[0].name if len(found) <= names else f'{len(more)} more'}"


_RANKS = (
    Status.OK,
    Status.WAITING,
    Status.NOTICE,
    Status.RESTARTED,
    Status.STALE,
    Status.WARNING,
    Status.NO_DATA,
    Status.CRITICAL,
)


def rank(status: Status) -> int:
    """How far up a fleet a state belongs; higher is worse."""
    return _RANKS.index(status)
