"""Episodes of trouble on one endpoint: one incident holds many anomalies and has a life of its own.

An incident opens with the first anomaly at warning or worse and is over when none is left; notices neither open
nor hold one. Trouble that returns within `reopen_within` is the same incident again, since the cause is.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from inferguard_core.frame import (
    LOWEST_IS_WORST,
    Anomaly,
    AnomalyState,
    Incident,
    IncidentEntry,
    IncidentState,
    MeasureId,
    Severity,
)
from inferguard_core.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from inferguard_core.detect.limits import Limits
    from inferguard_core.frame import Measure
    from inferguard_core.window import Window

KEPT = 50
TIMELINE_KEPT = 200
OVER = frozenset({IncidentState.RESOLVED})
PEAKS: Mapping[str, Callable[[float, float], float]] = {
    measure: min if measure in LOWEST_IS_WORST else max
    for measure in (
        MeasureId.WAITING,
        MeasureId.KV_USAGE,
        MeasureId.TTFT_P95,
        MeasureId.ITL_P95,
        MeasureId.PREFIX_HIT_RATE,
    )
}
"""What is kept of an episode, and which way is worse."""
GAUGES = {MeasureId.WAITING: Signal.WAITING, MeasureId.KV_USAGE: Signal.KV_USAGE}


NOT_WATCHED = "not watched since"
"""How the line begins that closes an incident whose watcher went away."""


class Elsewhere(NamedTuple):
    """That an incident is known from another watcher, and that nothing of it has been seen here yet."""

    seen_unix: float
    """When it was last seen open."""
    goes_on: bool = False
    """Whether that was since this watch began."""


class IncidentLog:
    """Incidents of one endpoint, newest last; at most `KEPT`."""

    def __init__(self, endpoint: str, name: str, limits: Limits) -> None:
        self._endpoint = endpoint
        self._name = name
        self._limits = limits
        self.incidents: list[Incident] = []
        self.elsewhere: Elsewhere | None = None
        """Of the newest incident; None where it is this watch's own, or over."""

    @property
    def open(self) -> Incident | None:
        """The one that this watch sees."""
        last = self.incidents[-1] if self.incidents else None
        own = last is not None and last.state not in OVER and self.elsewhere is None
        return last if own else None

    def update(
        self, anomalies: Sequence[Anomaly], changed: Sequence[Anomaly], unix: float
    ) -> Incident | None:
        """Take the anomalies that are active now and those that just changed; the incident if it changed.

        `changed` includes anomalies that ended with this update.
        """
        troubles = [a for a in anomalies if a.severity >= Severity.WARNING]
        if troubles and self.elsewhere is not None:
            if self.elsewhere.goes_on:
                self.elsewhere = None
            else:
                self.let_go(unix)
        current = self.open
        if current is None:
            return self._begin(troubles, unix) if troubles else None
        updated = self._advance(current, troubles, changed, unix)
        self.incidents[-1] = updated
        told = (updated.state, updated.severity, updated.anomalies)
        return updated if told != (current.state, current.severity, current.anomalies) else None

    def let_go(self, unix: float) -> None:
        """Close the incident that another watched: since it was last seen, nobody has."""
        if self.elsewhere is not None:
            self.incidents[-1] = left_alone(self.incidents[-1], self.elsewhere.seen_unix, unix, unix)
            self.elsewhere = None

    def annotate(self, incident_id: str, entry: IncidentEntry | None, **changes: Any) -> Incident | None:
        """Put what a person said into an incident, and a line into its timeline; None where there is no such one.

        `changes` are fields of `Incident` that people write: `acknowledged_by`, `snoozed_until_unix`, `notes`.
        """
        for place, known in enumerate(self.incidents):
            if known.id == incident_id:
                timeline = _bounded((*known.timeline, entry)) if entry else known.timeline
                self.incidents[place] = replace(known, timeline=timeline, **changes)
                return self.incidents[place]
        return None

    def peak(self, window: Window, measures: Mapping[str, Measure], unix: float) -> None:
        """Keep the extremes of the open incident, those between its onset and its opening included."""
        current = self.open
        if current is None:
            return
        fresh: dict[str, float] = {
            m: v for m in PEAKS if (shown := measures.get(m)) and (v := shown.value) is not None
        }
        if not current.peaks:
            since = max(1.0, unix - current.onset_unix + 1e-6)
            for measure, gauge in GAUGES.items():
                highest = window.maximum(gauge, since)
                if highest is not None:
                    fresh[measure] = max(highest, fresh.get(measure, highest))
        worse = {
            m: v for m, v in fresh.items() if PEAKS[m](v, current.peaks.get(m, v)) != current.peaks.get(m)
        }
        if worse:
            self.incidents[-1] = replace(current, peaks={**current.peaks, **worse})

    def _begin(self, troubles: Sequence[Anomaly], unix: float) -> Incident:
        last = self.incidents[-1] if self.incidents else None
        severity = max(a.severity for a in troubles)
        ended = None if last is None else last.ended_unix
        if last is not None and ended is not None and unix - ended <= self._limits.reopen_within:
            incident = replace(
                last,
                state=IncidentState.REOPENED,
                severity=severity,
                worst=max(last.worst, severity),
                ended_unix=None,
                anomalies=_joined(last.anomalies, troubles),
                reopened=last.reopened + 1,
                headline=headline(troubles),
                timeline=_entries(last.timeline, unix, ["reopened", *map(_line, troubles)]),
            )
            self.incidents[-1] = incident
            return incident
        incident = Incident(
            id=f"{self._name}/{datetime.fromtimestamp(unix, UTC):%Y%m%dT%H%M%SZ}",
            endpoint=self._endpoint,
            state=IncidentState.OPEN,
            severity=severity,
            worst=severity,
            onset_unix=min(a.onset_unix for a in troubles),
            opened_unix=unix,
            ended_unix=None,
            anomalies=_joined((), troubles),
            reopened=0,
            headline=headline(troubles),
            timeline=_entries((), unix, ["opened", *map(_line, troubles)]),
        )
        self.incidents = [*self.incidents[-(KEPT - 1) :], incident]
        return incident

    def _advance(
        self, current: Incident, troubles: Sequence[Anomaly], changed: Sequence[Anomaly], unix: float
    ) -> Incident:
        lines = [_line(a) for a in changed]
        if not troubles:
            return replace(
                current,
                state=IncidentState.RESOLVED,
                severity=Severity.OK,
                ended_unix=unix,
                timeline=_entries(current.timeline, unix, [*lines, "resolved"]),
            )
        recovering = all(a.state is AnomalyState.RECOVERING for a in troubles)
        held = IncidentState.REOPENED if current.reopened else IncidentState.OPEN
        severity = max(a.severity for a in troubles)
        return replace(
            current,
            state=IncidentState.RECOVERING if recovering else held,
            severity=severity,
            worst=max(current.worst, severity),
            anomalies=_joined(current.anomalies, troubles),
            headline=current.headline if recovering else headline(troubles),
            timeline=_entries(current.timeline, unix, lines),
        )


def left_alone(incident: Incident, seen_unix: float, ended_unix: float, unix: float) -> Incident:
    """`incident`, last seen open at `seen_unix`, as it is known at `unix`."""
    seen = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seen_unix))
    line = f"{NOT_WATCHED} {seen} UTC; when it ended is not known"
    return replace(
        incident,
        state=IncidentState.RESOLVED,
        severity=Severity.OK,
        ended_unix=ended_unix,
        timeline=_bounded((*incident.timeline, IncidentEntry(unix, line, "inferguard"))),
    )


def headline(troubles: Sequence[Anomaly]) -> str:
    """The worst anomaly in words, the other kinds by name; ties go to the earliest onset."""
    ordered = sorted(troubles, key=lambda a: (-a.severity, a.onset_unix))
    others = ", ".join(a.kind for a in ordered[1:])
    line = f"{ordered[0].kind}: {ordered[0].summary}"
    return f"{line}; also {others}" if others else line


def _joined(kinds: tuple[str, ...], troubles: Sequence[Anomaly]) -> tuple[str, ...]:
    ordered = sorted(troubles, key=lambda a: a.onset_unix)
    return tuple(dict.fromkeys((*kinds, *(a.kind for a in ordered))))


def _line(anomaly: Anomaly) -> str:
    if anomaly.state is AnomalyState.OK:
        return f"{anomaly.kind} over"
    return f"{anomaly.kind} {anomaly.state.value} {anomaly.severity.word}: {anomaly.summary}"


def _entries(
    timeline: tuple[IncidentEntry, ...], unix: float, lines: Sequence[str]
) -> tuple[IncidentEntry, ...]:
    return _bounded((*timeline, *(IncidentEntry(unix, line) for line in lines)))


def _bounded(added: tuple[IncidentEntry, ...]) -> tuple[IncidentEntry, ...]:
    return added if len(added) <= TIMELINE_KEPT else (added[0], *added[-(TIMELINE_KEPT - 1) :])
