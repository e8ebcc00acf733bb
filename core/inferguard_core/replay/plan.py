"""Which sessions of an export are sent, and the reasons not to send any.

Results of several stacks, hardware profiles or models would be averages of different things; a plan holds one
of each or does not come about.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from inferguard_core.counted import counted
from inferguard_core.replay.content import as_prompt
from inferguard_core.sources.bad_input import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inferguard_core.replay.export import Cell, Export


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person asks for. None and 0 are no restriction."""

    runtime_stack_id: str | None = None
    hardware_profile_id: str | None = None
    canonical_model_id: str | None = None
    max_sessions: int = 0
    max_wait_s: float = 120.0
    """The longest wait before a turn with which a run is still started."""
    ignore_waits: bool = False


class Identity(NamedTuple):
    """What all cells of a plan have in common."""

    runtime_stack_id: str
    hardware_profile_id: str
    canonical_model_id: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Sessions to send, all recorded on one stack, hardware and model."""

    identity: Identity
    cells: tuple[Cell, ...]
    ignore_waits: bool
    warnings: tuple[str, ...] = ()

    @property
    def turns(self) -> int:
        return sum(len(cell.turns) for cell in self.cells)

    @property
    def missing_assets(self) -> int:
        return sum(len(turn.missing) for cell in self.cells for turn in cell.turns)

    @property
    def waits_s(self) -> float:
        """Waits of the session that waits longest: a run takes at least so long."""
        if self.ignore_waits:
            return 0.0
        return max((sum(turn.wait_s for turn in cell.turns) for cell in self.cells), default=0.0)

    @property
    def fingerprint(self) -> str:
        """Equal for equal load: texts, lengths and waits, in order."""
        seen = hashlib.sha256()
        for cell in self.cells:
            seen.update(f"{cell.trace_id}\0{cell.session_id}\0".encode())
            for turn in cell.turns:
                wait = 0 if self.ignore_waits else turn.wait_s
                seen.update(f"{turn.id}\0{wait}\0{turn.target_tokens}\0".encode())
                seen.update(as_prompt(turn.messages).encode("utf-8", "surrogatepass"))
        return seen.hexdigest()[:16]


_FILTERS = {
    "runtime_stack_id": "--runtime-stack-id",
    "hardware_profile_id": "--hardware-profile-id",
    "canonical_model_id": "--canonical-model-id",
}


def make_plan(export: Export, choice: Choice) -> Plan | BadInput:
    """The sessions that `choice` leaves of `export`, or why none are sent."""
    kept = [cell for cell in export.cells if _wanted(cell, choice)]
    if not kept:
        return BadInput(_nothing_left(export, choice))
    for field, option in _FILTERS.items():
        found = sorted({str(getattr(cell, field)) for cell in kept})
        if len(found) > 1:
            return BadInput(
                f"the export mixes {len(found)} of {field}: {', '.join(found)}; choose one with {option}"
            )
    single, repeated = _collapsed(kept)
    chosen = single[: choice.max_sessions] if choice.max_sessions else single
    plan = Plan(_identity(chosen[0]), tuple(chosen), choice.ignore_waits)
    longest = max((turn.wait_s for cell in chosen for turn in cell.turns), default=0.0)
    if not choice.ignore_waits and longest > choice.max_wait_s:
        return BadInput(
            f"a turn waits {longest:g} s, more than --max-wait {choice.max_wait_s:g}; raise it, or send "
            "without waits by --ignore-waits"
        )
    empty = [turn for cell in chosen for turn in cell.turns if not turn.messages]
    if empty:
        return BadInput(
            f"{counted(len(empty), 'turn holds', 'turns hold')} nothing that can be sent:"
            " what they say is named by path only"
        )
    return Plan(plan.identity, plan.cells, plan.ignore_waits, tuple(_warnings(plan, repeated)))


def _wanted(cell: Cell, choice: Choice) -> bool:
    return all(getattr(choice, field) in (None, getattr(cell, field)) for field in _FILTERS)


def _nothing_left(export: Export, choice: Choice) -> str:
    asked = [
        f"{option} {value}"
        for field, option in _FILTERS.items()
        if (value := getattr(choice, field)) is not None
    ]
    there = sorted({" ".join(_identity(cell)) for cell in export.cells})
    return f"no cell for {', '.join(asked)}; the export has {'; '.join(there[:6])}"


def _identity(cell: Cell) -> Identity:
    return Identity(cell.runtime_stack_id, cell.hardware_profile_id, cell.canonical_model_id)


def _collapsed(cells: Iterable[Cell]) -> tuple[list[Cell], int]:
    """Each session once, and how many cells repeated one."""
    by_session: dict[tuple[str, str], Cell] = {}
    repeated = 0
    for cell in cells:
        repeated += by_session.setdefault((cell.trace_id, cell.session_id), cell) is not cell
    return list(by_session.values()), repeated


def _warnings(plan: Plan, repeated: int) -> Iterable[str]:
    if repeated:
        yield f"{counted(repeated, 'cell repeats a session and is', 'cells repeat a session and are')} sent once"
    if missing := plan.missing_assets:
        declared = sum(
            asset.declared_tokens or 0 for cell in plan.cells for turn in cell.turns for asset in turn.missing
        )
        said = f" (declared {counted(declared, 'token')}, not counted as sent)" if declared else ""
        yield f"{counted(missing, 'asset is', 'assets are')} named by path only and not sent{said}"
    statuses = sorted({c.support_status for c in plan.cells} - {"", "supported"})
    if statuses:
        yield f"the export says of these cells: {', '.join(statuses)}"
