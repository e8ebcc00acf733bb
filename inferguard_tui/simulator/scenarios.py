"""Every scenario by name. A new one is a value in one of the modules named here; nothing else needs to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.simulator.admission_scenarios import ADMISSION_SCENARIOS
from inferguard_tui.simulator.cache_scenarios import CACHE_SCENARIOS
from inferguard_tui.simulator.client_scenarios import CLIENT_SCENARIOS
from inferguard_tui.simulator.demo_scenarios import DEMO_SCENARIOS
from inferguard_tui.simulator.healthy_scenarios import HEALTHY_SCENARIOS
from inferguard_tui.simulator.process_scenarios import PROCESS_SCENARIOS

if TYPE_CHECKING:
    from inferguard_tui.simulator.scenario import Scenario

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        *DEMO_SCENARIOS,
        *ADMISSION_SCENARIOS,
        *CACHE_SCENARIOS,
        *PROCESS_SCENARIOS,
        *CLIENT_SCENARIOS,
        *HEALTHY_SCENARIOS,
    )
}
"""Every scenario that can be named on the command line."""
