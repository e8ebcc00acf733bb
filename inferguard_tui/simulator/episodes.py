"""Ground truth of an incident, measured on the engine itself: when trouble began and when it was over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inferguard_tui.simulator.scenario import Episode


@dataclass(slots=True)
class _Measured:
    declared: Episode
    onset: float | None = None
    end: float | None = None

    def observe(self, now: float, preempted: bool, calm: bool) -> None:
        declared = self.declared
        if self.onset is None and now >= declared.onset and (preempted or not declared.when_measured):
            self.onset = declared.onset if not declared.when_measured else now
        if self.onset is not None and self.end is None and now >= declared.cause_ends and calm:
            self.end = now


class EpisodeClock:
    """Turns declared episodes into labels as the run goes on."""

    def __init__(self, episodes: Sequence[Episode]) -> None:
        self._episodes = [_Measured(episode) for episode in episodes]

    def observe(self, now: float, *, preempted: bool, calm: bool) -> None:
        """`calm`: the server answers, its loop turns and nothing waits."""
        for episode in self._episodes:
            if episode.end is None:
                episode.observe(now, preempted, calm)

    def labels(self, now: float) -> list[dict[str, Any]]:
        """Episodes that have begun; one that goes on ends at `now`."""
        return [
            {
                "onset": round(measured.onset, 3),
                "end": round(now if measured.end is None else measured.end, 3),
                "kinds": [list(group) for group in measured.declared.kinds],
                "cause": list(measured.declared.cause),
                "actions": list(measured.declared.actions),
                "also": list(measured.declared.also),
            }
            for measured in self._episodes
            if measured.onset is not None
        ]
