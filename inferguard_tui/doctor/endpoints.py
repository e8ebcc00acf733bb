"""Each endpoint: whether it answers, what of its dialect is read, which rules are blind, and whose clock is off."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from inferguard_core.counted import counted
from inferguard_core.engines import Visibility, capabilities
from inferguard_core.sources import explain
from inferguard_core.sources.fetch import build_request
from inferguard_tui.doctor.check import Check, State
from inferguard_tui.scan import scan, scan_fleet

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from inferguard_core.detect.limits import Limits
    from inferguard_core.sources.access import Access
    from inferguard_core.sources.address import Address
    from inferguard_tui.connection import Connection
    from inferguard_tui.scan import Scan

POLLS, APART_S = 2, 0.5
SKEW_S: Final = 5.0
"""A wall clock that is off by more puts incidents at a wrong time beside other logs. Windows use no wall clock."""
_ENGINE = {"vllm": "vLLM", "sglang": "SGLang"}


async def endpoint_checks(
    connection: Connection, addresses: tuple[Address, ...], access: Access, limits: Limits
) -> list[Check]:
    """A card for each endpoint, and for a direct one that answers a clock: behind a server it is the server's."""
    direct = [address for address in addresses if address.selector is None]
    scans, skews, behind = await asyncio.gather(
        scan(connection.sources, POLLS, APART_S, limits),
        asyncio.gather(*(_skew(connection.client, address, access) for address in direct)),
        asyncio.gather(*(scan_fleet(fleet, POLLS, limits) for fleet in connection.fleets)),
    )
    checks: list[Check] = [card(found) for fleet in behind for found in fleet]
    for found, skew in zip(scans, skews, strict=True):
        checks.append(card(found))
        if checks[-1].state is not State.UNKNOWN:
            checks.append(clock(found.frame.name, skew))
    return checks


def card(found: Scan) -> Check:
    """What this engine lets be seen."""
    frame, reading = found.frame, found.reading
    if reading is None or frame.failure is not None:
        said = frame.failure.message if frame.failure is not None else "did not answer"
        return Check("endpoint", frame.name, State.UNKNOWN, said)
    every = capabilities(reading, frame.engine_version)
    read = [c for c in every if c.state in (Visibility.READ, Visibility.RENAMED)]
    hidden = [c for c in every if c.state is Visibility.HIDDEN]
    blind = [
        f"blind: {b.rule}: {b.missing} not exported{f'; {b.remedy}' if b.remedy else ''}" for b in frame.blind
    ]
    doubts = [f"doubtful: {doubt}" for doubt in frame.doubts]
    facts = {
        "engine": frame.engine.value,
        "engine_version": frame.engine_version,
        "models": list(frame.models),
        "proof_level": frame.proof.value,
        "read": {c.signal.value: c.name for c in read},
        "not_read": {
            c.signal.value: {"state": c.state.value, "remedy": c.remedy} for c in every if c not in read
        },
        "blind": [{"rule": b.rule, "missing": b.missing, "remedy": b.remedy} for b in frame.blind],
        "poll_ms": frame.poll_ms,
    }
    return Check(
        "endpoint",
        frame.name,
        State.WARNING if doubts or hidden else State.OK,
        described(facts),
        (*(f"hidden: {c.signal}: {c.remedy}" for c in hidden), *blind, *doubts),
        facts,
    )


def described(facts: Mapping[str, Any]) -> str:
    """One line on what a card knows. `poll_ms` may be the least and the most of several."""
    read, polls = len(facts["read"]), facts["poll_ms"] or 0.0
    least, most = polls if isinstance(polls, tuple) else (polls, polls)
    took = f"{least:.0f}" if f"{least:.0f}" == f"{most:.0f}" else f"{least:.0f} to {most:.0f}"
    return (
        f"{_ENGINE.get(facts['engine'], 'unknown engine')} {facts['engine_version'] or '(version not told)'}, "
        f"{', '.join(facts['models']) or 'model not told'}; "
        f"{read} of {counted(read + len(facts['not_read']), 'signal')} read, "
        f"{counted(len(facts['blind']), 'rule')} blind, {took} ms a poll"
    )


def clock(name: str, skew_s: float | None) -> Check:
    """This host's wall clock against the endpoint's. `skew_s` is theirs less ours, to a second."""
    if skew_s is None:
        return Check("clock", name, State.OK, "the endpoint does not say its time")
    facts = {"skew_s": round(skew_s, 1)}
    if abs(skew_s) <= SKEW_S:
        return Check("clock", name, State.OK, f"agrees to {max(1.0, abs(skew_s)):.0f} s", facts=facts)
    way = "ahead of" if skew_s > 0 else "behind"
    said = f"is {abs(skew_s):.0f} s {way} this host's; set both by NTP, else times of incidents do not match its logs"
    return Check("clock", name, State.WARNING, said, facts=facts)


async def _skew(client: httpx.AsyncClient, address: Address, access: Access) -> float | None:
    """Their clock less ours by the Date header, which has whole seconds; None where there is none."""
    request = build_request(client, address, access, "/metrics")
    try:
        async with asyncio.timeout(access.timeout_s):
            asked = time.time()
            response = await client.send(request, stream=True)
            told = response.headers.get("date", "")
            await response.aclose()
    except explain.TRANSPORT_ERRORS:  # the deadline's TimeoutError is an OSError, and one of them
        return None
    try:
        theirs = parsedate_to_datetime(told)
    except ValueError:
        return None
    # The header was cut to a whole second somewhere between asking and the answer.
    ours = (asked + time.time()) / 2
    return (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)).timestamp() + 0.5 - ours
