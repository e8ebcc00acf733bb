"""Which endpoints a command is about: those named, those set, else what is found on this host."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from inferguard_core.counted import counted
from inferguard_core.sources.bad_input import BadInput
from inferguard_tui.cli.arguments import complain
from inferguard_tui.session import access, addresses, look_around

if TYPE_CHECKING:
    import argparse

    from inferguard_core.settings import Settings
    from inferguard_core.sources.address import Address
    from inferguard_core.sources.discovery import Discovery


def targets(arguments: argparse.Namespace, settings: Settings) -> tuple[Address, ...] | None:
    """At least one endpoint; None after saying why there is none."""
    named = addresses(arguments.urls or settings.access.endpoints)
    if isinstance(named, BadInput):
        complain(named.message)
        return None
    if named:
        return named
    discovery = asyncio.run(look_around(access(settings)))
    if isinstance(discovery, BadInput):
        complain(discovery.message)
        return None
    return _told(discovery)


def _told(discovery: Discovery) -> tuple[Address, ...] | None:
    """What was found, said on stderr; when nothing was, what was looked at and what to do."""
    for found in discovery.found:
        complain(f"found {found.engine.value} at {found.address.url}")
    if discovery.found:
        return tuple(found.address for found in discovery.found)
    asked = [each for each in discovery.looked if each.asked]
    complain(f"no engine found on this host; asked {counted(len(asked), 'port')} ({discovery.basis})")
    complain(*(f"  port {each.port}: {each.outcome}" for each in asked[:20]))
    complain("give its address (inferguard HOST:PORT), or try: inferguard demo")
    return None
