"""What is run: every scenario on its engines, with seeds and loads that are either for tuning or held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from inferguard_tui.simulator.admission_scenarios import ADMISSION_SCENARIOS
from inferguard_tui.simulator.cache_scenarios import CACHE_SCENARIOS
from inferguard_tui.simulator.client_scenarios import CLIENT_SCENARIOS
from inferguard_tui.simulator.dialect import Dialect
from inferguard_tui.simulator.healthy_scenarios import HEALTHY_SCENARIOS
from inferguard_tui.simulator.process_scenarios import PROCESS_SCENARIOS
from inferguard_tui.simulator.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERVALS_S = (1, 2, 5)
"""Each run is watched at all of these at once, on the same pages."""
TROUBLED = tuple(
    scenario.name
    for scenario in (*ADMISSION_SCENARIOS, *CACHE_SCENARIOS, *PROCESS_SCENARIOS, *CLIENT_SCENARIOS)
)
HEALTHY = tuple(scenario.name for scenario in HEALTHY_SCENARIOS)

TUNING, HELD_OUT = "tuning", "held-out"
PLANS = {
    TUNING: ((1, 1.0), (2, 0.85), (3, 1.15)),
    HELD_OUT: ((101, 1.0), (102, 0.9), (103, 1.1), (104, 0.8), (105, 1.2)),
}
"""Split to its pairs of seed and load. Nobody looks at the held-out ones while tuning a rule."""
HEALTHY_PLANS = {TUNING: ((1, 1.0),), HELD_OUT: ((101, 1.0), (102, 1.15))}
QUICK_PLANS = {TUNING: ((1, 1.0),), HELD_OUT: ((101, 0.9),)}
QUICK_SECONDS = 600.0
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
    for name in names or (*TROUBLED, *HEALTHY):
        healthy = name in HEALTHY
        plans = QUICK_PLANS if quick else HEALTHY_PLANS if healthy else PLANS
        scenario = SCENARIOS[name]
        seconds = min(scenario.seconds, QUICK_SECONDS) if quick and healthy else scenario.seconds
        dialects: Sequence[Dialect] = scenario.engines
        for split, pairs in plans.items():
            # When time is short an engine is seen in one split, and the next scenario's in the other.
            shown = dialects[:1] if quick and split == TUNING else dialects[-1:] if quick else dialects
            found += [
                Case(name, dialect, seed, load, split, seconds) for seed, load in pairs for dialect in shown
            ]
    return sorted(found, key=lambda case: -case.seconds)
