"""One short look at endpoints: a few polls, since rates need two, and a verdict on what they show.

It has no past to compare with, so nothing rests on a baseline; what it cannot see in its few seconds it leaves
unsaid.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inferguard_core.assemble import endpoint_frame
from inferguard_core.detect.limits import Limits, held_within
from inferguard_core.events import advisory_json, diagnosis_json, evidence_json, execution_json, fix_json
from inferguard_core.frame import Anomaly, EndpointFrame, Measure, MeasureId
from inferguard_core.poll import EndpointFacts, Failure, FailureKind, ModelCard, Poll, ProofLevel, Source
from inferguard_core.sources.prometheus.fleet import NO_ENGINES
from inferguard_core.watch import EndpointWatch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from inferguard_core.fleet import Past
    from inferguard_core.reading import Reading
    from inferguard_core.sources.prometheus.fleet import PrometheusFleet

    Afterwards = Callable[[EndpointWatch], Awaitable[None]]

SAMPLES = 4
SPAN_S = 6.0


@dataclass(frozen=True, slots=True)
class Scan:
    """What the look at one endpoint gave."""

    frame: EndpointFrame
    reading: Reading | None
    polls: int
    seconds: float
    """From the first good page to the last."""

    @property
    def answered(self) -> bool:
        return self.reading is not None


async def _nothing(_: EndpointWatch) -> None:
    """Nothing more is done with what was concluded."""


async def scan(
    sources: Sequence[tuple[str, Source]],
    samples: int,
    interval_s: float,
    limits: Limits,
    model: str | None = None,
    after: Afterwards = _nothing,
) -> list[Scan]:
    """Look at every endpoint at the same time, `samples` polls each, `interval_s` apart.

    `after` may add to what a watch concluded, before it is told.
    """
    span = max(interval_s, interval_s * (samples - 1))
    short = held_within(limits, span)
    looks = list(
        await asyncio.gather(
            *(_look(name, source, samples, interval_s, short, model) for name, source in sources)
        )
    )
    return [await _concluded(watch, first, after) for watch, first in looks]


async def scan_fleet(
    fleet: PrometheusFleet,
    samples: int,
    limits: Limits,
    model: str | None = None,
    after: Afterwards = _nothing,
) -> list[Scan]:
    """Look at the newest `samples` pages of every engine behind a metrics server, without waiting for more.

    A server that does not answer, or knows no engine, is itself the one thing looked at, unanswered.
    """
    kept = _Kept()
    trouble = await fleet.warm_up(kept, samples)
    if trouble is None and not kept.polls:
        trouble = Failure(FailureKind.NOT_METRICS, f"{fleet.name}: {NO_ENGINES}")
    if trouble is not None:
        kept.admit(fleet.name, fleet.url, ProofLevel.LIVE, fleet.scrape_s)
        kept.deliver(fleet.url, Poll(time.monotonic(), time.time(), 0.0, failure=trouble))
    span = max(fleet.scrape_s, fleet.scrape_s * (samples - 1))
    short = held_within(limits, span)
    scans = []
    for name, endpoint, proof in kept.names:
        watch = _watch(name, endpoint, proof, fleet.scrape_s, short, model)
        scans.append(await _concluded(watch, _observed(watch, kept.polls[endpoint][-samples:]), after))
    return scans


class _Kept:
    """A membership that keeps what it is given."""

    def __init__(self) -> None:
        self.names: list[tuple[str, str, ProofLevel]] = []
        self.polls: dict[str, list[Poll]] = {}

    def add(self, name: str, source: Source, delay_s: float = 0.0) -> None:
        """A fleet whose endpoints are to be polled is not scanned this way."""

    def admit(self, name: str, endpoint: str, proof: ProofLevel, interval_s: float) -> None:  # noqa: ARG002
        self.names.append((name, endpoint, proof))
        self.polls[endpoint] = []

    def deliver(self, endpoint: str, poll: Poll) -> None:
        self.polls[endpoint].append(poll)

    def recall(self, endpoint: str, past: Past) -> None:
        """A look has no past."""

    def remove(self, endpoint: str) -> None:
        """Whoever left while we looked was there."""


async def _look(
    name: str, source: Source, samples: int, interval_s: float, limits: Limits, model: str | None
) -> tuple[EndpointWatch, float | None]:
    watch = _watch(name, source.endpoint, source.proof, interval_s, limits, model)
    loop = asyncio.get_running_loop()
    began = loop.time()
    first: float | None = None
    for index in range(samples):
        await asyncio.sleep(max(0.0, began + index * interval_s - loop.time()))
        seen = _observed(watch, [await source.poll()])
        first = seen if first is None else first
    return watch, first


def _watch(
    name: str, endpoint: str, proof: ProofLevel, interval_s: float, limits: Limits, model: str | None
) -> EndpointWatch:
    watch = EndpointWatch(endpoint, name, interval_s, proof, limits)
    if model is not None:
        watch.facts = EndpointFacts(models=(ModelCard(model),))
    return watch


def _observed(watch: EndpointWatch, polls: Sequence[Poll]) -> float | None:
    """Let the watch take `polls`; the time of the first of them after which a page had been seen."""
    first: float | None = None
    for poll in polls:
        watch.observe(poll)
        first = poll.t if first is None and watch.seen is not None else first
    return first


async def _concluded(watch: EndpointWatch, first: float | None, after: Afterwards) -> Scan:
    await after(watch)
    seen = watch.seen
    now = watch.newest
    assert now is not None
    age_s = None if seen is None else now.t - seen.poll.t
    return Scan(
        frame=endpoint_frame(watch, now.unix, age_s),
        reading=seen.reading if seen is not None else None,
        polls=watch.polls,
        seconds=0.0 if seen is None or first is None else seen.poll.t - first,
    )


def to_json(result: Scan) -> dict[str, Any]:
    """`inferguard.scan/1`."""
    frame = result.frame
    return {
        "schema": "inferguard.scan/1",
        "endpoint": frame.endpoint,
        "engine": frame.engine.value,
        "engine_version": frame.engine_version,
        "models": list(frame.models),
        "status": frame.severity.word if result.answered else "unknown",
        "proof_level": frame.proof.value,
        "sampled": {"polls": result.polls, "seconds": round(result.seconds, 3)},
        "signals": {m.value: _measure_json(frame.measures.get(m)) for m in MeasureId},
        "anomalies": [_anomaly_json(a) for a in frame.anomalies] if result.answered else [],
        "diagnosis": None if frame.diagnosis is None else diagnosis_json(frame.diagnosis),
        "fix": None if frame.fix is None else fix_json(frame.fix),
        "actions": [advisory_json(a) for a in frame.advisories],
        "executions": [execution_json(e) for e in frame.executions],
        "advisories": [],
        "blind": [{"rule": b.rule, "missing": b.missing, "remedy": b.remedy} for b in frame.blind],
        "doubts": list(frame.doubts),
        "error": None
        if frame.failure is None
        else {"kind": frame.failure.kind.value, "message": frame.failure.message},
    }


def _measure_json(measure: Measure | None) -> dict[str, Any] | None:
    if measure is None or measure.value is None:
        return None
    return {
        "value": float(f"{measure.value:.6g}"),
        "unit": measure.unit,
        "window_s": None if measure.window_s is None else round(measure.window_s, 3),
        "n": measure.n,
        "source": measure.source,
    }


def _anomaly_json(anomaly: Anomaly) -> dict[str, Any]:
    return {
        "kind": anomaly.kind,
        "severity": anomaly.severity.word,
        "state": anomaly.state.value,
        "summary": anomaly.summary,
        "onset_unix": round(anomaly.onset_unix, 3),
        "evidence": [evidence_json(e) for e in anomaly.evidence],
    }
