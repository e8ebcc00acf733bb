"""Follow endpoints and print what changes: a line an event, JSON lines with --json.

As a service it serves /metrics and /healthz (--listen), tells Alertmanager or a webhook of incidents, and follows
target lists; SIGHUP reads those again, SIGTERM ends it in good order.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from inferguard_core.counted import counted
from inferguard_core.events import (
    ActionEvent,
    AdvisoryEvent,
    AnomalyEvent,
    DiagnosisEvent,
    Event,
    ExecutionEvent,
    IncidentEvent,
)
from inferguard_core.frame import AnomalyState, Severity
from inferguard_core.sources.bad_input import BadInput
from inferguard_tui.acting import Unattended, policy
from inferguard_tui.cli.arguments import add_access, add_interval, complain, settings_begun
from inferguard_tui.cli.exits import UNKNOWN, of_severity
from inferguard_tui.cli.targets import targets
from inferguard_tui.cli.words import execution_words
from inferguard_tui.cli.yes_live import add_yes_live, refusal
from inferguard_tui.session import WATCH_INTERVAL_S, addresses

if TYPE_CHECKING:
    import argparse

    from inferguard_core.monitor import Monitor
    from inferguard_core.settings import Settings
    from inferguard_core.sources.address import Address
    from inferguard_tui.service.listening import Place
    from inferguard_tui.session import LiveFeed


def configure(parser: argparse.ArgumentParser) -> None:
    add_access(parser)
    add_interval(parser, f"{WATCH_INTERVAL_S:g}")
    parser.add_argument("--duration", type=float, metavar="S", help="end after this many seconds")
    parser.add_argument("--json", action="store_true", help="JSON lines on stdout")
    group = parser.add_argument_group("as a service")
    group.add_argument(
        "--listen", metavar="HOST:PORT", help="serve /metrics and /healthz (:PORT is loopback)"
    )
    group.add_argument("--alertmanager", action="append", metavar="URL", help="tell it of incidents")
    group.add_argument("--alert-webhook", metavar="URL", help="POST here when an incident begins or ends")
    group.add_argument(
        "--file-sd", type=Path, metavar="FILE", help="target list of Prometheus' file_sd (JSON)"
    )
    group.add_argument("--http-sd", metavar="URL", help="target list of Prometheus' http_sd")
    add_yes_live(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.duration is not None and not arguments.duration > 0:
        complain(f"--duration {arguments.duration:g}: allowed is more than 0 seconds")
        return UNKNOWN
    settings = settings_begun(arguments)()
    endpoints = None if settings is None else _endpoints(arguments, settings)
    if settings is None or endpoints is None:
        return UNKNOWN
    if problem := refusal(arguments.yes_live, policy(settings)):
        complain(problem)
        return UNKNOWN
    printer = Printer(as_json=arguments.json)
    unattended = Unattended(rehearse=True, yes_live=frozenset(arguments.yes_live))
    return concluded(
        asyncio.run(_follow(endpoints, settings, printer, unattended, arguments.duration)), printer
    )


def concluded(monitor: Monitor | BadInput, printer: Printer) -> int:
    """The last words of a run, and its exit code."""
    if isinstance(monitor, BadInput):
        complain(monitor.message)
        return UNKNOWN
    printer.end(monitor)
    silent = [w for w in monitor.watches if w.seen is None]
    complain(*(f"{w.name}: {w.failure.message}" for w in silent if w.failure is not None))
    complain(*() if monitor.watches else _parts(monitor))
    return UNKNOWN if silent or not monitor.watches else of_severity(printer.worst)


async def _follow(
    endpoints: tuple[Address, ...],
    settings: Settings,
    printer: Printer,
    unattended: Unattended,
    duration: float | None,
) -> Monitor | BadInput:
    # The HTTP server and client are loaded when there is something to watch.
    from inferguard_tui.service.run import Service

    def begun(monitor: Monitor, feed: LiveFeed, place: Place | None) -> None:
        lists = f" and {counted(len(feed.lists), 'target list')}" if feed.lists else ""
        complain(
            f"watching {counted(len(endpoints), 'endpoint')}{lists} every {feed.interval_s:g} s; Ctrl-C ends"
        )
        complain(*_parts(monitor))
        if place is not None:
            complain(f"http://{place.shown}/metrics and /healthz are served")

    return await Service(endpoints, settings, printer.print, unattended).run(duration, begun)


def _endpoints(arguments: argparse.Namespace, settings: Settings) -> tuple[Address, ...] | None:
    """Those named; with a target list there need be none, and this host is not searched."""
    if settings.watch.file_sd is None and settings.watch.http_sd is None:
        return targets(arguments, settings)
    named = addresses(arguments.urls or settings.access.endpoints)
    if isinstance(named, BadInput):
        complain(named.message)
        return None
    return named


def _parts(monitor: Monitor) -> list[str]:
    return [f"{part.part} {part.state}: {part.detail}" for part in monitor.frame().parts if part.detail]


class Printer:
    """Writes events as they come and remembers the worst."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._origin = time.monotonic()
        self.worst = Severity.OK
        self.incidents: set[str] = set()

    def print(self, event: Event) -> None:
        event = replace(event, t=event.t - self._origin)
        if isinstance(event, AnomalyEvent):
            self.worst = max(self.worst, event.anomaly.severity)
        elif isinstance(event, IncidentEvent):
            self.incidents.add(event.incident.id)
        print(json.dumps(event.to_json(), ensure_ascii=False) if self._as_json else line(event), flush=True)

    def end(self, monitor: Monitor) -> None:
        """The last line of JSON: what was seen in all."""
        if not self._as_json:
            return
        told = {
            "event": "end",
            "polls": sum(w.polls for w in monitor.watches),
            "seconds": round(time.monotonic() - self._origin, 3),
            "incidents": len(self.incidents),
            "worst": self.worst.word,
        }
        print(json.dumps(told))


def line(event: Event) -> str:
    """One event in words; an anomaly's carries the time of day, what follows from it stands below."""
    match event:
        case AnomalyEvent(anomaly=anomaly):
            clock = time.strftime("%H:%M:%S", time.localtime(event.unix))
            ended = anomaly.state is AnomalyState.OK
            word = "ok" if ended else anomaly.severity.word
            state = "over" if ended else anomaly.state.value
            return f"{clock}  {event.endpoint}  {word:<8}  {anomaly.kind} {state}: {anomaly.summary}"
        case IncidentEvent(incident=incident):
            said = f"incident {incident.id} {incident.state.value}: {incident.headline}"
        case DiagnosisEvent(diagnosis=diagnosis):
            said = f"cause    {diagnosis.cause} {diagnosis.confidence:.2f} ({diagnosis.source})"
        case ActionEvent(advisory=advisory):
            said = f"advice   {advisory.action_type.value}: {advisory.reason}"
        case AdvisoryEvent(advisory=ahead):
            said = f"ahead    {ahead.advisory_type} {ahead.confidence:.2f}: {ahead.text}"
        case ExecutionEvent(execution=execution):
            said = execution_words(execution)
    return f"          {event.endpoint}  {said}"
