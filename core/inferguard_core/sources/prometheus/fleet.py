"""All engines that a Prometheus server scrapes, kept under watch by one question a poll.

The server's own failure says nothing about an engine: its pages then grow old, and are shown as old. A target that
it cannot scrape is down; one that it no longer knows has left.
"""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from inferguard_core.counted import counted
from inferguard_core.frame import PartHealth
from inferguard_core.journal import LOGGER
from inferguard_core.poll import Failure, FailureKind, Poll, ProofLevel
from inferguard_core.printable import printable
from inferguard_core.sources.prometheus.pages import Scrapes, address_of, key_of, scrape_interval, scrapes
from inferguard_core.sources.prometheus.past import on_our_clock, past
from inferguard_core.sources.prometheus.selector import Matcher

if TYPE_CHECKING:
    from inferguard_core.fleet import Membership
    from inferguard_core.sources.prometheus.pages import Key, Labels
    from inferguard_core.sources.prometheus.selector import Selector
    from inferguard_core.sources.prometheus.server import PrometheusServer

OVERLAP: Final = 2.5
"""Each question reaches back over so many scrapes: a late one is not missed, and an absent one is noticed."""
REACH_BACK_S: Final = 600.0
"""At most, when the server was away; older samples are not worth the size of the answer."""
STALE_SCRAPES: Final = 4.0
LEFT_AFTER_S: Final = 300.0
"""A target that the server no longer has is shown for so long."""
LOOK_EVERY_S: Final = 60.0
"""For engines of jobs that had none before."""
LOOK_AGAIN_S: Final = 5.0
"""While there are none at all."""
LOOK_BACK_S: Final = 3600.0
WARM_UP_PAGES: Final = 3000
"""Of the past, read at the start over all replicas: what judging them costs, about ten seconds."""
WARM_UP_S: Final = 1800.0
WARM_UP_STEP_S: Final = 120.0
ENDPOINT_CHARS: Final = 1000
NO_ENGINES: Final = "no vLLM or SGLang series of the last hour match"
CLOCK_STEP_S: Final = 1.0
"""A difference of the clocks that changed by less is the jitter of a question."""


@dataclass(slots=True)
class Replica:
    """One target that is, or was, an engine."""

    endpoint: str
    name: str
    taken: float = 0.0
    """Time of the newest scrape that was handed over, by the server's clock."""
    held: float = 0.0
    """Time of a scrape that looked incomplete and is waited for once."""
    size: int = 0
    """Samples in its newest page."""
    seen: float = field(default_factory=time.monotonic)
    """When an answer last held anything of it."""
    has_up: bool = False

    def polls(self, found: Scrapes, server: str, *, wait: bool) -> list[tuple[float, str | Failure]]:
        """What is new of it, oldest first: a page or why there is none, with its time."""
        new: list[tuple[float, str | Failure]] = []
        for at in sorted({*found.lines, *found.up}):
            if at <= self.taken:
                continue
            lines = found.lines.get(at, ())
            last = wait and at == max(found.stamps)
            if last and found.up.get(at, True) and len(lines) < self.size and at != self.held:
                # Stores that take samples in pieces show a part of a scrape for a moment.
                self.held = at
                break
            self.taken = at
            if lines:
                self.size = len(lines)
                new.append((at, found.page(at)))
            elif found.up.get(at, False):
                line = f"{server} scrapes {self.name} and finds no engine metrics"
                new.append((at, Failure(FailureKind.NOT_METRICS, line)))
            else:
                line = f"{server} cannot scrape {self.name}: is the engine running?"
                new.append((at, Failure(FailureKind.UNREACHABLE, line)))
        return new


class PrometheusFleet:
    """Follows the engines of one server."""

    def __init__(
        self, server: PrometheusServer, url: str, interval_s: float, proof: ProofLevel = ProofLevel.LIVE
    ) -> None:
        """`url` is the server's address without a selector; a replica's endpoint is made from it."""
        self.name = server.name
        self.url = url
        self._server = server
        self._interval_s = interval_s
        self._proof = proof
        self._replicas: dict[Key, Replica] = {}
        self._found: dict[Key, Labels] = {}
        """Engines of the last hour, those that are gone too."""
        self.scrape_s = interval_s
        """Seconds from one scrape to the next; our own interval until two were seen."""
        self._offset_s = 0.0
        """Our monotonic clock less the server's clock."""
        self._answered: float | None = None
        """When, on the monotonic clock, the newest good answer was asked for."""
        self._looked: float | None = None
        self._ms = 0.0
        self._health = PartHealth(server.name, "asking")

    @property
    def health(self) -> PartHealth:
        return self._health

    @property
    def interval_s(self) -> float:
        """Seconds from one page of a replica to the next: a scrape may come less often than our question."""
        return max(self._interval_s, self.scrape_s)

    async def follow(self, members: Membership) -> None:
        """Warm up from the past, then ask once an interval."""
        while (trouble := await self.warm_up(members)) is not None:
            self._report(trouble)
            await asyncio.sleep(self._interval_s)
        await self._recall(members)
        due = time.monotonic()
        while True:
            await self.ask(members)
            due = max(due + self._interval_s, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    async def close(self) -> None:
        """Nothing is held: the client is the session's."""

    async def warm_up(self, members: Membership, pages: int | None = None) -> Failure | None:
        """Hand over the past: `pages` of each replica, or as many as `WARM_UP_PAGES` allows."""
        if (trouble := await self._look()) is not None:
            return trouble
        reach = min(REACH_BACK_S, max(120.0, OVERLAP * self._interval_s))
        series = await self._server.scraped(reach, self._narrowed)
        if isinstance(series, Failure):
            return series
        self._health = PartHealth(self.name, "reading the past")
        self.scrape_s = scrape_interval(scrapes(series, {})) or self.scrape_s
        each = pages or WARM_UP_PAGES // max(1, len(self._found))
        span = min(WARM_UP_S, (each + 0.5) * self.scrape_s)
        server_now = time.monotonic() - self._offset_s
        steps = max(1, round(span / WARM_UP_STEP_S))
        for step in range(steps, 0, -1):
            at = server_now - (step - 1) * span / steps
            if (trouble := await self._take(members, span / steps, at)) is not None:
                return trouble
        return None

    async def ask(self, members: Membership) -> None:
        """One poll of everything."""
        began = time.monotonic()
        reach = OVERLAP * self.interval_s
        if self._answered is not None:
            reach += began - self._answered
        trouble = await self._look() or await self._take(members, min(REACH_BACK_S, reach), None)
        if trouble is None:
            self._answered = began
            if not self._server.partial:
                self._let_go(members, began)
        self._report(trouble)

    async def _recall(self, members: Membership) -> None:
        """Fill in the lines of the last hours; without them the watch goes on."""
        if not self._replicas:
            return
        now = time.monotonic() - self._offset_s
        found = await past(self._server, self._narrowed, now, self.scrape_s)
        if isinstance(found, Failure):
            LOGGER.warning("the past is not shown: %s", found.message)
            return
        ahead_s = time.time() - now
        for key, points in found.items():
            if replica := self._replicas.get(key):
                members.recall(replica.endpoint, on_our_clock(points, ahead_s))

    async def _look(self) -> Failure | None:
        """Which jobs hold engines; asked seldom, since it reads the index over a long time."""
        now = time.monotonic()
        due_s = LOOK_EVERY_S if self._found else LOOK_AGAIN_S
        if self._looked is not None and now - self._looked < due_s:
            return None
        offset = await self._server.clock()
        if isinstance(offset, Failure):
            return offset
        self._server.partial = ""
        found = await self._server.engines(LOOK_BACK_S)
        if isinstance(found, Failure):
            return found
        if abs(offset - self._offset_s) > CLOCK_STEP_S:
            self._offset_s = offset
        self._looked = now
        kept = self._found if self._server.partial else {}
        self._found = kept | {key_of(labels): labels for labels in found}
        return None

    @property
    def _narrowed(self) -> Selector:
        """Only jobs that have engines: every process in the world has a `process_start_time_seconds`."""
        jobs = sorted({labels.get("job", "") for labels in self._found.values()})
        return (Matcher("job", "=~", "|".join(map(re.escape, jobs))),)

    async def _take(self, members: Membership, seconds: float, at: float | None) -> Failure | None:
        """Ask for the last `seconds` up to `at`, and hand over what is new."""
        if not self._found:
            return None
        began = time.monotonic()
        series = await self._server.raw(seconds, at, self._narrowed)
        if isinstance(series, Failure):
            return series
        self._ms = (time.monotonic() - began) * 1000
        known = {key: replica.taken for key, replica in self._replicas.items()}
        answer = await asyncio.to_thread(scrapes, series, known)
        self.scrape_s = scrape_interval(answer) or self.scrape_s
        watched = [(self._replica(members, key, found), found) for key, found in answer.items()]
        for replica, found in watched:
            if replica is None:
                continue
            replica.seen, replica.has_up = began, replica.has_up or bool(found.up)
            for when, what in replica.polls(found, self.name, wait=at is None):
                members.deliver(replica.endpoint, self._poll(when, what))
                await asyncio.sleep(0)
        return None

    def _replica(self, members: Membership, key: Key, found: Scrapes) -> Replica | None:
        """The target under watch, from now on if it is an engine: by its samples, or by those of the last hour."""
        known = self._replicas.get(key)
        if known is not None or not (found.lines or key in self._found):
            return known
        labels = found.labels
        name = labels.get("pod") or labels.get("instance") or "?"
        if any(other.name == name for other in self._replicas.values()):
            name = (
                "/".join(v for label in ("cluster", "namespace", "job") if (v := labels.get(label)))
                + f"/{name}"
            )
        endpoint = printable(f"{self.url}?match={address_of(labels)}", ENDPOINT_CHARS)
        replica = self._replicas[key] = Replica(endpoint, printable(name))
        members.admit(replica.name, replica.endpoint, self._proof, self.interval_s)
        return replica

    def _let_go(self, members: Membership, now: float) -> None:
        """What the newest answer did not hold has left, or, where no `up` tells, no longer reports."""
        for key, replica in list(self._replicas.items()):
            absent_s = now - replica.seen
            if absent_s > LEFT_AFTER_S:
                del self._replicas[key]
                members.remove(replica.endpoint)
            elif not replica.has_up and absent_s > STALE_SCRAPES * self.interval_s:
                line = f"{self.name} has had no sample of {replica.name} for {absent_s:.0f} s"
                at = now - self._offset_s
                members.deliver(replica.endpoint, self._poll(at, Failure(FailureKind.STALE, line)))

    def _poll(self, at: float, what: str | Failure) -> Poll:
        """A poll at the time of the scrape, on our clocks."""
        t = at + self._offset_s
        unix = time.time() - (time.monotonic() - t)
        if isinstance(what, Failure):
            return Poll(t, unix, self._ms, failure=what)
        return Poll(t, unix, self._ms, body=what, size=len(what))

    def _report(self, trouble: Failure | None) -> None:
        name, before = self.name, self._health
        if trouble is not None:
            state, detail = "no answer", trouble.message
        elif not self._replicas:
            state, detail = "no engines", NO_ENGINES
        else:
            state, detail = (
                "ok",
                f"{counted(len(self._replicas), 'replica')} scraped every {self.scrape_s:g} s",
            )
            if self._server.partial:
                state, detail = "partial", f"{detail}; the answer lacks some: {self._server.partial}"
        since = before.since_unix if before.state == state else time.time()
        self._health = PartHealth(name, state, detail, since)
