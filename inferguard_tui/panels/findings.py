"""What was concluded: anomalies, diagnosis, advisories, incidents. An empty list says that it is empty, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.frame import AnomalyState, IncidentState, Severity
from inferguard_tui.formatting import clock, duration, quantity
from inferguard_tui.glyphs import INK, SHAPE, WORD, bar
from inferguard_tui.line import (
    EMPTY,
    Ink,
    Line,
    Span,
    fitted,
    flowed,
    left,
    line,
    right,
    spread,
    width,
    wrapped,
)
from inferguard_tui.panels.view import Content, Panel, View, listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_core.frame import Anomaly, EndpointFrame, Incident
    from inferguard_core.verdict import Advisory, Diagnosis, Evidence

_BAR_CELLS = 12
_AGE_CELLS = 9


def _now(endpoint: EndpointFrame) -> float | None:
    """The frame's instant, as far as an endpoint knows it."""
    if endpoint.last_page_unix is None or endpoint.age_s is None:
        return None
    return endpoint.last_page_unix + endpoint.age_s


def _since(endpoint: EndpointFrame, unix: float) -> str:
    """How long ago, or the time of day where no page ever set a clock."""
    now = _now(endpoint)
    return clock(unix) if now is None else duration(now - unix)


def _mark(severity: Severity) -> tuple[Span, Span]:
    return Span(f"{SHAPE[severity]} ", INK[severity]), Span(left(WORD[severity], 5), INK[severity])


def anomaly_rows(anomaly: Anomaly, endpoint: EndpointFrame, cells: int, kind_cells: int) -> list[Line]:
    """One anomaly; its summary goes on in further lines where one is too short."""
    state = " (recovering)" if anomaly.state is AnomalyState.RECOVERING else ""
    state += " (flapping)" if anomaly.flapping else ""
    lead = (*_mark(anomaly.severity), Span(f"{left(anomaly.kind, kind_cells)} ", Ink.STRONG))
    age = line(Span(right(_since(endpoint, anomaly.onset_unix), _AGE_CELLS), Ink.DIM))
    room = max(12, cells - width(lead) - _AGE_CELLS - 1)
    first, *more = wrapped(anomaly.summary + state, room) or [""]
    rows = [spread((*lead, Span(first)), age, cells)]
    return rows + [line(Span(" " * width(lead)), Span(text)) for text in more]


def _shortened(anomaly: Anomaly, endpoint: EndpointFrame, cells: int, kind_cells: int) -> Line:
    whole = anomaly_rows(anomaly, endpoint, cells, kind_cells)
    if len(whole) == 1:
        return whole[0]
    lead = (*_mark(anomaly.severity), Span(f"{left(anomaly.kind, kind_cells)} ", Ink.STRONG))
    age = line(Span(right(_since(endpoint, anomaly.onset_unix), _AGE_CELLS), Ink.DIM))
    return spread((*lead, Span(anomaly.summary)), age, cells)


def _kind_cells(anomalies: Sequence[Anomaly]) -> int:
    return min(22, max((len(anomaly.kind) for anomaly in anomalies), default=0))


def anomalies_content(endpoint: EndpointFrame, view: View) -> Content:
    blind = f"{len(endpoint.blind)} blind" if endpoint.blind else ""
    if not endpoint.anomalies:
        quiet = "none" if endpoint.polls else "waiting for the first poll"
        rows = [line(Span(quiet, Ink.DIM))]
        if endpoint.blind:
            rules = ", ".join(item.rule for item in endpoint.blind)
            rows += [
                line(Span(row, Ink.DIM))
                for row in wrapped(f"blind, for want of input: {rules}", view.width, 2)
            ]
        return Content(tuple(rows[: view.height]), blind)
    kinds = _kind_cells(endpoint.anomalies)
    whole = [row for a in endpoint.anomalies for row in anomaly_rows(a, endpoint, view.width, kinds)]
    short = [_shortened(a, endpoint, view.width, kinds) for a in endpoint.anomalies]
    rows = whole if len(whole) <= view.height else short
    firing = sum(a.state is AnomalyState.FIRING for a in endpoint.anomalies)
    note = " · ".join(part for part in (f"{firing} firing", blind) if part)
    return Content(listing(rows, view.height, "anomalies"), note)


def evidence_rows(evidence: Sequence[Evidence], cells: int) -> list[Line]:
    """One line a number: value, limit, baseline, window, source."""
    rows = []
    for item in evidence:
        parts = [f"{item.signal} {quantity(item.value, item.unit)}"]
        if item.threshold is not None:
            parts.append(f"limit {quantity(item.threshold, item.unit)}")
        if item.baseline is not None:
            parts.append(f"baseline {quantity(item.baseline, item.unit)}")
        if item.window_s is not None:
            parts.append(f"{item.window_s:.0f} s" + (f", n {item.n}" if item.n is not None else ""))
        if item.source:
            parts.append(f"from {item.source}")
        rows += [line(Span(row, Ink.DIM)) for row in wrapped("       " + " · ".join(parts), cells, 9)]
    return rows


def anomalies_detail(endpoint: EndpointFrame, view: View) -> tuple[Line, ...]:
    """Each anomaly with its evidence, then the rules that cannot see."""
    rows: list[Line] = []
    for anomaly in endpoint.anomalies:
        rows += anomaly_rows(anomaly, endpoint, view.width, _kind_cells(endpoint.anomalies))
        times = f"       onset {clock(anomaly.onset_unix)} · fired {clock(anomaly.since_unix)}"
        rows.append(line(Span(times, Ink.DIM)))
        rows += [*evidence_rows(anomaly.evidence, view.width), EMPTY]
    if endpoint.blind:
        rows.append(line(Span("Rules without their input: neither firing nor fine", Ink.TITLE)))
        for item in endpoint.blind:
            words = f"  {item.rule}: {item.missing} is not exported" + (
                f"; {item.remedy}" if item.remedy else ""
            )
            rows += [line(Span(row)) for row in wrapped(words, view.width, 4)]
    return tuple(rows)


def diagnosis_content(endpoint: EndpointFrame, view: View) -> Content:
    diagnosis = endpoint.diagnosis
    if diagnosis is None:
        pending = "rules pending" if endpoint.incident is not None else "rules pending; no incident is open"
        return Content((line(Span(pending, Ink.DIM)),)[: view.height])
    rows = _causes(diagnosis, view)
    words = [f"because {condition.text}" for cause in diagnosis.ranked[:1] for condition in cause.speaks_for]
    if diagnosis.wrong_lever is not None:
        words.append(f"wrong lever: {diagnosis.wrong_lever.lever}: {diagnosis.wrong_lever.because}")
    words += [f"measure next: {measure}" for measure in diagnosis.measure_next]
    words.append(f"mode {diagnosis.failure_mode} · risk {diagnosis.risk_level}")
    rows += [line(Span(row, Ink.DIM)) for text in words for row in wrapped(text, view.width, 2)]
    return Content(tuple(rows[: view.height]), diagnosis.source)


def _causes(diagnosis: Diagnosis, view: View) -> list[Line]:
    """Ranked causes with their confidence; where rows are few, the best with the others behind it."""
    few = view.height <= len(diagnosis.ranked)
    name_cells = min(24, max(12, view.width - _BAR_CELLS - 8))
    rows = [
        line(
            Span(left(cause.cause, name_cells), Ink.STRONG if index == 0 else Ink.TEXT),
            Span(bar(cause.confidence, _BAR_CELLS), Ink.SERIES),
            Span(f" {cause.confidence:.2f}"),
        )
        for index, cause in enumerate(diagnosis.ranked)
    ]
    if not few or not rows:
        return rows
    others = [f"{cause.cause} {cause.confidence:.2f}" for cause in diagnosis.ranked[1:]]
    return [(*rows[0], Span(f"  {flowed(others, view.width - width(rows[0]) - 2, '  ')}", Ink.DIM))]


def diagnosis_detail(endpoint: EndpointFrame, view: View) -> tuple[Line, ...]:
    if endpoint.diagnosis is None:
        return ()
    return tuple(evidence_rows(endpoint.diagnosis.evidence, view.width))


def _horizon(advisory: Advisory) -> str:
    seconds = advisory.horizon_seconds
    if seconds is None:
        return "when: —"
    return "now" if seconds <= 0 else f"~{duration(seconds)}"


def advisory_row(advisory: Advisory, number: int, cells: int) -> Line:
    """A pill: what, how sure, when; marked as advice."""
    parameters = " ".join(
        f"{name} {given:g}" if isinstance(given, float) else f"{name} {given}"
        for name, given in advisory.parameters.items()
    )
    name_cells = 22 if cells < 100 else 26
    tag = Span(" ADVISORY ", Ink.BADGE) if advisory.advisory_only else Span(" ACTION ", Ink.BADGE)
    start = line(
        Span(f"[{number}] ", Ink.KEY),
        Span(left(advisory.action_type, name_cells), Ink.STRONG),
        Span(f" {bar(advisory.confidence, _BAR_CELLS)} ", Ink.SERIES),
        Span(f"{advisory.confidence:.2f} "),
        tag,
        Span(f"  {left(_horizon(advisory), 9)}", Ink.KEY),
    )
    doubt = "" if advisory.calibrated else "uncalibrated  "
    return fitted((*start, Span(f"  {doubt}{parameters}", Ink.DIM)), cells)


def advisories_content(endpoint: EndpointFrame, view: View) -> Content:
    if not endpoint.advisories:
        return Content((line(Span("none", Ink.DIM)),)[: view.height])
    rows = [advisory_row(a, n, view.width) for n, a in enumerate(endpoint.advisories, 1)]
    return Content(listing(rows, view.height, "advisories"), "advice only")


def advisories_detail(endpoint: EndpointFrame, view: View) -> tuple[Line, ...]:
    rows: list[Line] = []
    for number, advisory in enumerate(endpoint.advisories, 1):
        rows.append(advisory_row(advisory, number, view.width))
        rows += [line(Span(row)) for row in wrapped(f"    {advisory.reason}", view.width, 4)]
        rows += [line(Span(f"    {name} {given}", Ink.DIM)) for name, given in advisory.parameters.items()]
        for noun, texts in (("needs", advisory.preconditions), ("but", advisory.caveats)):
            rows += [
                line(Span(r, Ink.DIM)) for t in texts for r in wrapped(f"    {noun}: {t}", view.width, 6)
            ]
        rows += [*evidence_rows(advisory.evidence, view.width), EMPTY]
    return tuple(rows)


def incident_row(incident: Incident, endpoint: EndpointFrame, cells: int) -> Line:
    over = incident.state is IncidentState.RESOLVED
    severity = Severity.OK if over else incident.severity
    end = incident.ended_unix
    lasted = duration(end - incident.onset_unix) if end is not None else _since(endpoint, incident.onset_unix)
    again = f"×{incident.reopened + 1} " if incident.reopened else ""  # noqa: RUF001 - times
    words = incident.headline or ", ".join(incident.anomalies)
    start = line(
        Span(f"{clock(incident.opened_unix)} ", Ink.DIM),
        Span(f"{SHAPE[severity]} {left(incident.state.value, 11)}", INK[severity]),
        Span(again, Ink.KEY),
        Span(words, Ink.DIM if over else Ink.TEXT),
    )
    return spread(start, line(Span(right(lasted, _AGE_CELLS), Ink.DIM)), cells)


def incidents_content(endpoint: EndpointFrame, view: View) -> Content:
    if not endpoint.incidents:
        return Content((line(Span("none since the monitor started", Ink.DIM)),)[: view.height])
    rows = [incident_row(incident, endpoint, view.width) for incident in endpoint.incidents]
    return Content(listing(rows, view.height, "incidents"), f"{len(rows)} seen")


def incidents_detail(endpoint: EndpointFrame, view: View) -> tuple[Line, ...]:
    rows: list[Line] = []
    for incident in endpoint.incidents:
        rows.append(incident_row(incident, endpoint, view.width))
        worst = f"  {incident.id} · worst {incident.worst.word} · {', '.join(incident.anomalies)}"
        rows += [line(Span(row, Ink.DIM)) for row in wrapped(worst, view.width, 2)]
        for entry in incident.timeline:
            rows += [
                line(Span(row)) for row in wrapped(f"  {clock(entry.unix)} {entry.text}", view.width, 11)
            ]
        rows.append(EMPTY)
    return tuple(rows)


ANOMALIES = Panel("anomalies", "Anomalies", anomalies_content, detail=anomalies_detail, measured=False)
DIAGNOSIS = Panel("diagnosis", "Diagnosis", diagnosis_content, detail=diagnosis_detail, measured=False)
ADVISORIES = Panel("advisories", "Advisories", advisories_content, detail=advisories_detail, measured=False)
INCIDENTS = Panel("incidents", "Incidents", incidents_content, detail=incidents_detail, measured=False)
