"""Ground truth of an incident, measured on the engine itself: when trouble began, ended, and what it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inferguard_tui.simulator.harm import Stretch, harmed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_tui.simulator.ledger import Ledger
    from inferguard_tui.simulator.scenario import Episode

SETTLED_S = 5.0
"""Trouble is over when it has not come back for this long."""


@dataclass(slots=True)
class _Measured:
    declared: Episode
    onset: float | None = None
    troubled_at: float = 0.0
    """The last trouble seen."""
    over: bool = False

    @property
    def end(self) -> float:
        return max(self.troubled_at, self.declared.cause_ends)

    def observe(self, now: float, trouble: bool) -> None:
        declared = self.declared
        if self.over or now < declared.onset:
            return
        if self.onset is None and (trouble or not declared.when_measured):
            self.onset = now if declared.when_measured else declared.onset
        if trouble:
            self.troubled_at = now
        self.over = now - self.end >= SETTLED_S

    def labels(self, onset: float, now: float, ledger: Ledger) -> dict[str, Any]:
        """`kinds` holds what the run gives a right to demand; a group without any such kind falls away."""
        declared = self.declared
        end = self.end if self.over else now
        stretch = Stretch.of(ledger, max(onset, 0.0), end)
        kinds = [[kind for kind in group if harmed(kind, stretch)] for group in declared.kinds]
        demanded = {kind for group in kinds for kind in group}
        spared = {kind for group in declared.kinds for kind in group} - demanded
        told: dict[str, Any] = {
            "onset": round(max(onset, 0.0), 3),
            "end": round(end, 3),
            "kinds": [group for group in kinds if group],
            "also": sorted({*declared.also, *spared}),
        }
        if declared.cause:
            told["cause"] = list(declared.cause)
        if declared.actions:
            told["actions"] = list(declared.actions)
        return told


class EpisodeClock:
    """Turns declared episodes into labels as the run goes on."""

    def __init__(self, episodes: Sequence[Episode]) -> None:
        self._episodes = [_Measured(episode) for episode in episodes]

    def observe(self, now: float, *, trouble: bool) -> None:
        """`trouble`: the server is down or frozen, a request lost its place or has queued too long."""
        for episode in self._episodes:
            episode.observe(now, trouble)

    def labels(self, now: float, ledger: Ledger) -> list[dict[str, Any]]:
        """Episodes that have begun; one that goes on ends at `now`. Those that did no harm demand nothing."""
        return [
            measured.labels(measured.onset, now, ledger)
            for measured in self._episodes
            if measured.onset is not None
        ]
