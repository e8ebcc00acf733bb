"""Whether all is in order: settings, terminal, state directory, endpoints, the parts elsewhere.

Without an address: the engines that are set, else those found on this host.
Exit: 0 in order, 1 works but not as it should, 2 a part that is set up does not work,
3 an endpoint does not answer.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from inferguard_core.settings import Settings, SettingsProblem
from inferguard_core.sources.bad_input import BadInput
from inferguard_tui.cli.arguments import add_access, load_settings
from inferguard_tui.doctor.check import EXIT, Check, State, worst
from inferguard_tui.doctor.local import settings_check, state_directory, terminal, versions
from inferguard_tui.doctor.reach import places, reached

if TYPE_CHECKING:
    import argparse

_MARK = {
    State.OK: "ok",
    State.OFF: "off",
    State.WARNING: "WARNING",
    State.UNKNOWN: "UNKNOWN",
    State.BROKEN: "BROKEN",
}

_NOT_KNOWN = "the settings that say so cannot be used"


def configure(parser: argparse.ArgumentParser) -> None:
    add_access(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    loaded = load_settings(arguments)
    if isinstance(loaded, SettingsProblem):
        # The rest is looked at with the defaults: the person came because something is wrong.
        checks = [Check("settings", "in force", State.UNKNOWN, "cannot be used", loaded.messages)]
        settings, known = Settings(), False
        kept = Check("state", "directory", State.UNKNOWN, f"not looked at: {_NOT_KNOWN}")
    else:
        settings, known, checks = loaded, True, [settings_check(loaded)]
        kept = state_directory(settings)
    checks = [versions(), *checks, terminal(), kept]
    if not arguments.json:
        # What is known without a network does not wait for one.
        _print(checks)
    elsewhere = asyncio.run(_elsewhere(arguments.urls or settings.access.endpoints, settings, known=known))
    checks += elsewhere
    found = worst(checks)
    if arguments.json:
        shown = {
            "schema": "inferguard.doctor/1",
            "worst": found.value,
            "checks": [check.to_json() for check in checks],
        }
        print(json.dumps(shown, ensure_ascii=False))
    else:
        from inferguard_tui.doctor.replicas import told_together

        _print(told_together(elsewhere))
    return EXIT[found]


def _print(checks: list[Check]) -> None:
    print("\n".join(line for check in checks for line in lines(check)), flush=True)


def lines(check: Check) -> list[str]:
    """One line, and what belongs to it set in below."""
    return [
        f"{_MARK[check.state]:<8} {check.part:<9} {check.name}: {check.said}",
        *(f"{'':<8} {'':<9}   {line}" for line in check.more),
    ]


async def _elsewhere(urls: list[str] | tuple[str, ...], settings: Settings, *, known: bool) -> list[Check]:
    if not known:
        unset = [Check("endpoint", "engines", State.UNKNOWN, f"none named, and {_NOT_KNOWN}")]
        unseen = Check("cloud", "parts elsewhere", State.UNKNOWN, f"not looked at: {_NOT_KNOWN}")
        return [*(await _engines(urls, settings) if urls else unset), unseen]
    engines, parts = await asyncio.gather(
        _engines(urls, settings), asyncio.gather(*(reached(place) for place in places(settings)))
    )
    return [*engines, *parts]


async def _engines(urls: list[str] | tuple[str, ...], settings: Settings) -> list[Check]:
    from inferguard_tui.connection import connect
    from inferguard_tui.doctor.endpoints import endpoint_checks
    from inferguard_tui.session import access, addresses, look_around

    how = access(settings)
    named = addresses(urls)
    if isinstance(named, BadInput):
        return [Check("endpoint", "address", State.UNKNOWN, named.message)]
    if not named:
        found = await look_around(how)
        if isinstance(found, BadInput):
            return [Check("endpoint", "access", State.BROKEN, found.message)]
        named = tuple(each.address for each in found.found)
    if not named:
        said = "none named, none set (TARGET_ENDPOINT), none found on this host"
        return [Check("endpoint", "engines", State.WARNING, said)]
    connection = connect(named, how)
    if isinstance(connection, BadInput):
        return [Check("endpoint", "access", State.BROKEN, connection.message)]
    try:
        return await endpoint_checks(connection, named, how, settings.limits)
    finally:
        await connection.close()
