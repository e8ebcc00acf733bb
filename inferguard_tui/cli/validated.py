"""A validation made for an incident: found before anything is sent, kept with it when the run is over."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from inferguard_core.followup import Note
from inferguard_core.memory.choice import open_memory
from inferguard_core.printable import printable
from inferguard_core.replay.attach import Phase, before, keep, phase_of, summary
from inferguard_core.replay.report import compared, to_json
from inferguard_core.sources.bad_input import BadInput
from inferguard_tui.cli.arguments import complain
from inferguard_tui.cli.incidents import noted
from inferguard_tui.cli.remembered import find

if TYPE_CHECKING:
    from inferguard_core.memory.case import Case
    from inferguard_core.replay.report import Result
    from inferguard_core.settings import Settings

AUTHOR = "inferguard validate"


async def remembered(settings: Settings, wanted: str) -> tuple[Case, bool] | BadInput:
    """The incident, and whether it was a simulated engine's; the reason when a run could not be kept with it."""
    if settings.memory.mode != "on":
        return BadInput(f"--incident {wanted}: memory is {settings.memory.mode} (INFERGUARD_MEMORY_MODE)")
    missing = BadInput(f"incident {wanted}: none is remembered")
    for simulated in (False, True):
        memory = open_memory(
            settings.memory, settings.limits.reopen_within, simulated=simulated, read_only=True
        )
        assert memory is not None
        await memory.start()
        try:
            found = await find(memory, wanted)
        finally:
            await memory.close()
        if not isinstance(found, BadInput):
            return found, simulated
        # An ambiguous name in the first store says more than an unknown one in the second.
        missing = missing if simulated else found
    return missing


async def kept(settings: Settings, about: tuple[Case, bool], result: Result, *, after: bool) -> Result:
    """Keep `result` with its incident; with the comparison, when it is one after a remedy.

    `after`: a person says that something was done, although nothing is known of it.
    """
    case, simulated = about
    state_dir = settings.memory.state_dir
    phase = Phase.AFTER if after else phase_of(case, result.record.began_unix)
    if phase is Phase.AFTER and result.comparison is None:
        baseline = before(state_dir, case.id, result.fingerprint)
        if baseline is not None:
            result = replace(result, comparison=compared(result, baseline))
    written = keep(state_dir, case.id, phase, to_json(result))
    if isinstance(written, BadInput):
        complain(written.message)
        return result
    note = Note(time.time(), AUTHOR, printable(f"{summary(result, phase)}; {written.name}", 1000))
    memory = open_memory(settings.memory, settings.limits.reopen_within, simulated=simulated)
    assert memory is not None
    await memory.start()
    try:
        memory.put(noted(case, note))
    finally:
        await memory.close()
    complain(f"kept with incident {case.id} as {phase} a remedy: {written}")
    complain(*(f"{part.part} {part.state}: {part.detail}" for part in memory.health if part.detail))
    return result
