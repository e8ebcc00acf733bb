"""The shape of a flag table: which flags an engine has, from when to when, and what may be given to them.

Data only; whoever proposes a flag goes through a table, so that one that does not exist cannot be proposed.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from inferguard_core.engines.version import OLDEST, Version, parse_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inferguard_core.reading import Engine

LEAVE_OUT = "leave out"
"""A proposed value: start the engine without the flag."""


class Choice(NamedTuple):
    value: str
    since: str = ""


@dataclass(frozen=True, slots=True)
class Flag:
    name: str
    """As typed, with its dashes."""
    default: str
    helps: str
    since: str = ""
    """First examined version that has it; empty: the oldest one examined has it already."""
    removed: str = ""
    """First version without it; empty: the newest one examined still has it."""
    generation: str = ""
    """`V0` or `V1` of vLLM where only that engine heeds it; empty for both."""
    low: float | None = None
    high: float | None = None
    whole: bool = True
    """A number must be whole."""
    choices: tuple[Choice, ...] = ()
    switch: bool = False
    """Takes no value."""
    json: bool = False
    """Takes a JSON object."""
    exposed: str = ""
    """Label of the engine's info metrics, or name of its server argument, that carries the running value."""

    def exists(self, version: Version | None, at_least: Version = OLDEST) -> bool:
        """Whether an engine of this version has it; of an unknown version: whether every one since `at_least` does."""
        if version is None:
            return not self.removed and (parse_version(self.since) or OLDEST) <= at_least
        gone = parse_version(self.removed)
        return (parse_version(self.since) or OLDEST) <= version and (gone is None or version < gone)

    def allows(self, value: str, version: Version | None, at_least: Version = OLDEST) -> bool:
        """Whether `value` may be given to it."""
        known = version or at_least
        if value == LEAVE_OUT:
            return True
        if self.choices:
            return any(value == c.value and known >= (parse_version(c.since) or OLDEST) for c in self.choices)
        if self.switch:
            return not value
        return value.startswith("{") if self.json else self._in_range(value)

    def _in_range(self, value: str) -> bool:
        try:
            number = float(value)
        except ValueError:
            return False
        if not isfinite(number) or (self.whole and not value.lstrip("-").isdecimal()):
            return False
        return (self.low is None or number >= self.low) and (self.high is None or number <= self.high)


@dataclass(frozen=True, slots=True)
class FlagTable:
    engine: Engine
    read_from: str
    """Version whose source the defaults and choices were read from."""
    oldest: str
    """Oldest version examined."""
    flags: Mapping[str, Flag]

    def get(
        self, name: str, version: Version | None, generation: str = "", at_least: Version = OLDEST
    ) -> Flag | None:
        """The flag where this engine has it; KeyError for one that the table does not hold at all."""
        flag = self.flags[name]
        heeded = not flag.generation or not generation or flag.generation == generation
        return flag if heeded and flag.exists(version, at_least) else None
