"""What came of a canary, and what it needs to run: never `passed` without a run that says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not_run"
    """It could not be tried here; nothing is said of the change."""


@dataclass(frozen=True, slots=True)
class Verdict:
    outcome: Outcome
    reason: str
    evidence: tuple[str, ...] = ()
    """What the run printed or measured, line by line."""
    runner: str = ""
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": "inferguard.canary/1",
            "verdict": self.outcome.value,
            "reason": self.reason,
            "evidence": list(self.evidence),
            "runner": self.runner,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, slots=True)
class Script:
    """A program that stands alone and takes one JSON object; the last line it prints is one."""

    name: str
    source: str
    argument: Mapping[str, Any] = field(default_factory=dict)
    timeout_s: float = 120.0


@dataclass(frozen=True, slots=True)
class Ran:
    """What a script did; `trouble` says why it has no exit code."""

    exit_code: int | None
    output: str
    seconds: float
    trouble: str = ""


class Runner(Protocol):
    """A place where a script can do no harm."""

    @property
    def name(self) -> str: ...

    async def run(self, script: Script) -> Ran:
        """Run to the end or the time-out, leaving nothing behind. Never raises for what a script does."""
        ...
