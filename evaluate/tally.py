"""Adds up scores: precision, recall, delays, causes, actions and false alarms with what the hours can prove."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from evaluate.score import NO_ANSWER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from evaluate.score import EpisodeScore, RunScore

CERTAINTY = 0.95


@dataclass(slots=True)
class Tally:
    """Sums over runs. Ratios are None where there is nothing to divide by."""

    runs: int = 0
    episodes: int = 0
    found: int = 0
    groups: int = 0
    groups_found: int = 0
    false_alarms: int = 0
    duplicates: int = 0
    beside: int = 0
    healthy_s: float = 0.0
    causes: int = 0
    right_at_1: int = 0
    right_at_3: int = 0
    actions: int = 0
    actions_right: int = 0
    delays: list[float] = field(default_factory=list)
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Pairs of the cause that the label names first and the one that was said."""

    def add(self, score: RunScore) -> None:
        self.runs += 1
        self.false_alarms += len(score.false_alarms)
        self.healthy_s += score.healthy_s
        for episode in score.episodes:
            self._add(episode)

    def _add(self, episode: EpisodeScore) -> None:
        self.episodes += 1
        self.found += episode.found
        self.groups += episode.groups
        self.groups_found += episode.groups_found
        self.duplicates += episode.duplicates
        self.beside += len(episode.beside)
        if episode.delay_s is not None:
            self.delays.append(episode.delay_s)
        if episode.cause:
            self.causes += 1
            self.right_at_1 += episode.right_at_1
            self.right_at_3 += episode.right_at_3
            said = episode.said or NO_ANSWER
            # Any accepted answer is right: it stands on the diagonal.
            self.confusion[episode.cause[0], episode.cause[0] if episode.right_at_1 else said] += 1
        if episode.judges_action:
            self.actions += 1
            self.actions_right += episode.action_right

    @property
    def recall(self) -> float | None:
        """Episodes with a fitting alarm, of all."""
        return ratio(self.found, self.episodes)

    @property
    def kind_recall(self) -> float | None:
        """Groups of demanded kinds that were raised, of all."""
        return ratio(self.groups_found, self.groups)

    @property
    def precision(self) -> float | None:
        """Found episodes, of those and the false alarms."""
        return ratio(self.found, self.found + self.false_alarms)

    @property
    def false_per_hour(self) -> float | None:
        return ratio(self.false_alarms, self.healthy_s / 3600.0)

    @property
    def false_per_hour_bound(self) -> float | None:
        """The rate that the hours still allow with 95 % certainty, were alarms a Poisson process."""
        return ratio(poisson_upper(self.false_alarms), self.healthy_s / 3600.0)

    def delay(self, q: float) -> float | None:
        """The smallest delay that a share `q` of the found episodes keeps."""
        if not self.delays:
            return None
        return sorted(self.delays)[max(0, math.ceil(q * len(self.delays)) - 1)]

    def to_json(self) -> dict[str, Any]:
        return {
            "runs": self.runs,
            "episodes": self.episodes,
            "recall": _rounded(self.recall),
            "kind_recall": _rounded(self.kind_recall),
            "precision": _rounded(self.precision),
            "delay_median_s": _rounded(self.delay(0.5)),
            "delay_p90_s": _rounded(self.delay(0.9)),
            "cause_at_1": _rounded(ratio(self.right_at_1, self.causes)),
            "cause_at_3": _rounded(ratio(self.right_at_3, self.causes)),
            "first_action": _rounded(ratio(self.actions_right, self.actions)),
            "false_alarms": self.false_alarms,
            "healthy_hours": _rounded(self.healthy_s / 3600.0),
            "false_per_hour": _rounded(self.false_per_hour),
            "false_per_hour_95": _rounded(self.false_per_hour_bound),
            "duplicates": self.duplicates,
            "beside": self.beside,
        }


def tally(scores: Iterable[RunScore]) -> Tally:
    total = Tally()
    for score in scores:
        total.add(score)
    return total


def ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def poisson_upper(events: int) -> float:
    """The mean at which seeing at most `events` has a chance of only 5 %; 3.0 for none seen."""
    low, high = 0.0, 10.0 + 3.0 * events
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(events, middle) > 1.0 - CERTAINTY else (low, middle)
    return high


def _at_most(events: int, mean: float) -> float:
    """Chance of a Poisson variable to be at most `events`."""
    term = total = math.exp(-mean)
    for k in range(1, events + 1):
        term *= mean / k
        total += term
    return total


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
