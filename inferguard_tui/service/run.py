"""One run of `inferguard watch`: the monitor, the pages, the receivers, and the signals that end or refresh it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from inferguard_core.monitor import Listener
from inferguard_core.sources.access import Access, tls_context
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.sources.client import open_plain_client
from inferguard_core.sources.targets.places import FileList, HttpList
from inferguard_tui.service import supervisor
from inferguard_tui.service.exposition import exposition
from inferguard_tui.service.listening import Pages, Place, parse_place
from inferguard_tui.service.meter import Meter
from inferguard_tui.service.process import Process
from inferguard_tui.service.receivers import receivers
from inferguard_tui.session import WATCH_INTERVAL_S, LiveFeed, access

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from inferguard_core.events import Event
    from inferguard_core.monitor import Monitor
    from inferguard_core.settings import Settings
    from inferguard_core.sources.address import Address
    from inferguard_core.sources.targets.fleet import ListText
    from inferguard_tui.acting import Unattended
    from inferguard_tui.service.receivers import Receivers

HOUSEKEEPING_S = 2.0
SILENT_INTERVALS = 5.0
SILENT_S = 60.0
"""Without a single ended poll for this long the polling itself has failed: engines only make polls fail."""


class Service:
    """Watches `endpoints` and whatever the target lists of the settings bring."""

    def __init__(
        self,
        endpoints: Sequence[Address],
        settings: Settings,
        on_event: Callable[[Event], None],
        unattended: Unattended | None = None,
    ) -> None:
        self._endpoints = endpoints
        self._settings = settings
        self._on_event = on_event
        self._unattended = unattended
        self._meter = Meter()
        self._over = asyncio.Event()
        self._began = time.monotonic()
        self._feed: LiveFeed | None = None

    async def run(
        self, duration: float | None, begun: Callable[[Monitor, LiveFeed, Place | None], None]
    ) -> Monitor | BadInput:
        """Watch until the duration is over or the process is told to end; `begun` is called once it runs."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._over.set)
        loop.add_signal_handler(signal.SIGHUP, self._hung_up)
        told = self._receivers()
        lists = self._lists()
        if isinstance(told, BadInput):
            return told
        if isinstance(lists, BadInput):
            return lists
        feed = self._feed = self._made(told, lists)
        monitor = feed.monitor()
        if isinstance(monitor, BadInput):
            return monitor
        monitor.health.append(told.health)
        pages = Pages(lambda: self._page(monitor, told), lambda: self._health(monitor))
        try:
            place = await self._listen(pages)
            if isinstance(place, BadInput):
                return place
            told.start()
            await feed.start()
            begun(monitor, feed, place)
            await self._until_told(monitor, told, duration)
        finally:
            supervisor.tell(supervisor.STOPPING)
            await pages.close()
            await feed.close()
            await told.close()
        return monitor

    def _receivers(self) -> Receivers | BadInput:
        listen = self._settings.watch.listen
        place = parse_place(listen) if listen else None
        url = f"http://{place.shown}/metrics" if isinstance(place, Place) else ""
        # What is told to them is not for whoever sits in between: `insecure` is for reading engines.
        return receivers(self._settings, Access(ca=self._settings.access.ca_file), url)

    def _lists(self) -> list[ListText] | BadInput:
        chosen = self._settings.watch
        found: list[ListText] = [] if chosen.file_sd is None else [FileList(chosen.file_sd)]
        if chosen.http_sd is not None:
            context = tls_context(access(self._settings))
            if isinstance(context, BadInput):
                return context
            found.append(HttpList(chosen.http_sd, open_plain_client(context), chosen.http_sd_seconds))
        return found

    def _made(self, told: Receivers, lists: Sequence[ListText]) -> LiveFeed:
        listener = self._meter.beside(Listener(on_event=self._on_event))
        return LiveFeed(
            self._endpoints,
            self._settings,
            interval_s=WATCH_INTERVAL_S,
            listener=replace(listener, on_judged=told.judged),
            lists=lists,
            unattended=self._unattended,
        )

    async def _listen(self, pages: Pages) -> Place | BadInput | None:
        if self._settings.watch.listen is None:
            return None
        place = parse_place(self._settings.watch.listen)
        return place if isinstance(place, BadInput) else await pages.open(place)

    async def _until_told(self, monitor: Monitor, told: Receivers, duration: float | None) -> None:
        supervisor.tell(supervisor.READY)
        works: list[Coroutine[None, None, None]] = [
            self._meter.tick(),
            supervisor.stay_alive(),
            self._keep_house(monitor, told),
        ]
        tasks = [asyncio.create_task(work) for work in works]
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(duration):
                    await self._over.wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _hung_up(self) -> None:
        """A terminal that is closed ends us; to a service it means to read its lists again."""
        if sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty():
            self._over.set()
        for fleet in self._feed.lists if self._feed is not None else ():
            fleet.reread()

    async def _keep_house(self, monitor: Monitor, told: Receivers) -> None:
        """Let go of what is no longer watched."""
        while True:
            await asyncio.sleep(HOUSEKEEPING_S)
            watched = {watch.endpoint for watch in monitor.watches}
            self._meter.keep_only(watched)
            told.left(watched)

    def _page(self, monitor: Monitor, told: Receivers) -> str:
        return exposition(monitor.frame(), self._meter, told.outlets, Process.now())

    def _health(self, monitor: Monitor) -> tuple[bool, dict[str, object]]:
        """Whether polling goes on, and what else there is to know; an engine in trouble is no failure of ours."""
        feed = self._feed
        interval_s = WATCH_INTERVAL_S if feed is None else feed.interval_s
        silent_s = time.monotonic() - (self._meter.newest or self._began)
        polled = any(address.selector is None for address in self._endpoints)
        works = not polled or silent_s < max(SILENT_S, SILENT_INTERVALS * interval_s)
        frame = monitor.frame()
        return works, {
            "endpoints": len(frame.endpoints),
            "answering": sum(1 for e in frame.endpoints if e.polls and e.failure is None),
            "parts": {part.part: part.state for part in frame.parts},
        }
