"""What is run: every scenario on its engines, with seeds and loads that are either for tuning or held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from inferguard_tui.simulator.admission_scenarios import ADMISSION_SCENARIOS
from inferguard_tui.simulator.cache_scenarios import CACHE_SCENARIOS
from inferguard_tui.simulator.client_scenarios import CLIENT_SCENARIOS
from inferguard_tui.simulator.healthy_scenarios import HEALTHY_SCENARIOS
from inferguard_tui.simulator.process_scenarios import PROCESS_SCENARIOS
from inferguard_tui.simulator.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_tui.simulator.dialect import Dialect

INTERVALS_S = (1, 2, 5)
"""Each run is watched at all of these at once, on the same pages."""
TROUBLED = tuple(
    scenario.name
    for scenario in (*ADMISSION_SCENARIOS, *CACHE_SCENARIOS, *PROCESS_SCENARIOS, *CLIENT_SCENARIOS)
)
HEALTHY = tuple(scenario.name for scenario in HEALTHY_SCENARIOS)

TUNING, HELD_OUT = "tuning", "held-out"
PLANS = {
    TUNING: ((1, 1.0), (2, 0.85)),
    HELD_OUT: ((501, 1.15), (502, 0.95)),
}
"""Split to its pairs of seed and load. Nobody looks at the held-out ones while tuning a rule."""
HEALTHY_PLANS = {TUNING: ((1, 1.0),), HELD_OUT: ((501, 1.1),)}
QUICK_PLANS = {TUNING: ((1, 1.0),)}
QUICK_SECONDS = 300.0
"""Healthy runs are cut to this when time is short."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run of one simulated engine."""

    scenario: str
    dialect: Dialect
    seed: int
    load: float
    split: str
    seconds: float

    @property
    def name(self) -> str:
        return f"{self.scenario}/{self.dialect.value} seed {self.seed} load {self.load:g}"


def cases(names: Sequence[str] = (), *, quick: bool = False) -> list[Case]:
    """Those of the named scenarios, or of all; the longest first, which keeps two workers busy to the end."""
    found: list[Case] = []
    for index, name in enumerate(names or (*TROUBLED, *HEALTHY)):
        healthy = name in HEALTHY
        plans = QUICK_PLANS if quick else HEALTHY_PLANS if healthy else PLANS
        scenario = SCENARIOS[name]
        seconds = min(scenario.seconds, QUICK_SECONDS) if quick and healthy else scenario.seconds
        # Where time is short each scenario is seen on one engine, and the next one on the other.
        one = (scenario.engines[index % len(scenario.engines)],)
        found += [
            Case(name, dialect, seed, load, split, seconds)
            for split, pairs in plans.items()
            for seed, load in pairs
            for dialect in (one if quick or (healthy and split == TUNING) else scenario.engines)
        ]
    return sorted(found, key=lambda case: -case.seconds)
