"""A target list as text, taken apart: `[{"targets": ["host:port", …], "labels": {…}}, …]`.

An entry that cannot be used is said and left out, and takes no other with it; a text that is no list at all is
refused, so that whoever follows it keeps the last one that was.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inferguard_core.printable import printable
from inferguard_core.sources.address import Address, parse_address
from inferguard_core.sources.bad_input import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEME = "__scheme__"
METRICS_PATH = "__metrics_path__"
NAMES = ("instance", "pod")
"""Labels that name an endpoint for people, where a group has one target."""
MOST = 10_000
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Listing:
    """The endpoints of a list by URL, in order, each with its name for people."""

    endpoints: tuple[tuple[str, Address], ...]
    left_out: tuple[str, ...] = ()
    """What could not be used and why, a line each."""

    @property
    def complaint(self) -> str:
        """The first few of what was left out, in one line."""
        more = len(self.left_out) - _SHOWN
        shown = "; ".join(self.left_out[:_SHOWN])
        return f"{shown}; and {more} more" if more > 0 else shown


def read_listing(text: str, where: str) -> Listing | BadInput:
    """The list in `text`; `where` is the file or host it came from."""
    try:
        groups = json.loads(text)
    except (ValueError, RecursionError) as error:
        return BadInput(f"{where}: not JSON: {printable(str(error), 80)}")
    if not isinstance(groups, list):
        return BadInput(f'{where}: not a list of {{"targets": […], "labels": {{…}}}}')
    found: dict[str, tuple[str, Address]] = {}
    wrong: list[str] = []
    for target, labels, alone in _targets(groups, wrong):
        address = _address(target, labels)
        if isinstance(address, BadInput):
            wrong.append(address.message)
        elif len(found) < MOST:
            name = next((labels[n] for n in NAMES if alone and labels.get(n)), address.name)
            found.setdefault(address.url, (printable(name, 60), address))
    return Listing(tuple(found.values()), tuple(wrong))


def _targets(groups: list[Any], wrong: list[str]) -> Iterator[tuple[str, dict[str, str], bool]]:
    """Each target with its labels, and whether it is the only one of its group."""
    for number, group in enumerate(groups, 1):
        match group:
            case {"targets": list(targets)}:
                given = group.get("labels")
                labels = (
                    {k: v for k, v in given.items() if isinstance(v, str)} if isinstance(given, dict) else {}
                )
                for target in targets:
                    if isinstance(target, str):
                        yield target, labels, len(targets) == 1
                    else:
                        wrong.append(f"group {number}: a target is no text")
            case _:
                wrong.append(f"group {number}: has no list of targets")


def _address(target: str, labels: dict[str, str]) -> Address | BadInput:
    """A target as Prometheus would scrape it."""
    scheme = labels.get(SCHEME, "http")
    path = labels.get(METRICS_PATH, "/metrics")
    address = parse_address(target if "://" in target else f"{scheme}://{target}{path}")
    if isinstance(address, BadInput):
        return address
    if address.selector is not None:
        return BadInput(f"{address.name}: a metrics server cannot stand on a target list")
    if not path.endswith("/metrics"):
        return BadInput(f"{address.name}: {METRICS_PATH} {printable(path, 60)} does not end in /metrics")
    return address
