"""Reads the pages of one endpoint into Readings, whatever engine and version answers there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from inferguard_core.engines.compiling import compile_plan
from inferguard_core.engines.plan import Plan
from inferguard_core.engines.recognise import stranger, table_of
from inferguard_core.engines.table import is_known
from inferguard_core.engines.version import parse_version
from inferguard_core.exposition import ExpositionReader, Page, Series
from inferguard_core.reading import Engine, Reading

SHAPES: Final = 2
"""Plans kept. A page changes its shape when a label set appears for the first time, and stays so."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    series: list[Series]
    types: dict[str, str]
    version: str | None
    plan: Plan


class EngineReader:
    """One for each endpoint. Keeps what it understood of the page's labels, and no numbers."""

    def __init__(self) -> None:
        self._exposition = ExpositionReader(is_known)
        self._compiled: list[_Compiled] = []

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
        series = [s for s, _ in page.samples]
        for known in self._compiled:
            # Series are interned, so this compares identities and stops at the first difference.
            if known.series == series and known.version == version and known.types == page.types:
                return known.plan
        plan = _understand(page, series, version)
        self._compiled = [_Compiled(series, page.types, version, plan), *self._compiled[: SHAPES - 1]]
        return plan


def _understand(page: Page, series: list[Series], version: str | None) -> Plan:
    names = dict.fromkeys((*page.types, *(s.name for s in series)))
    table = table_of(names)
    if table is None:
        return Plan(Engine.UNKNOWN, doubts=(stranger(names),))
    return compile_plan(table, series, page.types, parse_version(version))
