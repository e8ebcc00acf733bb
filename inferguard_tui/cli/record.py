"""Write endpoints' pages to recordings that `replay` plays; Ctrl-C ends, and what was written stays.

A metrics server gives a file for each engine that it scrapes, from what it remembers of the last half hour on.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

from inferguard_core.counted import counted
from inferguard_core.monitor import Listener
from inferguard_core.recorder import RecordingWriter, recording_path, recording_paths
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.sources.recording import Header
from inferguard_tui.cli.arguments import add_access, add_interval, complain, settings_from
from inferguard_tui.cli.exits import INTERRUPTED, OK, UNKNOWN
from inferguard_tui.cli.targets import targets
from inferguard_tui.session import LiveFeed

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from inferguard_core.monitor import Monitor
    from inferguard_core.poll import Poll
    from inferguard_core.sources.address import Address

INTERVAL_S = 1.0


def configure(parser: argparse.ArgumentParser) -> None:
    add_access(parser)
    add_interval(parser, f"{INTERVAL_S:g}")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="*.jsonl.gz to write"
    )
    parser.add_argument("--duration", type=float, metavar="S", help="end after this many seconds")
    parser.add_argument("--note", default="", help="kept in the recording's first line")
    parser.add_argument("--force", action="store_true", help="overwrite existing files")


def run(arguments: argparse.Namespace) -> int:
    if arguments.duration is not None and not arguments.duration > 0:
        complain(f"--duration {arguments.duration:g}: allowed is more than 0 seconds")
        return UNKNOWN
    settings = settings_from(arguments)
    endpoints = None if settings is None else targets(arguments, settings)
    if settings is None or endpoints is None:
        return UNKNOWN
    interval_s = settings.polling.interval_seconds or INTERVAL_S
    writers = _writers(arguments, [a for a in endpoints if a.selector is None], interval_s)
    if isinstance(writers, BadInput):
        complain(writers.message)
        return UNKNOWN
    tape = Tape(writers, arguments)
    feed = LiveFeed(endpoints, settings, interval_s=interval_s, listener=Listener(on_poll=tape.take))
    code = OK
    try:
        asyncio.run(_record(feed, tape, arguments.duration))
    except KeyboardInterrupt:
        code = INTERRUPTED
    return tape.close() or code


async def _record(feed: LiveFeed, tape: Tape, duration: float | None) -> None:
    monitor = feed.monitor()
    if isinstance(monitor, BadInput):
        tape.trouble = monitor
        return
    tape.monitor = monitor
    monitor.start()
    try:
        async with asyncio.timeout(duration):
            await tape.broken.wait()
    except TimeoutError:
        pass
    finally:
        await feed.close()


def _writers(
    arguments: argparse.Namespace, endpoints: Sequence[Address], interval_s: float
) -> dict[str, RecordingWriter] | BadInput:
    """A writer by endpoint; none is left behind when one of them cannot be opened."""
    writers: dict[str, RecordingWriter] = {}
    paths = recording_paths(arguments.output, [a.name for a in endpoints])
    for address, path in zip(endpoints, paths, strict=True):
        header = Header(address.url, time.time(), interval_s, arguments.note)
        writer = RecordingWriter.create(path, header, overwrite=arguments.force)
        if isinstance(writer, BadInput):
            for opened in writers.values():
                opened.close()
                opened.path.unlink()
            return writer
        writers[address.url] = writer
    return writers


class Tape:
    """The open recordings. A disk that fails ends the run, since nobody would look for it hours later."""

    def __init__(self, writers: dict[str, RecordingWriter], arguments: argparse.Namespace) -> None:
        self._writers = writers
        self._arguments = arguments
        self._polls = dict.fromkeys(writers, 0)
        self.broken = asyncio.Event()
        self.trouble: BadInput | None = None
        self.monitor: Monitor | None = None
        """Who knows the engines that a metrics server brings."""

    def take(self, endpoint: str, poll: Poll) -> None:
        writer = self._writers.get(endpoint) or self._opened(endpoint, poll)
        failed = writer if isinstance(writer, BadInput) else writer.write(poll)
        if failed is not None:
            self.trouble = failed
            self.broken.set()
        else:
            self._polls[endpoint] += 1

    def _opened(self, endpoint: str, poll: Poll) -> RecordingWriter | BadInput:
        """A recording of an engine that was not named, beginning with the oldest page that is known of it."""
        assert self.monitor is not None
        watch = next(w for w in self.monitor.watches if w.endpoint == endpoint)
        taken = [writer.path for writer in self._writers.values()]
        path = recording_path(self._arguments.output, watch.name, taken)
        header = Header(endpoint, poll.unix, watch.interval_s, self._arguments.note)
        writer = RecordingWriter.create(path, header, overwrite=self._arguments.force)
        if isinstance(writer, RecordingWriter):
            self._writers[endpoint], self._polls[endpoint] = writer, 0
        return writer

    def close(self) -> int:
        """Finish the files and say what is in them; the exit code that this calls for, 0 for none."""
        for endpoint, writer in self._writers.items():
            self.trouble = writer.close() or self.trouble
            complain(f"{writer.path}: {counted(self._polls[endpoint], 'poll')} of {endpoint}")
        if self.trouble is None and not self._writers:
            parts = self.monitor.frame().parts if self.monitor is not None else ()
            said = "; ".join(f"{part.part}: {part.detail or part.state}" for part in parts)
            self.trouble = BadInput(f"nothing was recorded: {said or 'no engine was seen'}")
        if self.trouble is not None:
            complain(self.trouble.message)
            return UNKNOWN
        return OK
