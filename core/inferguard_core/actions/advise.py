"""From a diagnosis to advisories: what is advised now, and what became of what was advised before.

Advisories are records: an unchanged one is kept as it is, a changed one gets a successor and only a pointer to
it. Nothing in here acts, and nothing is advised for `unclear`: what to measure next stands in the diagnosis.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from inferguard_core.actions.draft import Case
from inferguard_core.actions.experience import informed
from inferguard_core.actions.load import Load, measure
from inferguard_core.actions.plan import PLANS, TRIGGERS, Step
from inferguard_core.frame import Severity
from inferguard_core.verdict import Advisory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from inferguard_core.actions.draft import Draft
    from inferguard_core.actions.track_record import ActionHistory
    from inferguard_core.scene import Scene
    from inferguard_core.verdict import ActionType, Diagnosis

UNCLEAR: Final = "unclear"
MOVED: Final = 0.2
"""Relative step of a deciding parameter that is new advice: less is the flicker of the gauges behind it."""
MOVED_LEAST: Final = 1.0
"""And at least one request, agent or position; rates below one a second go by the relative step alone."""
SETTLE_S: Final = 60.0
"""A number stands for this long before another takes its place: nobody can follow faster, and no effect shows."""
SUPERSEDED_KEPT: Final = 12


def advise(
    scene: Scene, diagnosis: Diagnosis, earlier: Sequence[Advisory], history: ActionHistory
) -> tuple[Advisory, ...]:
    """All advisories of the scene's incident: those that hold, in the order to try them, then the superseded.

    `earlier` is what the last call returned for this endpoint; advisories of other incidents are left out.
    """
    known = [a for a in earlier if a.incident_id == scene.incident.id]
    load = Load() if diagnosis.cause == UNCLEAR else measure(scene)
    drafted = list(_drafted(Case(scene, diagnosis, diagnosis.cause, load, known, history)))
    if not drafted:
        return tuple(known)
    replaced: dict[str, str] = {}
    current = [_settled(case, draft, known, replaced) for case, draft in drafted]
    rest = [a for a in known if a not in current]
    for old in rest:
        if old.superseded_by is None:
            replaced.setdefault(old.id, current[0].id)
    past = [replace(a, superseded_by=replaced.get(a.id, a.superseded_by)) for a in rest]
    return (*current, *past[-SUPERSEDED_KEPT:])


def _fired(scene: Scene) -> frozenset[str]:
    return frozenset(a.kind for a in scene.anomalies if a.severity > Severity.OK)


def _drafted(case: Case) -> Iterator[tuple[Case, Draft]]:
    """Drafts of the diagnosed cause, then of triggered ones; each action at most once."""
    if case.diagnosis.cause == UNCLEAR:
        return
    seen: set[ActionType] = set()
    steps = [(case.cause, step) for step in PLANS.get(case.cause, ())]
    for cause, step in (*steps, *_triggered(case)):
        own = replace(case, cause=cause)
        if step.action not in seen and (draft := step.propose(own)) is not None:
            seen.add(step.action)
            yield own, informed(own, draft)


def _triggered(case: Case) -> Iterator[tuple[str, Step]]:
    fired = _fired(case.scene)
    ranked = {score.cause for score in case.diagnosis.ranked}
    for trigger in TRIGGERS:
        if trigger.cause in ranked and all(any_of & fired for any_of in trigger.anomalies):
            yield trigger.cause, trigger.step


def _settled(case: Case, draft: Draft, known: Sequence[Advisory], replaced: dict[str, str]) -> Advisory:
    """The standing advisory when it still says the same, else a new one; notes what that replaces."""
    standing = next((a for a in known if a.action_type is draft.action and a.superseded_by is None), None)
    if standing is not None and not _is_news(standing, draft, case.scene.unix):
        return standing
    made = _advisory(
        case, draft, 1 + max((_ordinal(a) for a in known if a.action_type is draft.action), default=0)
    )
    if standing is not None:
        replaced[standing.id] = made.id
    return made


def _is_news(standing: Advisory, draft: Draft, unix: float) -> bool:
    """A decision that was missing and can be made now is news at once, a moved number after it has settled."""
    old, new = standing.parameters, draft.parameters
    if any(name in new and name not in old for name in draft.decides):
        return True
    shared = [(old[name], new[name]) for name in draft.decides if name in old and name in new]
    moved = any(was != now if draft.stepwise else _moved(was, now) for was, now in shared)
    return moved and unix - standing.created_unix >= SETTLE_S


def _moved(old: float | str, new: float | str) -> bool:
    if isinstance(old, str) or isinstance(new, str):
        return old != new
    least = MOVED_LEAST if float(old).is_integer() else 0.0
    return abs(new - old) >= least and abs(new - old) > MOVED * abs(old)


def _ordinal(advisory: Advisory) -> int:
    last = advisory.id.rpartition("/")[2]
    return int(last) if last.isdecimal() else 0


def _advisory(case: Case, draft: Draft, ordinal: int) -> Advisory:
    scene = case.scene
    graded = case.history.graded.get((draft.action, case.cause))
    confidence, calibrated = case.history.confidence(draft.action, case.cause, _score(case))
    return Advisory(
        id=f"{scene.incident.id}/{draft.action.value}/{ordinal}",
        created_unix=scene.unix,
        action_type=draft.action,
        incident_id=scene.incident.id,
        endpoint=scene.endpoint,
        reason=draft.reason,
        confidence=confidence,
        calibrated=calibrated,
        horizon_seconds=_horizon(scene) if draft.urgent else None,
        parameters=dict(draft.parameters),
        evidence=draft.evidence or case.diagnosis.evidence[:3],
        preconditions=draft.preconditions,
        caveats=draft.caveats,
        helped=graded.helped if graded is not None else 0,
        tried=graded.total if graded is not None else 0,
    )


def _score(case: Case) -> float:
    ranked = {score.cause: score.confidence for score in case.diagnosis.ranked}
    return case.diagnosis.confidence if case.cause == case.diagnosis.cause else ranked.get(case.cause, 0.0)


def _horizon(scene: Scene) -> float | None:
    """0 while there is harm; before it, the seconds that a standing forecast gives."""
    if any(a.severity >= Severity.WARNING for a in scene.anomalies):
        return 0.0
    return scene.forecast.seconds if scene.forecast is not None else None
