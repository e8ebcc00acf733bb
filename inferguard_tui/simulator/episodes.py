"""Ground truth of an incident, measured on the engine itself: when trouble began and when it was over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_tui.simulator.scenario import Episode

SETTLED_S = 5.0
"""Trouble is over when it has not come back for this long."""
PREEMPTION = "preemption"
PREEMPTIONS_THAT_MATTER = 10
"""Fewer in an episode need not be raised: SGLang overloads with hardly a retraction."""


@dataclass(slots=True)
class _Measured:
    declared: Episode
    onset: float | None = None
    troubled_at: float = 0.0
    """The last trouble seen."""
    preemptions: int = 0
    over: bool = False

    @property
    def end(self) -> float:
        return max(self.troubled_at, self.declared.cause_ends)

    def observe(self, now: float, preempted: int, trouble: bool) -> None:
        declared = self.declared
        if self.over or now < declared.onset:
            return
        if self.onset is None and (trouble or not declared.when_measured):
            self.onset = now if declared.when_measured else declared.onset
        if now >= 0.0:
            self.preemptions += preempted
        if trouble:
            self.troubled_at = now
        self.over = now - self.end >= SETTLED_S

    def labels(self, onset: float, now: float) -> dict[str, Any]:
        declared = self.declared
        few = self.preemptions < PREEMPTIONS_THAT_MATTER
        optional = {kind for group in declared.kinds for kind in group if few and kind == PREEMPTION}
        kinds = [[kind for kind in group if kind not in optional] for group in declared.kinds]
        return {
            "onset": round(max(onset, 0.0), 3),
            "end": round(self.end if self.over else now, 3),
            "kinds": [group for group in kinds if group],
            "cause": list(declared.cause),
            "actions": list(declared.actions),
            "also": [*declared.also, *sorted(optional)],
        }


class EpisodeClock:
    """Turns declared episodes into labels as the run goes on."""

    def __init__(self, episodes: Sequence[Episode]) -> None:
        self._episodes = [_Measured(episode) for episode in episodes]

    def observe(self, now: float, *, preempted: int, trouble: bool) -> None:
        """`trouble`: the server is down or frozen, a request lost its place or has queued too long."""
        for episode in self._episodes:
            episode.observe(now, preempted, trouble)

    def labels(self, now: float) -> list[dict[str, Any]]:
        """Episodes that have begun; one that goes on ends at `now`."""
        return [
            measured.labels(measured.onset, now) for measured in self._episodes if measured.onset is not None
        ]
