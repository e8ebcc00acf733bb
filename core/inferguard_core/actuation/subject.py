"""What an attempt is about: one advisory and its endpoint as they stand now, taken from the endpoint's watch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from inferguard_core.frame import AnomalyState, IncidentState, Severity
from inferguard_core.signals import Signal

if TYPE_CHECKING:
    from inferguard_core.verdict import Advisory
    from inferguard_core.watch import EndpointWatch

PRESENT_S = 15.0
"""Running is an instant gauge: the present level is its median over this many seconds, as in the advice."""
STALE_INTERVALS = 3.0
STALE_MIN_S = 2.0
"""At sub-second intervals one slow poll is no news."""


@dataclass(frozen=True, slots=True)
class Subject:
    """None is unknown."""

    advisory: Advisory
    engine: str
    model: str
    age_s: float | None
    """Of the newest good page."""
    stale_after_s: float
    last_poll_failed: bool
    incident_open: bool
    recovering: bool
    troubles: tuple[str, ...]
    """Kinds that fire at warning or worse."""
    running: float | None
    ranks: frozenset[str] = frozenset()

    @property
    def endpoint(self) -> str:
        return self.advisory.endpoint


def find_advisory(watch: EndpointWatch, action_id: str) -> Advisory | None:
    return next((a for a in watch.casebook.advisories if a.id == action_id), None)


def subject(watch: EndpointWatch, advisory: Advisory, t: float) -> Subject:
    """`advisory` as of monotonic `t`, the clock of the watch's polls."""
    seen = watch.seen
    incident = watch.log.open
    same = incident is not None and incident.id == advisory.incident_id
    return Subject(
        advisory=advisory,
        engine=seen.reading.engine.value if seen is not None else "unknown",
        model=watch.models[0] if watch.models else "",
        age_s=None if seen is None else max(0.0, t - seen.poll.t),
        stale_after_s=max(STALE_MIN_S, STALE_INTERVALS * watch.interval_s),
        last_poll_failed=watch.failed_polls > 0,
        incident_open=same,
        recovering=same and incident is not None and incident.state is IncidentState.RECOVERING,
        troubles=tuple(
            kind
            for kind, life in watch.lives.items()
            if life.active and life.severity >= Severity.WARNING and life.state is AnomalyState.FIRING
        ),
        running=None if seen is None else seen.window.median(Signal.RUNNING, PRESENT_S),
        ranks=frozenset(seen.reading.ranks) if seen is not None else frozenset(),
    )
