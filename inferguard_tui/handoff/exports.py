"""Exports of a running session: the page of an incident, and beside it a recording of the minutes around it.

Raw pages are kept for a few endpoints only: a fleet's would cost more memory than the monitor itself.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from inferguard_core.recent import RecentPolls, Slice
from inferguard_core.sources.bad_input import BadInput
from inferguard_tui.handoff.files import FOLDER, write_page

if TYPE_CHECKING:
    from inferguard_core.monitor import Listener
    from inferguard_core.poll import Poll
    from inferguard_core.sources.recording import Header

ENDPOINTS_MOST: Final = 10
_NO_SLICE = f"no recording: pages are kept for at most {ENDPOINTS_MOST} endpoints"


class Exports:
    """Keeps recent pages of a few endpoints and writes hand-offs under `state_dir`."""

    def __init__(self, state_dir: Path, interval_s: float) -> None:
        self._folder = state_dir / FOLDER
        self._interval_s = interval_s
        self._recent: dict[str, RecentPolls] = {}
        self._few = True

    def beside(self, listener: Listener) -> Listener:
        """A listener that also keeps what is polled."""

        def on_poll(endpoint: str, poll: Poll) -> None:
            self.keep(endpoint, poll)
            listener.on_poll(endpoint, poll)

        return replace(listener, on_poll=on_poll)

    def keep(self, endpoint: str, poll: Poll) -> None:
        """Take a poll as it came; with one endpoint too many nothing is kept of any."""
        if not self._few:
            return
        if endpoint not in self._recent and len(self._recent) == ENDPOINTS_MOST:
            self._few = False
            self._recent.clear()
            return
        self._recent.setdefault(endpoint, RecentPolls()).add(poll)

    def recent(self, endpoint: str) -> RecentPolls | None:
        """The pages that are kept of an endpoint; None where there are too many endpoints."""
        return self._recent.get(endpoint)

    async def write(self, endpoint: str, incident_id: str, markdown: str) -> str:
        """Write both; a line that says where they are, or why not."""
        from inferguard_core.sources.recording import Header

        recent = self._recent.get(endpoint)
        kept = None if recent is None else recent.slice()
        header = Header(endpoint, time.time(), self._interval_s, f"around incident {incident_id}")
        return await asyncio.to_thread(write_export, self._folder, incident_id, markdown, kept, header)


def write_export(folder: Path, incident_id: str, markdown: str, kept: Slice | None, header: Header) -> str:
    """The page first: a recording that cannot be written must not cost it."""
    page = write_page(folder, incident_id, markdown)
    if isinstance(page, BadInput):
        return f"not exported: {page.message}"
    if kept is None:
        return f"{_short(page)} ({_NO_SLICE})"
    recording = kept.write(page.with_suffix(".jsonl.gz"), header)
    if isinstance(recording, BadInput):
        return f"{_short(page)}, without a recording: {recording.message}"
    return f"{_short(page)} + .jsonl.gz"


def _short(path: Path) -> str:
    """With `~` for the home directory: the line has to fit where keys stand."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
