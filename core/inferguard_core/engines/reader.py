"""Reads pages into Readings, whatever engine and version answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from inferguard_core.engines.compiling import compile_plan
from inferguard_core.engines.plan import Plan
from inferguard_core.engines.recognise import stranger, table_of
from inferguard_core.engines.table import is_known
from inferguard_core.engines.version import parse_version
from inferguard_core.exposition import ExpositionReader, Page, Series
from inferguard_core.reading import Engine, Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

PLANS: Final = 64
"""Kept at most, the ones used last. A page changes its shape when a label set appears for the first time."""

_Shape = tuple[str | None, tuple[Series, ...], tuple[tuple[str, str], ...]]
"""Version, series and TYPE lines of a page: pages alike in these are read by the same plan."""


class EngineReader:
    """Reads the pages of one endpoint, or of many that are alike. Keeps what their labels mean, and no numbers."""

    def __init__(self) -> None:
        self._exposition = ExpositionReader(is_known)
        self._plans: dict[_Shape, Plan] = {}

    def read(self, body: str, version: str | None = None) -> Reading:
        """What the page says. Raises nothing, whatever the text.

        Args:
            body: The page, decoded.
            version: The engine's version by /version or /server_info, where it is known. Without it the
                newest family on the page stands in for it.
        """
        page = self._exposition.read(body)
        plan = self._plan(page, version)
        return plan.read([value for _, value in page.samples], page.bad_lines)

    def _plan(self, page: Page, version: str | None) -> Plan:
        series = tuple(s for s, _ in page.samples)
        # Series are interned, so hashing and comparing them looks at identities only.
        shape = (version, series, tuple(page.types.items()))
        plan = self._plans.pop(shape, None)
        if plan is None:
            plan = _understand(page, series, version)
            if len(self._plans) >= PLANS:
                del self._plans[next(iter(self._plans))]
        self._plans[shape] = plan
        return plan


def _understand(page: Page, series: Sequence[Series], version: str | None) -> Plan:
    names = dict.fromkeys((*page.types, *(s.name for s in series)))
    table = table_of(names)
    if table is None:
        return Plan(Engine.UNKNOWN, doubts=(stranger(names),))
    return compile_plan(table, series, page.types, parse_version(version))
