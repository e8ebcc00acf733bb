"""The engine at hand as a fix sees it: its version, its flags, their running values and its load."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from inferguard_core.actions.load import Load, measure
from inferguard_core.engines.recognise import oldest_possible
from inferguard_core.engines.table import TABLES as METRICS
from inferguard_core.engines.version import OLDEST, Version, parse_version
from inferguard_core.printable import printable
from inferguard_core.profiles import Profile, profile
from inferguard_core.reading import Engine
from inferguard_core.remediation.tables import TABLES
from inferguard_core.verdict import FlagChange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.remediation.flag import Flag, FlagTable
    from inferguard_core.scene import Scene

_UNSET = frozenset({"", "none", "null"})
_SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True)
class Setup:
    scene: Scene
    table: FlagTable | None
    """None for an engine of unknown make."""
    config: Mapping[str, str] = field(default_factory=dict)
    """Running values by label or server argument."""
    load: Load = field(default_factory=Load)
    model: Profile | None = None
    at_least: Version = OLDEST
    """What the page proves of the version where the engine was not asked for it."""

    @property
    def version(self) -> Version | None:
        return parse_version(self.scene.facts.version)

    @property
    def engine(self) -> Engine:
        return self.table.engine if self.table is not None else Engine.UNKNOWN

    @property
    def generation(self) -> str:
        return self.scene.reading.generation if self.scene.reading is not None else ""

    def has(self, flag: str) -> bool:
        return self._flag(flag) is not None

    def running(self, flag: str) -> str | None:
        """The flag's running value as the engine shows it; None where it shows none."""
        exposed = self.table.flags[flag].exposed if self.table is not None else ""
        return self.argument(exposed) if exposed else None

    def argument(self, name: str) -> str | None:
        value = self.config.get(name)
        return None if value is None or value.lower() in _UNSET else printable(value, _SHOWN_CHARS)

    def number(self, flag: str) -> float | None:
        value = self.running(flag)
        try:
            return float(value) if value is not None else None
        except ValueError:
            return None

    def change(self, flag: str, proposed: float | str) -> tuple[FlagChange, ...]:
        """The change as a tuple of one; empty where this engine lacks the flag, may not take the value, or has it."""
        known = self._flag(flag)
        value = proposed if isinstance(proposed, str) else f"{proposed:.10g}"
        if known is None or not known.allows(value, self.version, self.at_least):
            return ()
        current = self.running(flag)
        if current is not None and (current.lower() == value.lower() or _same_number(current, value)):
            return ()
        return (FlagChange(flag, current, value, known.since or f"at or before {self.table_oldest}"),)

    def _flag(self, name: str) -> Flag | None:
        table = self.table
        return table.get(name, self.version, self.generation, self.at_least) if table is not None else None

    @property
    def table_oldest(self) -> str:
        return self.table.oldest if self.table is not None else ""


def setup(scene: Scene) -> Setup:
    reading = scene.reading
    engine = reading.engine if reading is not None else scene.situation.engine
    config = {**(reading.info if reading is not None else {}), **scene.facts.config}
    known = profile(scene.situation.models)
    return Setup(
        scene,
        TABLES.get(engine),
        config,
        measure(scene, lasting=True),
        known,
        _at_least(engine, scene.situation.spellings),
    )


@lru_cache(maxsize=64)
def _proven(engine: Engine, names: frozenset[str]) -> Version:
    table = METRICS.get(engine)
    families = (table.families[name] for name in names if name in table.families) if table is not None else ()
    return oldest_possible(families, None)


def _at_least(engine: Engine, spellings: Mapping[str, str]) -> Version:
    """The version with which the newest metric on the page came."""
    return _proven(engine, frozenset(spellings.values()))


def _same_number(current: str, proposed: str) -> bool:
    try:
        return float(current) == float(proposed)
    except ValueError:
        return False
