"""The tools of an agent, on one running monitor.

Each answers from what the monitor knows, in a bounded time. What a tool cannot do is a ToolError with a line that
says what to do instead; the agent reads it.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, Final

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from inferguard_core.events import execution_json
from inferguard_core.frame import IncidentState
from inferguard_core.printable import printable
from inferguard_tui.mcp_server.answers import (
    DiagnoseAnswer,
    DryRunAnswer,
    EndpointScan,
    IncidentItem,
    IncidentsAnswer,
    Preview,
    RecallAnswer,
    ScanAnswer,
    SignalAnswer,
    SimilarIncident,
)
from inferguard_tui.mcp_server.explain import explain
from inferguard_tui.person import person
from inferguard_tui.scan import Scan, to_json

if TYPE_CHECKING:
    from inferguard_core.frame import EndpointFrame, Incident
    from inferguard_core.monitor import Monitor
    from inferguard_core.watch import EndpointWatch
    from inferguard_tui.session import LiveFeed

POLLS_MIN: Final = 2
"""Rates need two pages."""
TIMELINE: Final = 20

Endpoint = Annotated[str, Field(description="URL or host:port as scan gives it; empty for the only one")]


class Tools:
    """What an agent may ask of `feed`, whose monitor is running."""

    def __init__(self, feed: LiveFeed, monitor: Monitor, patience_s: float) -> None:
        """`patience_s` bounds the wait for the first pages of an endpoint."""
        self._feed = feed
        self._monitor = monitor
        self._patience_s = patience_s
        self._began = time.monotonic()

    async def scan(
        self,
        endpoint: Annotated[str, Field(description="URL or host:port; empty for all that are watched")] = "",
    ) -> ScanAnswer:
        """State of the inference engines: numbers, anomalies with evidence, cause, advice, and what is blind."""
        await self._appeared()
        watches = self._monitor.watches if not endpoint else (self._watch(endpoint),)
        await self._seen(watches)
        frames = {frame.endpoint: frame for frame in self._monitor.frame().endpoints}
        scans = [self._scan(w, frames[w.endpoint]) for w in watches if w.endpoint in frames]
        return ScanAnswer(endpoints=[s for _, s in sorted(scans, key=lambda pair: -pair[0])])

    async def incidents(
        self,
        endpoint: Annotated[str, Field(description="URL or host:port; empty for all")] = "",
        limit: Annotated[int, Field(ge=1, le=200)] = 20,
        open_only: bool = False,
    ) -> IncidentsAnswer:
        """Incidents that are open, and past ones with their course, newest first."""
        watch = self._watch(endpoint) if endpoint else None
        frames = [
            frame
            for frame in self._monitor.frame().endpoints
            if watch is None or frame.endpoint == watch.endpoint
        ]
        found = {i.id: _incident(i, _cause(frame, i), "now") for frame in frames for i in frame.incidents}
        memory = "off: INFERGUARD_MEMORY_MODE=off"
        if (scribe := self._feed.scribe) is not None:
            memory = "; ".join(
                f"{part.part} {part.state} {part.detail}".strip() for part in scribe.memory.health
            )
            for case in await scribe.memory.cases(None if watch is None else watch.endpoint, limit):
                cause = case.diagnosis.cause if case.diagnosis is not None else ""
                found.setdefault(case.id, _incident(case.incident, cause, "before"))
        kept = [i for i in found.values() if not open_only or i.state != IncidentState.RESOLVED]
        kept.sort(key=lambda item: -item.onset_unix)
        return IncidentsAnswer(incidents=kept[:limit], memory=memory)

    async def diagnose(self, endpoint: Endpoint = "") -> DiagnoseAnswer:
        """Why an engine is in trouble: ranked causes with what speaks for and against, the fix, the advice."""
        await self._appeared()
        watch = self._watch(endpoint)
        await self._seen((watch,))
        frame = next(f for f in self._monitor.frame().endpoints if f.endpoint == watch.endpoint)
        _, scanned = self._scan(watch, frame)
        incident = frame.incident
        note = ""
        if scanned.diagnosis is None:
            young = (
                "an incident is open; what was seen of it so far names no cause: ask again in some seconds"
            )
            note = scanned.error or (
                young if incident is not None else "no incident is open: nothing to explain"
            )
        return DiagnoseAnswer(
            endpoint=frame.endpoint,
            status=scanned.status,
            incident=None if incident is None else _incident(incident, _cause(frame, incident), "now"),
            diagnosis=scanned.diagnosis,
            fix=scanned.fix,
            actions=scanned.actions,
            note=note,
        )

    async def recall(
        self,
        query: Annotated[
            str, Field(description="words, such as: kv full after a deploy", max_length=500)
        ] = "",
        incident_id: Annotated[str, Field(description="find those like this incident")] = "",
        limit: Annotated[int, Field(ge=1, le=50)] = 8,
    ) -> RecallAnswer:
        """Past incidents like a description or like an incident, with what was done and whether it helped."""
        if not query.strip() and not incident_id:
            raise ToolError("give a query in words, an incident_id, or both")
        desk = self._feed.desk
        found = (
            "this session has no memory" if desk is None else await desk.recall(query, incident_id or None)
        )
        if isinstance(found, str):
            return RecallAnswer(similar=[], note=found)
        similar = [
            SimilarIncident(
                incident_id=one.incident_id,
                endpoint=one.endpoint,
                cause=one.cause,
                headline=one.headline,
                opened_unix=one.opened_unix,
                lasted_s=one.lasted_s,
                score=one.score,
                why=list(one.why),
                done=one.done,
                grade=one.grade.value,
            )
            for one in found[:limit]
        ]
        return RecallAnswer(similar=similar, note="" if similar else "nothing like it is remembered")

    async def explain_signal(
        self, name: Annotated[str, Field(description="a signal, or an engine's metric name", max_length=200)]
    ) -> SignalAnswer:
        """What a signal or a metric means, its unit, and what each engine and version calls it."""
        found = await asyncio.to_thread(explain, name)
        if isinstance(found, str):
            raise ToolError(found)
        return found

    async def dry_run_action(
        self,
        action_id: Annotated[str, Field(description="id of an action of scan or diagnose", max_length=200)],
    ) -> DryRunAnswer:
        """What would be sent to carry out an advised action, and what each guard says. Sends nothing, ever."""
        desk = self._feed.desk
        done = (
            "this session cannot act"
            if desk is None
            else await desk.dry_run(action_id, f"{person()} (agent)")
        )
        if isinstance(done, str):
            return DryRunAnswer(preview=None, reason=done)
        return DryRunAnswer(preview=Preview.model_validate(execution_json(done)), reason="")

    def _watch(self, endpoint: str) -> EndpointWatch:
        """The watch that is meant; only what this server watches can be asked about."""
        watches = self._monitor.watches
        wanted = endpoint.strip().rstrip("/")
        if not wanted and len(watches) == 1:
            return watches[0]
        for watch in watches:
            if wanted and wanted in (watch.endpoint, watch.name):
                return watch
        there = ", ".join(watch.name for watch in watches[:50])
        raise ToolError(
            f"{printable(wanted, 80) or 'no endpoint'}: not watched here; this server watches {there}"
        )

    async def _appeared(self) -> None:
        """Wait for the first endpoints of a metrics server, or for as long as is bearable."""
        until = time.monotonic() + self._patience_s
        while not self._monitor.watches and time.monotonic() < until:  # noqa: ASYNC110 - they tell nobody
            await asyncio.sleep(0.1)

    async def _seen(self, watches: tuple[EndpointWatch, ...]) -> None:
        """Wait until each was polled often enough for rates, or for as long as is bearable."""
        until = time.monotonic() + self._patience_s
        while any(w.polls < POLLS_MIN for w in watches) and time.monotonic() < until:  # noqa: ASYNC110 - polls tell nobody
            await asyncio.sleep(0.1)

    def _scan(self, watch: EndpointWatch, frame: EndpointFrame) -> tuple[int, EndpointScan]:
        """Severity to sort by, and the answer."""
        reading = watch.seen.reading if watch.seen is not None and not watch.failed_polls else None
        watched_s = time.monotonic() - self._began
        said = to_json(Scan(frame, reading, watch.polls, watched_s))
        error = said.pop("error")
        answer = EndpointScan.model_validate(
            {
                **said,
                "polls": watch.polls,
                "watched_s": round(watched_s, 1),
                "error": error["message"] if error else "",
            }
        )
        return int(frame.severity) if reading is not None else 99, answer


def _cause(frame: EndpointFrame, incident: Incident) -> str:
    found = frame.diagnosis
    return found.cause if found is not None and found.incident_id == incident.id else ""


def _incident(incident: Incident, cause: str, session: str) -> IncidentItem:
    return IncidentItem(
        id=incident.id,
        endpoint=incident.endpoint,
        state=incident.state.value,
        severity=incident.severity.word,
        worst=incident.worst.word,
        onset_unix=round(incident.onset_unix, 3),
        ended_unix=None if incident.ended_unix is None else round(incident.ended_unix, 3),
        anomalies=list(incident.anomalies),
        headline=incident.headline,
        cause=cause,
        acknowledged_by=incident.acknowledged_by,
        peaks={name: float(f"{value:.6g}") for name, value in incident.peaks.items()},
        timeline=[entry.text for entry in incident.timeline[-TIMELINE:]],
        session=session,
    )
