"""Open the terminal UI on a simulated engine: a real scheduler over a real KV pool, on this machine only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.poll import ProofLevel
from inferguard_core.sources.bad_input import BadInput
from inferguard_tui.cli.arguments import add_config, add_interval, complain, settings_from
from inferguard_tui.cli.exits import UNKNOWN
from inferguard_tui.session import LiveFeed, addresses

if TYPE_CHECKING:
    import argparse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_core.settings import Settings

INTERVAL_S = 1.0
MAX_ENDPOINTS = 200


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scenario", default="incident", metavar="NAME", help="what happens (default incident)"
    )
    parser.add_argument(
        "--engine", choices=("vllm", "sglang"), default="vllm", help="whose metrics it speaks"
    )
    parser.add_argument(
        "--endpoints", type=int, default=1, metavar="N", help=f"how many, 1 to {MAX_ENDPOINTS}"
    )
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same course of events")
    parser.add_argument("--theme", metavar="NAME", help="colours of the screen")
    add_interval(parser, f"{INTERVAL_S:g}")
    add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    from inferguard_tui.cli.screen import refusal
    from inferguard_tui.simulator.launch import LaunchError, launched
    from inferguard_tui.simulator.scenarios import SCENARIOS

    if arguments.scenario not in SCENARIOS:
        complain(
            f"--scenario {arguments.scenario}: no such scenario; there are {', '.join(sorted(SCENARIOS))}"
        )
        return UNKNOWN
    if not 1 <= arguments.endpoints <= MAX_ENDPOINTS:
        complain(f"--endpoints {arguments.endpoints}: allowed is 1 to {MAX_ENDPOINTS}")
        return UNKNOWN
    if refusal():
        return UNKNOWN
    settings = settings_from(arguments)
    if settings is None:
        return UNKNOWN
    try:
        # In a fleet every third engine is in trouble: worst first is worth showing.
        dealt = arguments.scenario if arguments.endpoints == 1 else f"{arguments.scenario},healthy,healthy"
        with launched(dealt, arguments.engine, arguments.endpoints, arguments.seed) as urls:
            return _show(urls, settings)
    except LaunchError as error:
        complain(str(error))
        return UNKNOWN


def _show(urls: Sequence[str], settings: Settings) -> int:
    from inferguard_tui.cli.screen import show

    endpoints = addresses(urls)
    assert not isinstance(endpoints, BadInput)
    return show(LiveFeed(endpoints, settings, interval_s=INTERVAL_S, proof=ProofLevel.SIMULATED), settings)
