"""What can be asked of a recording: to hand an incident over. Nothing in it is happening, so nothing else can."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from inferguard_core.recent import Slice
from inferguard_tui.handoff.exports import write_export
from inferguard_tui.handoff.files import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from inferguard_core.followup import Execution, Similar
    from inferguard_core.frame import Frame
    from inferguard_core.sources.recording import Recording

_NOTHING = "this is a recording: nothing can be asked of it"


class RecordingDesk:
    """The desk of a replay."""

    def __init__(self, recording: Recording, state_dir: Path) -> None:
        self._recording = recording
        self._folder = state_dir / FOLDER

    def acknowledge(self, incident_id: str, who: str) -> str:  # noqa: ARG002
        return _NOTHING

    def snooze(self, incident_id: str, who: str, seconds: float) -> str:  # noqa: ARG002
        return _NOTHING

    def note(self, incident_id: str, who: str, text: str) -> str:  # noqa: ARG002
        return _NOTHING

    def investigate(self, endpoint: str) -> str:  # noqa: ARG002
        return "this is a recording: it is looked at as it plays, and not on demand"

    async def recall(self, query: str, incident_id: str | None = None) -> tuple[Similar, ...] | str:  # noqa: ARG002
        return "this is a recording: the memory is not asked about it"

    async def dry_run(self, action_id: str, who: str) -> Execution | str:  # noqa: ARG002
        return "this is a recording: nothing can be sent for it"

    async def dispatch(self, action_id: str, who: str, confirmed: str) -> Execution | str:  # noqa: ARG002
        return "this is a recording: nothing can be sent for it"

    async def export(self, endpoint: str, incident_id: str, markdown: str) -> str:  # noqa: ARG002
        note = f"around incident {incident_id}"
        header = replace(self._recording.header, note=note)
        return await asyncio.to_thread(
            write_export, self._folder, incident_id, markdown, Slice.of(self._recording.polls), header
        )

    async def closed_frame(self, incident_id: str) -> Frame | str:  # noqa: ARG002
        return "this is a recording: the memory is not asked about it"
