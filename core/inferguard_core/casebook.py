"""The case of one endpoint's incident: why, what to do, what it has cost, kept up to date with each poll.

It joins diagnosis, advice, fix and impact, and gives them calm: a cause that takes the lead is believed when it
has led for a while, and only a believed cause is advised upon. It judges nothing itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from inferguard_core.actions import ActionHistory, advise
from inferguard_core.actions.experience import experienced
from inferguard_core.diagnose import UNCLEAR, EpisodeMemory, diagnose, remember
from inferguard_core.diagnose.causes_load import LOAD
from inferguard_core.events import ActionEvent, AnomalyEvent, DiagnosisEvent
from inferguard_core.frame import AnomalyState, MeasureId
from inferguard_core.impact import ImpactStart, impact
from inferguard_core.remediation import fix, steady
from inferguard_core.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from inferguard_core.events import Event
    from inferguard_core.scene import Scene
    from inferguard_core.verdict import Advisory, Diagnosis, Fix, Impact

CERTAIN = frozenset({"engine_down", "engine_stalled", "engine_restarted"})
"""Causes that are seen rather than inferred: believed at once."""
LOADS = frozenset(signature.cause for signature in LOAD)
AGAIN_S = 3.0
"""While nothing changes state, a case is thought over this often: a person reads no faster."""
OPEN_S = 30.0
"""For this long after something got worse any cause may take the lead. Later, while trouble eases, only one that
explains more than the believed one ever did: what ends an overload says little of what began it."""
MARGIN = 0.1
"""And then one that explains this much more than the believed one does now, or as much as that ever did: less is
a condition that flickers at its limit."""
DRAIN_S = 30.0
DRAINED = 0.9
EMPTIED = 0.25
"""A queue all but gone, against its peak, is being worked off whatever its slope of the last half minute."""
RETOLD = 0.1
"""A confidence that moved by less is not told again."""


class Casebook:
    """One endpoint's cases, one at a time. `update` with each poll while an incident is open."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self.diagnosis: Diagnosis | None = None
        self.advisories: tuple[Advisory, ...] = ()
        self.fix: Fix | None = None
        self._made: Fix | None = None
        """The same, without what earlier incidents say of it."""
        self.impact: Impact | None = None
        self.history = ActionHistory()
        """How actions have fared in earlier incidents; whoever remembers them puts it here."""
        self._incident_id: str | None = None
        self._memory = EpisodeMemory()
        self._start: ImpactStart | None = None
        self._leading: str | None = None
        self._leading_since = self._thought_t = self._worse_t = 0.0
        self._best = 0.0
        self._at_onset: Mapping[str, float] = {}

    def update(self, scene: Scene, t: float, changes: Sequence[Event]) -> tuple[Event, ...]:
        """Take one judged poll, made at `t`, and what changed with it; what is newly concluded."""
        if any(isinstance(c, AnomalyEvent) and c.anomaly.state is AnomalyState.FIRING for c in changes):
            self._worse_t = t
        if scene.incident.id != self._incident_id:
            self._open(scene)
        elif not changes and t - self._thought_t < AGAIN_S:
            return ()
        self._thought_t = t
        scene = replace(scene, at_onset=self._at_onset)
        self._memory = remember(self._memory, scene)
        self._count_cost(scene)
        concluded = diagnose(scene, self._memory)
        if not self._believed(concluded, t, scene):
            return ()
        events: list[Event] = []
        if self.diagnosis is None or _is_news(self.diagnosis, concluded):
            events.append(DiagnosisEvent(t, self._endpoint, concluded))
        same = self.diagnosis is not None and self.diagnosis.cause == concluded.cause
        self._best = max(self._best, concluded.confidence) if same else concluded.confidence
        self.diagnosis = concluded
        known = {a.id for a in self.advisories}
        self.advisories = advise(scene, concluded, self.advisories, self.history)
        if self.fix is None or not same or not _eased(scene):
            # A size measured while the load recedes fits what is left of it.
            self._made = steady(self._made if same else None, fix(scene, concluded))
            self.fix = experienced(self._made, self.history)
        events += [ActionEvent(t, self._endpoint, a) for a in self.advisories if a.id not in known]
        return tuple(events)

    def _open(self, scene: Scene) -> None:
        self._incident_id = scene.incident.id
        self.diagnosis, self.advisories, self.fix, self.impact = None, (), None, None
        self._made = None
        self._leading = None
        self._at_onset = {} if scene.reading is None else dict(scene.reading.values)
        self._start = None

    def _count_cost(self, scene: Scene) -> None:
        if self._start is None and scene.window is not None:
            self._start = ImpactStart.at(scene.window, scene.incident.onset_unix)
        self.impact = impact(scene, self._start, self.impact)

    def _believed(self, concluded: Diagnosis, t: float, scene: Scene) -> bool:
        """Whether the leading cause has led long enough; the one believed so far stays until then."""
        if concluded.cause != self._leading:
            self._leading, self._leading_since = concluded.cause, t
        if concluded.cause in CERTAIN:
            return True
        if self.diagnosis is not None:
            if self.diagnosis.cause == concluded.cause:
                return True
            if self.diagnosis.cause != UNCLEAR and concluded.cause in LOADS and _draining(scene):
                return False
            if not self._explains_more(concluded, easing=t - self._worse_t > OPEN_S):
                return False
        return t - self._leading_since >= scene.limits.diagnosis_settle

    def _explains_more(self, concluded: Diagnosis, *, easing: bool) -> bool:
        """Whether another cause than the believed one may take the lead; that none is clear now is not another."""
        if concluded.cause == UNCLEAR:
            return False
        if concluded.confidence > self._best or (not easing and concluded.confidence == self._best):
            return True
        believed = self.diagnosis.cause if self.diagnosis is not None else ""
        still = next((s.confidence for s in concluded.ranked if s.cause == believed), 0.0)
        return not easing and concluded.confidence >= still + MARGIN


def _eased(scene: Scene) -> bool:
    return _draining(scene) or all(a.state is not AnomalyState.FIRING for a in scene.anomalies)


def _draining(scene: Scene) -> bool:
    """The queue is past its peak and falls: what works it off looks like a load of its own."""
    window, highest = scene.window, scene.incident.peaks.get(MeasureId.WAITING)
    waiting = None if window is None else window.latest(Signal.WAITING)
    slope = None if window is None else window.slope(Signal.WAITING, DRAIN_S)
    if waiting is None or slope is None or not highest:
        return False
    return waiting < EMPTIED * highest or (slope < 0.0 and waiting < DRAINED * highest)


def _is_news(told: Diagnosis, now: Diagnosis) -> bool:
    return (
        told.incident_id != now.incident_id
        or told.cause != now.cause
        or [s.cause for s in told.ranked] != [s.cause for s in now.ranked]
        or abs(told.confidence - now.confidence) >= RETOLD
    )
