"""What an incident looked like, as a few comparable numbers: how past ones are found without words.

Numbers are extremes over the incident, steps and drops are against the calm before it. An unknown number is left
out, and two shapes are compared by what both know.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from math import log1p, log2
from typing import TYPE_CHECKING, Final, NamedTuple

from inferguard_core.frame import MeasureId
from inferguard_core.profiles import profile
from inferguard_core.reading import Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from inferguard_core.frame import EndpointFrame, Measure, Trend

CALM_SHARE = 0.05
"""Weight of the newest healthy number in the calm level: half of it is the last 14 healthy polls."""
RISE_S = 60.0
OCTAVES = 6.0
"""A step by this many doublings is as large as a step gets: 64 times."""


class Feature(StrEnum):
    """The numbers of a shape."""

    KV_LEVEL = "kv_level"
    KV_RISE = "kv_rise"
    QUEUE = "queue"
    QUEUE_GROWTH = "queue_growth"
    RUNNING_STEP = "running_step"
    PREEMPTION = "preemption"
    SWAPPED = "swapped"
    HIT_RATE = "hit_rate"
    HIT_DROP = "hit_drop"
    TTFT_STEP = "ttft_step"
    ITL_STEP = "itl_step"
    GENERATION_DROP = "generation_drop"
    ARRIVAL_STEP = "arrival_step"
    ACCEPTANCE = "acceptance"
    PROMPT_STEP = "prompt_step"
    KV_EACH_STEP = "kv_each_step"
    """KV usage per running request, against the calm: longer contexts."""
    FINISH_DROP = "finish_drop"
    DEFERRED = "deferred"
    DOWN_S = "down_s"
    """Longest time without a page."""


class Trait(NamedTuple):
    """How one number is scaled, weighed and said."""

    scaled: Callable[[float], float]
    """To 0 … 1, so that numbers of different units compare."""
    weight: float
    worse: Callable[[float, float], float]
    said: str
    """A format for people; takes the number."""


def _clipped(value: float) -> float:
    return min(1.0, max(0.0, value))


def _counted(most: float) -> Callable[[float], float]:
    return lambda value: _clipped(log1p(max(0.0, value)) / log1p(most))


def _stepped(ratio: float) -> float:
    return _clipped(log2(max(ratio, 1.0)) / OCTAVES)


TRAITS: Final[Mapping[Feature, Trait]] = {
    Feature.KV_LEVEL: Trait(_clipped, 2.0, max, "KV peak {:.0%}"),
    Feature.KV_RISE: Trait(_clipped, 1.0, max, "KV rise {:.0%} a minute"),
    Feature.QUEUE: Trait(_counted(1000.0), 1.0, max, "queue peak {:.0f}"),
    Feature.QUEUE_GROWTH: Trait(_counted(20.0), 0.5, max, "queue growth {:.2g}/s"),
    Feature.RUNNING_STEP: Trait(_stepped, 0.5, max, "running × {:.2g}"),
    Feature.PREEMPTION: Trait(_counted(20.0), 1.0, max, "preemptions {:.2g}/s"),
    Feature.SWAPPED: Trait(_counted(100.0), 1.0, max, "swapped {:.0f}"),
    Feature.HIT_RATE: Trait(_clipped, 0.5, min, "hit rate down to {:.0%}"),
    Feature.HIT_DROP: Trait(_clipped, 1.0, max, "hit rate fell by {:.0%}"),
    Feature.TTFT_STEP: Trait(_stepped, 1.0, max, "TTFT × {:.2g}"),
    Feature.ITL_STEP: Trait(_stepped, 1.0, max, "ITL × {:.2g}"),
    Feature.GENERATION_DROP: Trait(_stepped, 0.5, max, "generation ÷ {:.2g}"),
    Feature.ARRIVAL_STEP: Trait(_stepped, 1.0, max, "arrivals × {:.2g}"),
    Feature.ACCEPTANCE: Trait(_clipped, 0.5, min, "draft acceptance down to {:.0%}"),
    Feature.PROMPT_STEP: Trait(_stepped, 1.0, max, "prompt tokens × {:.2g}"),
    Feature.KV_EACH_STEP: Trait(_stepped, 1.0, max, "KV a request × {:.2g}"),
    Feature.FINISH_DROP: Trait(_stepped, 0.5, max, "completions ÷ {:.2g}"),
    Feature.DEFERRED: Trait(_counted(100.0), 0.5, max, "deferred {:.0f}"),
    Feature.DOWN_S: Trait(_counted(600.0), 1.5, max, "down for {:.0f} s"),
}
_KNOWN: Final = frozenset(feature.value for feature in Feature)
_EXTREMES: Final = {
    Feature.KV_LEVEL: MeasureId.KV_USAGE,
    Feature.QUEUE: MeasureId.WAITING,
    Feature.QUEUE_GROWTH: MeasureId.QUEUE_SLOPE,
    Feature.PREEMPTION: MeasureId.PREEMPTION_RATE,
    Feature.SWAPPED: MeasureId.SWAPPED,
    Feature.HIT_RATE: MeasureId.PREFIX_HIT_RATE,
    Feature.ACCEPTANCE: MeasureId.SPEC_ACCEPTANCE,
    Feature.DEFERRED: MeasureId.WAITING_DEFERRED,
}
_RATIOS: Final = {
    Feature.RUNNING_STEP: MeasureId.RUNNING,
    Feature.TTFT_STEP: MeasureId.TTFT_P95,
    Feature.ITL_STEP: MeasureId.ITL_P95,
    Feature.ARRIVAL_STEP: MeasureId.ARRIVAL_RATE,
    Feature.PROMPT_STEP: MeasureId.PROMPT_COMPUTED_RATE,
}
_DROPS: Final = {
    Feature.GENERATION_DROP: MeasureId.GENERATION_RATE,
    Feature.FINISH_DROP: MeasureId.FINISH_RATE,
}


@dataclass(frozen=True, slots=True)
class Shape:
    """Numbers by `Feature` in their own units, and what kind of trouble it was."""

    numbers: Mapping[str, float] = field(default_factory=dict)
    kinds: tuple[str, ...] = ()
    """Anomalies seen in it, in alphabetical order."""
    cause: str = ""
    also: tuple[str, ...] = ()
    """Other causes that were weighed, best first."""
    engine: str = ""
    family: str = ""
    """The model's profile, else its served name."""


def calmed(calm: Mapping[str, float], measures: Mapping[str, Measure]) -> dict[str, float]:
    """The calm level of each measure after one more poll without any anomaly."""
    levels = dict(calm)
    for name, measure in measures.items():
        if measure.value is not None:
            known = levels.get(name, measure.value)
            levels[name] = known + CALM_SHARE * (measure.value - known)
    return levels


def looked(so_far: Shape, frame: EndpointFrame, calm: Mapping[str, float]) -> Shape:
    """The shape of the frame's open incident, one frame on."""
    incident = frame.incident
    now = Shape(
        numbers=_numbers(frame, calm),
        kinds=incident.anomalies if incident is not None else (),
        cause=frame.diagnosis.cause if frame.diagnosis is not None else "",
        also=tuple(s.cause for s in frame.diagnosis.ranked[1:]) if frame.diagnosis is not None else (),
        engine=frame.engine.value if frame.engine is not Engine.UNKNOWN else "",
        family=family(frame.models),
    )
    return joined(so_far, now)


def joined(earlier: Shape, later: Shape) -> Shape:
    """One shape of two looks at the same incident: every number at its worst, the later word on what it is."""
    numbers = dict(earlier.numbers)
    for name, value in later.numbers.items():
        worse = TRAITS[Feature(name)].worse if name in _KNOWN else max
        numbers[name] = worse(value, numbers.get(name, value))
    return Shape(
        numbers=numbers,
        kinds=tuple(sorted({*earlier.kinds, *later.kinds})),
        cause=later.cause or earlier.cause,
        also=later.also if later.cause else earlier.also,
        engine=later.engine or earlier.engine,
        family=later.family or earlier.family,
    )


def family(models: tuple[str, ...]) -> str:
    """What models of one kind have in common: their profile's name, else the first one's own."""
    known = profile(models)
    return known.name if known is not None else (models[0] if models else "")


def _numbers(frame: EndpointFrame, calm: Mapping[str, float]) -> dict[str, float]:
    now = {name: m.value for name, m in frame.measures.items() if m.value is not None}
    found: dict[str, float] = {f.value: now[m] for f, m in _EXTREMES.items() if m in now}
    for feature, measure in _RATIOS.items():
        if measure in now and calm.get(measure, 0.0) > 0.0:
            found[feature.value] = now[measure] / calm[measure]
    if MeasureId.PREFIX_HIT_RATE in now and MeasureId.PREFIX_HIT_RATE in calm:
        found[Feature.HIT_DROP.value] = calm[MeasureId.PREFIX_HIT_RATE] - now[MeasureId.PREFIX_HIT_RATE]
    for feature, measure in _DROPS.items():
        made, normal = now.get(measure), calm.get(measure, 0.0)
        if made is not None and normal > 0.0:
            found[feature.value] = normal / max(made, normal / 2**OCTAVES)
    each, calm_each = _each(now), _each(calm)
    if each is not None and calm_each:
        found[Feature.KV_EACH_STEP.value] = each / calm_each
    found[Feature.DOWN_S.value] = frame.failed_polls * frame.interval_s
    rise = _rise(frame.trends.get(MeasureId.KV_USAGE))
    if rise is not None:
        found[Feature.KV_RISE.value] = rise
    return found


def _each(numbers: Mapping[str, float]) -> float | None:
    """KV usage of one running request."""
    usage, running = numbers.get(MeasureId.KV_USAGE), numbers.get(MeasureId.RUNNING, 0.0)
    return usage / running if usage is not None and running >= 1.0 else None


def _rise(trend: Trend | None) -> float | None:
    """How far the measure rose over the last minute."""
    if trend is None:
        return None
    recent = [v for v in trend.values[-max(2, round(RISE_S / trend.step_s)) :] if v is not None]
    return recent[-1] - recent[0] if len(recent) >= 2 else None
