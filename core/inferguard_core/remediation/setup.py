"""The engine at hand as a fix sees it: its version, its flags, their running values and its load."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inferguard_core.actions.load import Load, measure
from inferguard_core.engines.version import parse_version
from inferguard_core.printable import printable
from inferguard_core.profiles import Profile, profile
from inferguard_core.reading import Engine
from inferguard_core.remediation.tables import TABLES
from inferguard_core.verdict import FlagChange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.remediation.flag import FlagTable
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

    @property
    def engine(self) -> Engine:
        return self.table.engine if self.table is not None else Engine.UNKNOWN

    @property
    def generation(self) -> str:
        return self.scene.reading.generation if self.scene.reading is not None else ""

    def has(self, flag: str) -> bool:
        version = parse_version(self.scene.facts.version)
        return self.table is not None and self.table.get(flag, version, self.generation) is not None

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
        version = parse_version(self.scene.facts.version)
        known = self.table.get(flag, version, self.generation) if self.table is not None else None
        value = proposed if isinstance(proposed, str) else f"{proposed:.10g}"
        if known is None or not known.allows(value, version):
            return ()
        current = self.running(flag)
        if current is not None and (current.lower() == value.lower() or _same_number(current, value)):
            return ()
        return (FlagChange(flag, current, value, known.since or f"at or before {self.table_oldest}"),)

    @property
    def table_oldest(self) -> str:
        return self.table.oldest if self.table is not None else ""


def setup(scene: Scene) -> Setup:
    reading = scene.reading
    engine = reading.engine if reading is not None else scene.situation.engine
    config = {**(reading.info if reading is not None else {}), **scene.facts.config}
    return Setup(scene, TABLES.get(engine), config, measure(scene), profile(scene.situation.models))


def _same_number(current: str, proposed: str) -> bool:
    try:
        return float(current) == float(proposed)
    except ValueError:
        return False
