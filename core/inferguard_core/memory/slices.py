"""Recordings of incidents, made without being asked: the pages from shortly before one until shortly after it.

What was polled lately is held in memory within a bound, and written when an incident opens. Files are written by a
thread, so that a slow disk costs no poll; the oldest go when they take too much room.
"""

from __future__ import annotations

import re
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from inferguard_core.journal import LOGGER
from inferguard_core.sources.bad_input import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from inferguard_core.frame import Incident
    from inferguard_core.poll import EndpointFacts, Poll
    from inferguard_core.recent import RecentPolls
    from inferguard_core.recorder import RecordingWriter
    from inferguard_core.watch import EndpointWatch

BEFORE_S: Final = 120.0
AFTER_S: Final = 60.0
MOST_S: Final = 1800.0
"""Of one incident: what goes on for longer shows nothing new."""
HELD_BYTES: Final = 6_000_000
"""Of pages in memory, over all endpoints."""
KEPT_BYTES: Final = 256 * 2**20
"""Of recordings on disk."""


@dataclass(slots=True)
class _Endpoint:
    held: deque[Poll] = field(default_factory=deque)
    bytes: int = 0
    facts: EndpointFacts | None = None
    incident_id: str = ""
    writer: RecordingWriter | None = None
    begun: float = 0.0


class Slices:
    """Recordings of the incidents of one monitor, in `directory`."""

    def __init__(
        self, directory: Path, recent: Callable[[str], RecentPolls | None] = lambda _endpoint: None
    ) -> None:
        """`recent` has the last minutes of an endpoint where somebody keeps them anyway, this poll included."""
        self._directory = directory
        self._recent = recent
        self._endpoints: dict[str, _Endpoint] = {}
        self._disk = ThreadPoolExecutor(1, "inferguard slices")
        self._paths: dict[str, str] = {}

    def path(self, incident_id: str) -> str:
        """The recording of an incident; empty where none was made."""
        return self._paths.get(incident_id, "")

    def polled(self, endpoint: str, poll: Poll) -> None:
        """Take a poll as it came."""
        known = self._endpoints.setdefault(endpoint, _Endpoint())
        if known.writer is not None:
            self._disk.submit(known.writer.write, poll)
        if self._recent(endpoint) is not None:
            known.held.clear()
            known.bytes = 0
            return
        known.facts = poll.facts or known.facts
        known.held.append(poll)
        known.bytes += poll.size
        share = HELD_BYTES / len(self._endpoints)
        while len(known.held) > 1 and (known.bytes > share or known.held[0].t < poll.t - BEFORE_S):
            known.bytes -= known.held.popleft().size

    def judged(self, watch: EndpointWatch) -> None:
        """Begin with an open incident, end some time after it."""
        known, newest = self._endpoints.get(watch.endpoint), watch.newest
        if known is None or newest is None:
            return
        incident = watch.log.open
        if known.writer is not None:
            ended = None if incident is not None else watch.log.incidents[-1].ended_unix
            over = ended is not None and newest.unix - ended > AFTER_S
            if over or newest.t - known.begun > MOST_S:
                self._end(known)
        elif incident is not None and incident.id != known.incident_id:
            known.incident_id = incident.id
            try:
                self._begin(known, watch, incident)
            except OSError as error:
                LOGGER.warning("no recording of incident %s: %s", incident.id, error)

    def close(self) -> None:
        """Finish what is being written."""
        for known in self._endpoints.values():
            self._end(known)
        self._disk.shutdown(wait=True)

    def _begin(self, known: _Endpoint, watch: EndpointWatch, incident: Incident) -> None:
        # Until something is wrong there is nothing to write.
        from inferguard_core.recorder import RecordingWriter
        from inferguard_core.sources.recording import Header

        assert watch.newest is not None
        known.begun = watch.newest.t
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_room(self._directory)
        path = _free(self._directory, re.sub(r"[^A-Za-z0-9.]+", "-", incident.id))
        polls = self._before(watch.endpoint, known)
        note = f"incident {incident.id}"
        header = Header(watch.endpoint, polls[0].unix, watch.interval_s, note)
        writer = RecordingWriter.create(path, header)
        if isinstance(writer, BadInput):
            LOGGER.warning("no recording of %s: %s", note, writer.message)
            return
        path.chmod(0o600)
        known.writer, self._paths[incident.id] = writer, str(path)
        for poll in polls:
            self._disk.submit(writer.write, poll)

    def _before(self, endpoint: str, known: _Endpoint) -> list[Poll]:
        """What led up to now; the first carries the facts."""
        if (recent := self._recent(endpoint)) is not None:
            return list(recent.slice(BEFORE_S).polls())
        first, *others = known.held
        return [replace(first, facts=known.facts), *others]

    def _end(self, known: _Endpoint) -> None:
        if known.writer is not None:
            self._disk.submit(known.writer.close)
            known.writer = None


def _free(directory: Path, stem: str) -> Path:
    """A name that no file has: an incident that goes on after a restart keeps its earlier pages."""
    path, count = directory / f"{stem}.jsonl.gz", 1
    while path.exists():
        count += 1
        path = directory / f"{stem}-{count}.jsonl.gz"
    return path


def _make_room(directory: Path) -> None:
    """Let the oldest recordings go while they take more than their room."""
    files = sorted(directory.glob("*.jsonl.gz"), key=lambda file: file.stat().st_mtime)
    total = sum(file.stat().st_size for file in files)
    for file in files:
        if total <= KEPT_BYTES:
            return
        total -= file.stat().st_size
        file.unlink(missing_ok=True)
