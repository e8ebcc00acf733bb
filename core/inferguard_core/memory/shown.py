"""Whether a proposed fix was really applied, as far as the engine itself shows: its running configuration.

A flag counts when its exposed value was another one at the time of the proposal and is the proposed one now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.memory.case import Applied, Known
from inferguard_core.remediation.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from inferguard_core.reading import Engine
    from inferguard_core.verdict import Fix
    from inferguard_core.watch import EndpointWatch


def running(watch: EndpointWatch) -> Mapping[str, str]:
    """The configuration that the endpoint exposes now, by label or server argument."""
    info = watch.seen.reading.info if watch.seen is not None else {}
    return {**info, **watch.facts.config}


def applied(
    fix: Fix, engine: Engine, config: Mapping[str, str], known: Sequence[Applied], unix: float
) -> tuple[Applied, ...]:
    """The changes of `fix` that the configuration shows now and that are not known yet."""
    table = TABLES.get(engine)
    if table is None:
        return ()
    told = {one.what.split(maxsplit=1)[0] for one in known}
    found = []
    for change in fix.changes:
        flag = table.flags.get(change.flag)
        value = config.get(flag.exposed) if flag is not None and flag.exposed else None
        if value is None or change.current is None or change.flag in told:
            continue
        if _same(value, change.proposed) and not _same(value, change.current):
            found.append(Applied(f"{change.flag} {change.proposed}", Known.SHOWN, "its configuration", unix))
    return tuple(found)


def _same(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return one.strip().lower() == other.strip().lower()
