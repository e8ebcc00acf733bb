"""What the engine shows of itself while load is on it: peaks, from the read-only page."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from inferguard_core.frame import MeasureId
from inferguard_core.watch import EndpointWatch

if TYPE_CHECKING:
    from inferguard_core.detect.limits import Limits
    from inferguard_core.poll import ProofLevel, Source

INTERVAL_S: Final = 0.5
PEAKS: Final = (
    MeasureId.KV_USAGE,
    MeasureId.PREFIX_HIT_RATE,
    MeasureId.RUNNING,
    MeasureId.WAITING,
    MeasureId.PREEMPTION_RATE,
)


@dataclass(slots=True)
class Gauge:
    """Polls `source` beside a run and keeps the highest of each measure."""

    name: str
    source: Source
    limits: Limits
    interval_s: float = INTERVAL_S
    peaks: dict[MeasureId, float] = field(default_factory=dict)
    """Highest value seen; a measure that the engine never showed is absent."""
    anomalies: list[str] = field(default_factory=list)
    """Kinds that fired, in order."""
    polls: int = 0
    failed: int = 0

    async def watch(self) -> None:
        """Poll until cancelled."""
        watch = EndpointWatch(
            self.source.endpoint, self.name, self.interval_s, self.source.proof, self.limits
        )
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            watch.observe(await self.source.poll())
            self._take(watch)
            due = max(due + self.interval_s, loop.time())
            await asyncio.sleep(due - loop.time())

    def _take(self, watch: EndpointWatch) -> None:
        self.polls += 1
        if watch.failure is not None or watch.seen is None:
            self.failed += 1
            return
        for measure in PEAKS:
            value = watch.seen.measures[measure].value
            if value is not None:
                self.peaks[measure] = max(value, self.peaks.get(measure, value))
        for kind, life in watch.lives.items():
            if life.active and kind not in self.anomalies:
                self.anomalies.append(kind)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a gauge has seen, for a report."""

    peaks: dict[str, float]
    anomalies: tuple[str, ...]
    polls: int
    failed: int
    proof: ProofLevel


def shown(gauge: Gauge, proof: ProofLevel) -> Shown:
    peaks = {measure.value: value for measure, value in gauge.peaks.items()}
    return Shown(peaks, tuple(gauge.anomalies), gauge.polls, gauge.failed, proof)
