"""Open the terminal UI on a simulated engine: a real scheduler over a real KV pool, on this machine only."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from inferguard_core.actuation.policy import LIVE
from inferguard_core.monitor import Listener
from inferguard_core.poll import ProofLevel
from inferguard_core.secret import SecretStr
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.verdict import ActionType
from inferguard_tui.acting import Unattended
from inferguard_tui.cli.arguments import add_config, add_interval, complain, settings_begun
from inferguard_tui.cli.exits import UNKNOWN
from inferguard_tui.cli.yes_live import add_yes_live
from inferguard_tui.session import LiveFeed, addresses

if TYPE_CHECKING:
    import argparse

    from inferguard_core.monitor import Monitor
    from inferguard_core.settings import Settings
    from inferguard_tui.simulator.launch import Launched

INTERVAL_S = 1.0
MAX_ENDPOINTS = 200
HEADLESS_S = 240.0
"""Long enough for self_repair: trouble, the span before, the action, the span after."""


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
    parser.add_argument("--headless", action="store_true", help="print what happens instead of showing it")
    parser.add_argument("--json", action="store_true", help="with --headless: JSON lines on stdout")
    parser.add_argument(
        "--duration", type=float, metavar="S", help=f"with --headless: seconds (default {HEADLESS_S:g})"
    )
    add_yes_live(parser)
    add_interval(parser, f"{INTERVAL_S:g}")
    add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    from inferguard_tui.cli.screen import load_screen
    from inferguard_tui.simulator.launch import LaunchError, launched

    if problem := _problem(arguments):
        complain(problem)
        return UNKNOWN
    if _no_screen(arguments):
        return UNKNOWN
    begun = settings_begun(arguments)
    if not arguments.headless:
        load_screen()
    settings = begun()
    if settings is None:
        return UNKNOWN
    secret = secrets.token_hex(16)
    try:
        # In a fleet every third engine is in trouble: worst first is worth showing.
        dealt = arguments.scenario if arguments.endpoints == 1 else f"{arguments.scenario},healthy,healthy"
        with launched(
            dealt, arguments.engine, arguments.endpoints, arguments.seed, secret=secret
        ) as simulated:
            return _show(simulated, _acting_here(settings, simulated, secret), arguments)
    except LaunchError as error:
        complain(str(error))
        return UNKNOWN


def _problem(arguments: argparse.Namespace) -> str:
    from inferguard_tui.simulator.scenarios import SCENARIOS

    if arguments.scenario not in SCENARIOS:
        return f"--scenario {arguments.scenario}: no such scenario; there are {', '.join(sorted(SCENARIOS))}"
    if not 1 <= arguments.endpoints <= MAX_ENDPOINTS:
        return f"--endpoints {arguments.endpoints}: allowed is 1 to {MAX_ENDPOINTS}"
    if arguments.duration is not None and not arguments.duration > 0:
        return f"--duration {arguments.duration:g}: allowed is more than 0 seconds"
    if arguments.yes_live and not arguments.headless:
        return "--yes-live is for --headless; on the screen a person confirms"
    return ""


def _no_screen(arguments: argparse.Namespace) -> bool:
    from inferguard_tui.cli.screen import refusal

    return not arguments.headless and refusal()


def _acting_here(settings: Settings, simulated: Launched, secret: str) -> Settings:
    """Actions go to the simulation and nowhere else, whatever webhook is set; effects are graded sooner."""
    allowed = tuple(action.value for action in ActionType if action is not ActionType.RECOMMEND_COMPACTION)
    acting = replace(
        settings.actuation,
        mode=LIVE,  # type: ignore[arg-type] # a plain string there
        endpoint=simulated.control,
        secret=SecretStr(secret),
        allowlist=allowed,  # type: ignore[arg-type]
        max_per_hour=60,
    )
    sooner = {"verify_delay": 30.0, "quiet_window": 40.0, "cooldown_seconds": 60.0}
    unset = {name: s for name, s in sooner.items() if settings.origin(f"actuation.{name}") == "default"}
    return replace(settings, actuation=replace(acting, **unset))  # type: ignore[arg-type]


def _show(simulated: Launched, settings: Settings, arguments: argparse.Namespace) -> int:
    endpoints = addresses(simulated)
    assert not isinstance(endpoints, BadInput)
    if not arguments.headless:
        from inferguard_tui.cli.screen import show

        return show(
            LiveFeed(endpoints, settings, interval_s=INTERVAL_S, proof=ProofLevel.SIMULATED), settings
        )
    from inferguard_tui.cli.watch import Printer, concluded

    printer = Printer(as_json=arguments.json)
    feed = LiveFeed(
        endpoints,
        settings,
        interval_s=INTERVAL_S,
        proof=ProofLevel.SIMULATED,
        listener=Listener(on_event=printer.print),
        unattended=Unattended(rehearse=True, yes_live=frozenset(arguments.yes_live)),
    )
    seconds = arguments.duration or HEADLESS_S
    complain(f"{arguments.scenario} for {seconds:g} s; Ctrl-C ends")
    return concluded(asyncio.run(_followed(feed, seconds)), printer)


async def _followed(feed: LiveFeed, seconds: float) -> Monitor | BadInput:
    monitor = await feed.start()
    if isinstance(monitor, BadInput):
        return monitor
    try:
        await asyncio.sleep(seconds)
    finally:
        await feed.close()
    return monitor
