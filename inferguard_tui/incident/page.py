"""The incident screen as lines: one column, or two side by side where there is room.

Why and what to change come first; the course, what was done and past incidents like it stand beside or below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from inferguard_core.frame import IncidentState, MeasureId
from inferguard_tui.formatting import quantity
from inferguard_tui.incident.followup import execution_rows, similar_rows
from inferguard_tui.incident.reasons import cause_rows, fix_diff_rows, wrong_lever_rows
from inferguard_tui.incident.told import heading, notes_rows, timeline, timeline_rows
from inferguard_tui.line import EMPTY, Ink, Line, Span, left, line
from inferguard_tui.panels.advisories import advisory_row, standing
from inferguard_tui.panels.anomalies import anomaly_rows, evidence_rows
from inferguard_tui.panels.remedy import impact_detail
from inferguard_tui.panels.view import View, title_rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_core.frame import EndpointFrame, Incident

BESIDE_FROM = 120
"""Cells from which two columns stand side by side."""

_UNITS: dict[str, str] = {
    MeasureId.WAITING: "requests",
    MeasureId.KV_USAGE: "ratio",
    MeasureId.TTFT_P95: "seconds",
    MeasureId.ITL_P95: "seconds",
    MeasureId.PREFIX_HIT_RATE: "ratio",
}
"""Of the peaks that an incident keeps."""


@dataclass(frozen=True, slots=True)
class Subject:
    """An incident, the endpoint as it is known with it, and the instant it is looked at."""

    incident: Incident
    endpoint: EndpointFrame
    """Live, or as it was kept when the incident was closed."""
    unix: float

    @property
    def concluded(self) -> bool:
        """Whether the endpoint's diagnosis, advice and cost are this incident's."""
        diagnosis = self.endpoint.diagnosis
        return diagnosis is not None and diagnosis.incident_id == self.incident.id

    @property
    def open(self) -> bool:
        return self.incident.state is not IncidentState.RESOLVED


def section(title: str, rows: Sequence[Line], cells: int, note: str = "") -> list[Line]:
    """A titled block and the empty line after it."""
    return [title_rule(title, note, View(cells, 1)), *rows, EMPTY]


def incident_head(subject: Subject, place: str, cells: int) -> tuple[Line, ...]:
    """What stands above both columns."""
    return tuple(heading(subject.incident, subject.endpoint, subject.unix, place, cells))


def why_rows(subject: Subject, cells: int) -> list[Line]:
    """Causes, wrong lever, fix and advice, impact."""
    endpoint, rows = subject.endpoint, []
    diagnosis = endpoint.diagnosis
    if not subject.concluded or diagnosis is None:
        pending = (
            " the rules have not concluded yet" if subject.open else " what was concluded is not kept here"
        )
        return [*section("Why", [line(Span(pending, Ink.DIM))], cells), *_seen(subject, cells)]
    rows += section("Why", cause_rows(diagnosis, cells), cells, diagnosis.source)
    if diagnosis.wrong_lever is not None:
        rows += section("Wrong lever: would not help", wrong_lever_rows(diagnosis.wrong_lever, cells), cells)
    if endpoint.fix is not None:
        of = f"flag table up to {endpoint.fix.flags_of}" if endpoint.fix.flags_of else ""
        rows += section("Fix: running to proposed", fix_diff_rows(endpoint.fix, cells), cells, of)
    advised = standing(endpoint)
    if advised:
        names = max(20, *(len(a.action_type) for a in advised))
        pills = [advisory_row(a, n, cells - 1, names) for n, a in enumerate(advised, 1)]
        rows += section("Advice", [(Span(" "), *pill) for pill in pills], cells, "x shows what would be sent")
    if endpoint.impact is not None:
        so_far = "so far" if subject.open else "in all"
        rows += section(f"Impact {so_far}", impact_detail(endpoint.impact, endpoint, cells)[1:], cells)
    return [*rows, *_seen(subject, cells)]


def _seen(subject: Subject, cells: int) -> list[Line]:
    """What is out of line now, with its evidence; and the worst values while it lasted."""
    found = [a for a in subject.endpoint.anomalies if a.incident_id in (subject.incident.id, None)]
    rows: list[Line] = []
    if subject.open:
        for anomaly in found:
            kinds = min(22, max(len(a.kind) for a in found))
            rows += anomaly_rows(anomaly, subject.endpoint, cells, kinds)
            rows += evidence_rows(anomaly.evidence, cells)
    seen = section("Seen now", rows, cells) if rows else []
    peaks = [_peak(measure, value) for measure, value in subject.incident.peaks.items()]
    return seen + (section("Worst while it lasted", peaks, cells) if peaks else [])


def _peak(measure: str, value: float) -> Line:
    name = (
        " prefix hit rate (lowest)"
        if measure == MeasureId.PREFIX_HIT_RATE
        else f" {measure.replace('_', ' ')}"
    )
    return line(Span(left(name, 28), Ink.DIM), Span(quantity(value, _UNITS.get(measure, "1")), Ink.STRONG))


def course_rows(subject: Subject, cells: int) -> list[Line]:
    """The timeline."""
    entries = timeline(subject.incident, subject.endpoint.executions)
    marks = "● people  ▸ tool"
    return section("Timeline", timeline_rows(entries, subject.incident.onset_unix, cells), cells, marks)


def done_rows(subject: Subject, cells: int) -> list[Line]:
    """What was carried out, what people wrote, what past incidents say."""
    own = [e for e in subject.endpoint.executions if e.incident_id == subject.incident.id]
    similar = subject.endpoint.similar if subject.open else ()
    rows = section("Done", execution_rows(own, cells), cells)
    rows += section("Notes", notes_rows(subject.incident, cells), cells)
    return rows + section("Similar past incidents", similar_rows(similar, subject.unix, cells), cells)


def columns_of(subject: Subject, widths: tuple[int, ...]) -> tuple[tuple[Line, ...], ...]:
    """The page in one or two columns of these widths."""
    if len(widths) == 1:
        (cells,) = widths
        rows = [*why_rows(subject, cells), *course_rows(subject, cells), *done_rows(subject, cells)]
        return (tuple(rows),)
    first, second = widths
    beside = [*course_rows(subject, second), *done_rows(subject, second)]
    return tuple(why_rows(subject, first)), tuple(beside)
