"""What has to be remembered within an episode for its cause to be told, as one value.

Overload outlives what set it off, so a condition that was seen goes on counting for a while; the time before the
onset leaves the history; and two crashes are only alike if the first is still known. Only crashes are carried
from one episode to the next.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from inferguard_core.diagnose.conditions.table import CONDITIONS
from inferguard_core.diagnose.look import Look
from inferguard_core.diagnose.prelude import Prelude, peaked, prelude, surrounded
from inferguard_core.diagnose.shapes import Crash, crashes
from inferguard_core.frame import IncidentState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.scene import Scene
    from inferguard_core.verdict import Condition

LASTING_S = 300.0
"""How long a condition counts after it was last seen: a long incident is judged by its last minutes."""


@dataclass(frozen=True, slots=True)
class EpisodeMemory:
    """Empty at first; one per endpoint, passed from poll to poll while an incident is open."""

    incident_id: str = ""
    unix: float = 0.0
    """Of the scene remembered last."""
    prelude: Prelude | None = None
    crashes: tuple[Crash, ...] = ()
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    """As they count now."""
    last_held: Mapping[str, float] = field(default_factory=dict)
    """Condition to the unix time it was last seen to hold."""


def remember(memory: EpisodeMemory, scene: Scene) -> EpisodeMemory:
    """`memory` after this scene; the same scene twice changes nothing.

    A recovering incident is not judged anew: what ended it says nothing of what began it. A reopened one has
    the same cause until something else is seen.
    """
    incident = scene.incident
    same = memory.incident_id == incident.id
    if same and memory.unix == scene.unix:
        return memory
    start = memory if same else EpisodeMemory(incident.id, crashes=memory.crashes)
    kept = replace(start, unix=scene.unix, prelude=_prelude(start, scene), crashes=_crashes(start, scene))
    if kept.conditions and incident.state is IncidentState.RECOVERING:
        return kept
    return _judged(kept, scene)


def _judged(memory: EpisodeMemory, scene: Scene) -> EpisodeMemory:
    onsets = {i: c.onset_unix for i, c in memory.conditions.items() if c.holds and c.onset_unix is not None}
    look = Look(scene, memory.prelude, memory.crashes, onsets)
    last_held = dict(memory.last_held)
    for name, check in CONDITIONS.items():
        found, earlier = check.judge(look), memory.conditions.get(name)
        if found.holds:
            last_held[name] = scene.unix
            if name in onsets and found.onset_unix != onsets[name]:
                found = replace(found, onset_unix=onsets[name])
        elif earlier is not None and earlier.holds and check.lasting:
            found = earlier if scene.unix - last_held[name] <= LASTING_S else found
        look.known[name] = found
    return replace(memory, conditions=look.known, last_held=last_held)


def _prelude(memory: EpisodeMemory, scene: Scene) -> Prelude | None:
    window, engine = scene.window, scene.situation.engine
    if window is None:
        return memory.prelude
    if memory.prelude is None:
        return prelude(window, engine, scene.incident.onset_unix)
    return peaked(surrounded(memory.prelude, window, engine), window, engine)


def _crashes(memory: EpisodeMemory, scene: Scene) -> tuple[Crash, ...]:
    if scene.window is None:
        return memory.crashes
    silent = scene.situation.failed_polls > 0
    down = silent and any(a.kind == "endpoint_down" for a in scene.anomalies)
    return crashes(scene.window, memory.crashes, down=down)
