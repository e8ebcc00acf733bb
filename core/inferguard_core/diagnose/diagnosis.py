"""Why an endpoint is in trouble: every cause weighed by the conditions that are known, the best three told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.diagnose.conditions.table import CONDITIONS
from inferguard_core.diagnose.memory import EpisodeMemory, remember
from inferguard_core.diagnose.movers import movers
from inferguard_core.diagnose.signature import NAMED_FROM, Signature, onset, score
from inferguard_core.diagnose.signatures import SIGNATURES, UNCLEAR
from inferguard_core.engines.capability import obtainable
from inferguard_core.frame import Severity
from inferguard_core.verdict import ActionType, CauseScore, Diagnosis, WrongLever

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.scene import Scene
    from inferguard_core.verdict import Condition, Evidence

TOLD = 3
TOLD_FROM = 0.3
"""Less than a third of what is known speaks for it: not worth a line of reasons, only its score."""
ASKED = 4
"""What to measure next: more would not be done."""
EVIDENCE = 6
SAFE_FROM = 0.8
"""A cause may be acted on by a machine when at most a fifth of what is known of it is missing."""
REVERSIBLE = frozenset({ActionType.THROTTLE_CONCURRENCY})
"""Taken back in seconds, losing nothing. The others restart, drop or reject something."""
NO_SIGNAL = "GPU clocks, throttling and neighbours on the host (nvidia-smi dmon): not in /metrics"


def diagnose(scene: Scene, memory: EpisodeMemory) -> Diagnosis:
    """The ranked causes of the open incident. `memory` may or may not hold this scene already."""
    kept = remember(memory, scene)
    return _told(scene, kept, scored(kept.conditions))


def ranked(conditions: Mapping[str, Condition]) -> tuple[CauseScore, ...]:
    """Causes worth telling, best first; equals go upstream: earliest onset, then the order of the table.

    A consequence comes after every named cause that began no later than it.
    """
    return _ranked(scored(conditions), conditions)


def scored(conditions: Mapping[str, Condition]) -> tuple[CauseScore, ...]:
    """Every cause with its score, in the order of the table."""
    return tuple(score(signature, conditions) for signature in SIGNATURES.values())


def _ranked(scores: tuple[CauseScore, ...], conditions: Mapping[str, Condition]) -> tuple[CauseScore, ...]:
    onsets = {cause: onset(signature, conditions) for cause, signature in SIGNATURES.items()}
    order = {cause: i for i, cause in enumerate(SIGNATURES)}
    found = [s for s in scores if s.confidence >= TOLD_FROM]
    causes = [onsets[s.cause] for s in found if s.confidence >= NAMED_FROM and not _follows(s.cause)]
    first = min(causes, default=None)

    def place(scored: CauseScore) -> tuple[bool, float, float, int]:
        began = onsets[scored.cause]
        later = _follows(scored.cause) and first is not None and first <= began
        return later, -round(scored.confidence, 6), began, order[scored.cause]

    return tuple(sorted(found, key=place))


def _follows(cause: str) -> bool:
    return SIGNATURES[cause].consequence


def also_ran(scores: tuple[CauseScore, ...]) -> tuple[CauseScore, ...]:
    """The best of those that are not worth telling; one with nothing for it was not in the running."""
    low = [s for s in scores if 0.0 < s.confidence < TOLD_FROM]
    return tuple(sorted(low, key=lambda s: -s.confidence)[: TOLD - 1])


def _told(scene: Scene, memory: EpisodeMemory, scores: tuple[CauseScore, ...]) -> Diagnosis:
    causes = _ranked(scores, memory.conditions)
    best = causes[0] if causes else None
    named = SIGNATURES[best.cause] if best is not None and best.confidence >= NAMED_FROM else None
    conditions = memory.conditions
    return Diagnosis(
        incident_id=scene.incident.id,
        cause=named.cause if named is not None else UNCLEAR,
        failure_mode=_failure_mode(named, conditions),
        confidence=best.confidence if best is not None else 0.0,
        ranked=causes[:TOLD],
        source="rules",
        risk_level=risk_level(named, scene.incident.severity),
        actuation_recommendation=actuation(named, best),
        evidence=_evidence(best) if named is not None else (),
        changed_before=movers(memory.prelude),
        wrong_lever=_wrong_lever(named, conditions) if named is not None else None,
        measure_next=_measure_next(scene, named, causes[:TOLD]),
        also_ran=also_ran(scores),
    )


def _failure_mode(named: Signature | None, conditions: Mapping[str, Condition]) -> str:
    """An exhausted pool that throws requests out has a name of its own."""
    if named is None:
        return "unknown"
    storming = conditions.get("preempting")
    if named.failure_mode == "kv_saturation" and storming is not None and storming.holds:
        return "preemption_storm"
    return named.failure_mode


def risk_level(named: Signature | None, severity: Severity) -> str:
    """The rule: unknown without a cause; high when nobody is served or the incident is critical; else by severity."""
    if named is None:
        return "unknown"
    if named.grave or severity >= Severity.CRITICAL:
        return "high"
    return "medium" if severity >= Severity.WARNING else "low"


def actuation(named: Signature | None, best: CauseScore | None) -> str:
    """The rule: do_not_actuate without a cause or an action for it; safe only if that is reversible."""
    if named is None or best is None or not named.actions:
        return "do_not_actuate"
    sure = best.confidence >= SAFE_FROM
    return "safe_to_actuate" if sure and named.actions[0] in REVERSIBLE else "manual_review"


def _evidence(best: CauseScore | None) -> tuple[Evidence, ...]:
    rows = dict.fromkeys(e for c in (best.speaks_for if best is not None else ()) for e in c.evidence)
    return tuple(rows)[:EVIDENCE]


def _wrong_lever(named: Signature, conditions: Mapping[str, Condition]) -> WrongLever | None:
    for lever, condition, because in named.wrong_levers:
        found = conditions.get(condition)
        if found is not None and found.holds:
            return WrongLever(lever, f"{because}: {found.text}", found.evidence)
    return None


def _measure_next(scene: Scene, named: Signature | None, causes: tuple[CauseScore, ...]) -> tuple[str, ...]:
    """What would make unknown conditions known, then what would confirm a cause; all of them while unclear."""
    asked: list[str] = []
    for found in causes if named is None else causes[:1]:
        for name in found.unknown:
            asked.extend(_shown_by(scene, name))
        asked.append(SIGNATURES[found.cause].measure_next)
    if named is None:
        asked.append(NO_SIGNAL)
    return tuple(dict.fromkeys(line for line in asked if line))[:ASKED]


def _shown_by(scene: Scene, condition: str) -> list[str]:
    """For each missing signal behind a condition, the flag or version that would show it."""
    reading = scene.reading
    if reading is None:
        return []
    lines: list[str] = []
    for signal in CONDITIONS[condition].needs:
        if signal not in reading.spellings:
            words = obtainable(signal, reading.engine, scene.facts.version, reading.generation)
            if words:
                lines.append(f"{signal}: {words}")
    return lines
