"""A desk that notes what was asked of it and answers as told: stands for the parts behind a session."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inferguard_core.followup import Execution, Similar
    from inferguard_core.frame import Frame


class NotingDesk:
    """`refuses` is the line that every request is answered with; empty lets all be done."""

    def __init__(self, refuses: str = "") -> None:
        self.asked: list[tuple[object, ...]] = []
        self.refuses = refuses
        self.past: tuple[Similar, ...] | str = ()
        self.preview: Execution | str = "no preview"
        self.sent: Execution | str = "not sent"
        self.closed: Frame | str = "no recording is kept"
        self.gate = asyncio.Event()
        """Async answers come once it is set."""
        self.gate.set()

    def acknowledge(self, incident_id: str, who: str) -> str:
        self.asked.append(("acknowledge", incident_id, who))
        return self.refuses

    def snooze(self, incident_id: str, who: str, seconds: float) -> str:
        self.asked.append(("snooze", incident_id, who, seconds))
        return self.refuses

    def note(self, incident_id: str, who: str, text: str) -> str:
        self.asked.append(("note", incident_id, who, text))
        return self.refuses

    def investigate(self, endpoint: str) -> str:
        self.asked.append(("investigate", endpoint))
        return self.refuses

    async def recall(self, query: str, incident_id: str | None = None) -> tuple[Similar, ...] | str:
        self.asked.append(("recall", query, incident_id))
        await self.gate.wait()
        return self.past

    async def dry_run(self, action_id: str, who: str) -> Execution | str:
        self.asked.append(("dry_run", action_id, who))
        await self.gate.wait()
        return self.preview

    async def dispatch(self, action_id: str, who: str, confirmed: str) -> Execution | str:
        self.asked.append(("dispatch", action_id, who, confirmed))
        await self.gate.wait()
        return self.sent

    async def export(self, endpoint: str, incident_id: str, markdown: str) -> str:
        self.asked.append(("export", endpoint, incident_id, markdown))
        return self.refuses or "/state/exports/x.md and x.jsonl.gz"

    async def closed_frame(self, incident_id: str) -> Frame | str:
        self.asked.append(("closed_frame", incident_id))
        await self.gate.wait()
        return self.closed
