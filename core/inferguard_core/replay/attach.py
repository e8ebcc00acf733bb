"""A run kept with the incident it was made for: as it was before something was done, or after.

A run counts as after only where something is known to have been carried out before it began; a number measured
before any remedy is never shown as the remedy's.
"""

from __future__ import annotations

import json
import os
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from inferguard_core.counted import counted
from inferguard_core.followup import Outcome
from inferguard_core.replay.report import Baseline, read_baseline
from inferguard_core.sources.bad_input import BadInput

if TYPE_CHECKING:
    from pathlib import Path

    from inferguard_core.memory.case import Case
    from inferguard_core.replay.report import Result

FOLDER: Final = "validations"
"""Below the state directory."""
_NAME = re.compile(r"[^A-Za-z0-9._-]")


class Phase(StrEnum):
    BEFORE = "before"
    AFTER = "after"


def phase_of(case: Case, began_unix: float) -> Phase:
    """Where a run that began then stands to what is known to have been done about `case`."""
    acted = [e.requested_unix for e in case.executions if e.mode == "live" and e.outcome is Outcome.APPLIED]
    acted += [applied.unix for applied in case.applied]
    return Phase.AFTER if any(unix < began_unix for unix in acted) else Phase.BEFORE


def before(state_dir: Path, incident_id: str, fingerprint: str) -> Baseline | None:
    """The newest run of the same load that was kept as before this incident's remedy."""
    for path in sorted(_folder(state_dir, incident_id).glob(f"*-{Phase.BEFORE}.json"), reverse=True):
        found = read_baseline(path)
        if isinstance(found, Baseline) and found.fingerprint == fingerprint:
            return found
    return None


def keep(state_dir: Path, incident_id: str, phase: Phase, run: dict[str, Any]) -> Path | BadInput:
    """Write a run beside the others of its incident, readable by its owner only."""
    folder = _folder(state_dir, incident_id)
    path = folder / f"{run['began_unix']:.0f}-{phase}.json"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.parent.chmod(0o700)
        with os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as file:
            json.dump({**run, "incident_id": incident_id, "phase": phase.value}, file, ensure_ascii=False)
    except OSError as error:
        return BadInput(f"{path}: {error.strerror}; the run is not kept with the incident")
    return path


def summary(result: Result, phase: Phase) -> str:
    """One line for the incident's timeline."""
    found = result.figures
    parts = [f"validated {phase} a remedy: {found.answered} of {counted(result.plan.turns, 'turn')} answered"]
    for name, spread in (("TTFT", found.ttft), ("E2E", found.e2e)):
        if (median := spread.at.get(50.0)) is not None:
            parts.append(f"{name} p50 {median:.3g} s (n {spread.n})")
    if found.output_rate is not None:
        parts.append(f"{found.output_rate:.3g} output tokens/s ({found.counted.value} count)")
    if result.comparison is not None:
        verdict = result.comparison.verdict.value.replace("_", " ")
        parts.append(f"against the run before: {verdict} ({result.comparison.why})")
    return ", ".join(parts)


def _folder(state_dir: Path, incident_id: str) -> Path:
    return state_dir / FOLDER / _NAME.sub("_", incident_id)
