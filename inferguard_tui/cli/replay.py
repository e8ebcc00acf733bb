"""Play a recording: on screen as if live, or with --json as events at full speed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from inferguard_core.events import IncidentEvent
from inferguard_core.frame import Severity
from inferguard_core.poll import ProofLevel
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.sources.recording import RecordingFile
from inferguard_core.watch import EndpointWatch
from inferguard_tui.cli.arguments import add_config, complain, settings_begun
from inferguard_tui.cli.exits import OK, UNKNOWN, of_severity

if TYPE_CHECKING:
    import argparse

    from inferguard_core.settings import Settings


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a recording (*.jsonl.gz)")
    parser.add_argument("--json", action="store_true", help="JSON lines of what changes, without a screen")
    parser.add_argument(
        "--check", action="store_true", help="with --json: exit 1 or 2 for the worst severity seen"
    )
    parser.add_argument(
        "--speed", type=float, default=1.0, metavar="X", help="recorded seconds per second, 0.25 to 64"
    )
    parser.add_argument("--theme", metavar="NAME", help="colours of the screen")
    add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    settings = settings_begun(arguments)()
    if settings is None:
        return UNKNOWN
    if arguments.json:
        opened = RecordingFile.open(arguments.file)
        if isinstance(opened, BadInput):
            complain(opened.message)
            return UNKNOWN
        return _events(opened, settings, check=arguments.check)
    return _screen(arguments, settings)


def _events(recording: RecordingFile, settings: Settings, *, check: bool) -> int:
    from inferguard_tui.lookout import Lookout

    header = recording.header
    watch = EndpointWatch(
        header.endpoint, header.name, header.interval_s, ProofLevel.RECORDED, settings.limits
    )
    lookout = Lookout(settings.brain.proactive_cycle_every)
    worst, incidents, first, last = Severity.OK, set(), None, 0.0
    for poll in recording.polls():
        first = poll.t if first is None else first
        last = poll.t
        for event in (*watch.observe(poll), *lookout.after(watch)):
            if isinstance(event, IncidentEvent):
                incidents.add(event.incident.id)
            worst = max(worst, *(a.severity for a in watch.anomalies(poll.unix)), Severity.OK)
            print(json.dumps(event.to_json(), ensure_ascii=False))
    complain(*recording.warnings)
    seconds = 0.0 if first is None else last - first
    print(
        json.dumps(
            {
                "event": "end",
                "polls": watch.polls,
                "seconds": round(seconds, 3),
                "incidents": len(incidents),
                "worst": worst.word,
            }
        )
    )
    if not watch.polls:
        complain(f"{recording.path}: holds no poll")
        return UNKNOWN
    return of_severity(worst) if check else OK


def _screen(arguments: argparse.Namespace, settings: Settings) -> int:
    from inferguard_tui.cli.screen import refusal, show
    from inferguard_tui.replay_desk import RecordingDesk
    from inferguard_tui.replay_feed import MAX_SPEED, MIN_SPEED, ReplayFeed
    from inferguard_tui.session import open_recording

    if not MIN_SPEED <= arguments.speed <= MAX_SPEED:
        complain(f"--speed {arguments.speed:g}: allowed is {MIN_SPEED:g} to {MAX_SPEED:g}")
        return UNKNOWN
    recording = open_recording(arguments.file)
    if isinstance(recording, BadInput):
        complain(recording.message)
        return UNKNOWN
    if refusal():
        return UNKNOWN
    complain(*recording.warnings)
    every = settings.brain.proactive_cycle_every
    desk = RecordingDesk(recording, settings.memory.state_dir)
    return show(ReplayFeed(recording, settings.limits, arguments.speed, every, desk=desk), settings)
