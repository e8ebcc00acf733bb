"""From the state of a watch to the EndpointFrame that is shown; the only place that decides a status word."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypedDict

from inferguard_core.detect.kv import family_factor
from inferguard_core.detect.onset import GAP_INTERVALS
from inferguard_core.engines import remedy
from inferguard_core.engines.capability import Capability, capabilities
from inferguard_core.frame import SPANS_S, Blind, EndpointFrame, RawSignal, Severity, Status
from inferguard_core.printable import printable
from inferguard_core.reading import Engine, Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.followup import Execution
    from inferguard_core.frame import Trend
    from inferguard_core.watch import EndpointWatch

_remedy = lru_cache(maxsize=512)(remedy)
"""The same few questions come with every poll."""

STALE_MIN_S = 2.0
"""At sub-second intervals one slow poll is no news."""

_STATUS = {
    Severity.OK: Status.OK,
    Severity.NOTICE: Status.NOTICE,
    Severity.WARNING: Status.WARNING,
    Severity.CRITICAL: Status.CRITICAL,
}


class _Beside(TypedDict):
    blind: tuple[Blind, ...]
    dialect: tuple[Capability, ...]
    doubts: tuple[str, ...]
    learning: Mapping[str, str]
    raw: tuple[RawSignal, ...]
    thresholds: Mapping[str, float]


def endpoint_frame(watch: EndpointWatch, unix: float, age_s: float | None) -> EndpointFrame:
    """The endpoint as of wall time `unix`, `age_s` after its newest good page (None: there was none)."""
    anomalies = watch.anomalies(unix)
    severity = max((a.severity for a in anomalies), default=Severity.OK)
    seen, newest, casebook, followup = watch.seen, watch.newest, watch.casebook, watch.followup
    engine, generation = (seen.reading.engine, seen.reading.generation) if seen else (Engine.UNKNOWN, "")
    return EndpointFrame(
        endpoint=watch.endpoint,
        name=watch.name,
        status=_status(watch, severity, age_s),
        severity=severity,
        proof=watch.proof,
        interval_s=watch.interval_s,
        at_unix=unix,
        engine=engine,
        engine_version=printable(watch.facts.version) if watch.facts.version else None,
        models=tuple(printable(m) for m in watch.models),
        failure=watch.failure,
        failed_polls=watch.failed_polls,
        polls=watch.polls,
        last_page_unix=seen.poll.unix if seen is not None else None,
        age_s=age_s,
        poll_ms=newest.ms if newest is not None else None,
        measures=seen.measures if seen is not None else {},
        trends=_trends(watch, 0),
        longer_trends={span: _trends(watch, at) for at, span in enumerate(SPANS_S) if at},
        anomalies=anomalies,
        incident=watch.log.open,
        incidents=tuple(reversed(watch.log.incidents)),
        diagnosis=casebook.diagnosis,
        advisories=casebook.advisories,
        fix=casebook.fix,
        impact=casebook.impact,
        forecast=watch.forecast,
        executions=_executions(watch),
        brain=followup.brain,
        similar=followup.similar,
        **_beside(watch, engine, generation),
    )


def _executions(watch: EndpointWatch) -> tuple[Execution, ...]:
    """Those of the open incident, else of the last one."""
    last = watch.log.incidents[-1].id if watch.log.incidents else None
    return tuple(e for e in watch.followup.executions if e.incident_id == last)


def _beside(watch: EndpointWatch, engine: Engine, generation: str) -> _Beside:
    """What is known about the numbers themselves."""
    return _Beside(
        blind=_blind(watch, engine, generation),
        dialect=_dialect(watch),
        doubts=watch.doubts,
        learning=watch.learned.baselines.learning,
        raw=_raw(watch),
        thresholds=_thresholds(watch),
    )


def _trends(watch: EndpointWatch, at: int) -> dict[str, Trend]:
    """By measure, over the span that stands at `at` in `SPANS_S`."""
    found = ((measure, ring.trends[at]) for measure, ring in watch.trends.items())
    return {measure: trend for measure, trend in found if trend is not None}


def _status(watch: EndpointWatch, severity: Severity, age_s: float | None) -> Status:
    if watch.lives["endpoint_down"].active:
        return Status.NO_DATA
    if watch.polls == 0:
        return Status.WAITING
    if age_s is None:
        # Stale would say that there once was data.
        return Status.NO_DATA if watch.failed_polls else Status.WAITING
    if age_s > max(STALE_MIN_S, GAP_INTERVALS * watch.interval_s):
        return Status.STALE
    if watch.lives["engine_restart"].active and severity < Severity.CRITICAL:
        return Status.RESTARTED
    return _STATUS[severity]


def _blind(watch: EndpointWatch, engine: Engine, generation: str) -> tuple[Blind, ...]:
    rows = []
    for kind, finding in watch.findings.items():
        if finding.missing:
            remedies = dict.fromkeys(
                _remedy(s, engine, watch.facts.version, generation) for s in finding.missing
            )
            flag = watch.seen.poll.lacking if watch.seen is not None else ""
            remedy_words = f"start the server with {flag}" if flag else "; ".join(r for r in remedies if r)
            rows.append(Blind(kind, ", ".join(finding.missing), remedy_words))
    return tuple(rows)


def _dialect(watch: EndpointWatch) -> tuple[Capability, ...]:
    if watch.seen is None:
        return ()
    reading = watch.seen.reading
    return _capabilities(
        reading.engine, reading.generation, tuple(reading.spellings.items()), watch.facts.version
    )


@lru_cache(maxsize=256)
def _capabilities(
    engine: Engine, generation: str, spellings: tuple[tuple[str, str], ...], version: str | None
) -> tuple[Capability, ...]:
    """By what they depend on alone: the same page of an engine comes with every poll."""
    return capabilities(Reading(engine, generation, spellings=dict(spellings)), version)


def _raw(watch: EndpointWatch) -> tuple[RawSignal, ...]:
    if watch.seen is None:
        return ()
    reading = watch.seen.reading
    return tuple(
        RawSignal(signal, reading.spellings.get(signal, ""), value)
        for signal, value in reading.values.items()
    )


def _thresholds(watch: EndpointWatch) -> dict[str, float]:
    limits = watch.limits
    return {
        "kv_usage": limits.kv_alert_threshold * family_factor(watch.models, limits),
        "ttft": limits.ttft_objective_s,
        "itl": limits.itl_objective_s,
    }
