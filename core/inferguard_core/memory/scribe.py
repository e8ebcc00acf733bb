"""Writes down what a monitor sees, and gives a new one back what earlier ones saw.

It is called with each judged poll and never waits: records go into the memory's queue, questions to the memory
run in tasks of their own and their answers show in a later frame.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from inferguard_core.assemble import endpoint_frame
from inferguard_core.events import ExecutionEvent
from inferguard_core.followup import Grade
from inferguard_core.frame import IncidentState
from inferguard_core.memory.account import Account, case_of, news_of
from inferguard_core.memory.case import Case
from inferguard_core.memory.elsewhere import heard
from inferguard_core.memory.protocol import Query
from inferguard_core.memory.records import ReadingRow, Taught, Told
from inferguard_core.memory.restoring import WATCHED_S, Restored, ended, restore
from inferguard_core.memory.shape import Shape, calmed, looked
from inferguard_core.memory.shown import applied, running

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from inferguard_core.events import Event
    from inferguard_core.followup import Execution, Similar
    from inferguard_core.frame import Incident
    from inferguard_core.memory.protocol import Memory
    from inferguard_core.memory.slices import Slices
    from inferguard_core.monitor import Listener
    from inferguard_core.poll import Poll
    from inferguard_core.watch import EndpointWatch

KEPT_EVERY_S = 10.0
"""An incident in which nothing changes is written down this often."""
LEARNED_EVERY_S = 60.0
RECALLED_EVERY_S = 30.0
RESTORE_S = 5.0
"""A monitor does not begin later than this for what it might remember."""
SIMILAR = 3
HEARD_EVERY_S = 1.0


class Scribe:
    """Between the watches of one monitor and one memory."""

    def __init__(
        self,
        memory: Memory,
        touch: Callable[[str], None] = lambda _endpoint: None,
        clock: Callable[[], float] = time.time,
        slices: Slices | None = None,
    ) -> None:
        """`touch` is told which endpoint has something new to show; `slices` record incidents."""
        self.memory = memory
        self._touch = touch
        self._clock = clock
        self._endpoints: dict[str, Account] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._slices = slices
        self._recording: Callable[[str], str] = (lambda _id: "") if slices is None else slices.path

    async def start(self, watches: Sequence[EndpointWatch]) -> None:
        """Open the memory and give each watch its past, within a bounded time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RESTORE_S):
                await self.memory.start()
                await self.memory.rewritten()
                for watch in watches:
                    await self._restore(watch)
        self._later(_hear(self.memory, self._endpoints, self._touch))

    async def close(self, watches: Sequence[EndpointWatch]) -> None:
        """Write down where everything stands, and let the memory go."""
        for task in tuple(self._tasks):
            task.cancel()
        for watch in watches:
            self._keep_incident(watch, self._of(watch), self._clock(), at_once=True)
            if watch.seen is not None:
                self.memory.put(Taught(watch.endpoint, self._clock(), watch.learned.to_json()))
        if self._slices is not None:
            await asyncio.to_thread(self._slices.close)
        await self.memory.close()

    def beside(self, listener: Listener) -> Listener:
        """The listener, and this beside it."""

        def on_event(event: Event) -> None:
            listener.on_event(event)
            self.told(event)

        def on_poll(endpoint: str, poll: Poll) -> None:
            listener.on_poll(endpoint, poll)
            if self._slices is not None:
                self._slices.polled(endpoint, poll)

        def on_judged(watch: EndpointWatch) -> None:
            listener.on_judged(watch)
            if self._slices is not None:
                self._slices.judged(watch)
            self.judged(watch)

        return replace(listener, on_poll=on_poll, on_event=on_event, on_judged=on_judged)

    def told(self, event: Event) -> None:
        """Take an event as it is told to others."""
        now = self._clock()
        self.memory.put(Told(event.endpoint, now, event.to_json() | {"unix": round(now, 3)}))
        known = self._endpoints.get(event.endpoint)
        if known is not None and isinstance(event, ExecutionEvent) and event.execution.grade is not None:
            _keep_grade(self.memory, known, event.execution)

    def judged(self, watch: EndpointWatch) -> None:
        """Take the state of a watch after a poll."""
        known, now = self._of(watch), self._clock()
        if not known.restored:
            # It joined a monitor that was running already.
            known.restored = True
            self._later(self._restore(watch))
        seen = watch.seen
        if seen is not None and seen.poll is watch.newest:
            values = {name: m.value for name, m in seen.measures.items() if m.value is not None}
            self.memory.put(ReadingRow(watch.endpoint, seen.poll.unix, values))
            if not any(life.active for life in watch.lives.values()):
                known.calm = calmed(known.calm, seen.measures)
        if watch.log.elsewhere and now - watch.log.elsewhere.seen_unix > WATCHED_S:
            watch.log.let_go(now)
        self._keep_incident(watch, known, now)
        _see_applied(self.memory, watch, known, now)
        if known.unsettled is not None and now - known.begun > WATCHED_S:
            self._later(_settle(self.memory, known.unsettled, now))
            known.unsettled = None
        if seen is not None and now - known.learned_unix >= LEARNED_EVERY_S:
            known.learned_unix = now
            self.memory.put(Taught(watch.endpoint, now, watch.learned.to_json()))
        self._recall(watch, known, now)

    def written(self, watch: EndpointWatch, incident: Incident) -> None:
        """A person wrote into an incident: keep that at once, whichever incident it is."""
        if incident.id == self._of(watch).incident_id:
            self._keep_incident(watch, self._of(watch), self._clock(), at_once=True)
        else:
            # Older than whatever is stored of it: only what people wrote is taken from it.
            self.memory.put(Case(incident, seen_unix=0.0))

    def shape(self, watch: EndpointWatch) -> Shape:
        """What the newest incident of this session looks like so far."""
        return self._of(watch).shape

    async def recall(self, text: str, incident_id: str | None = None) -> tuple[Similar, ...]:
        """Past incidents like these words; with an incident also, or without words only, like that one."""
        shape = next((e.shape for e in self._endpoints.values() if e.incident_id == incident_id), None)
        if shape is None and incident_id:
            stored = await self.memory.case(incident_id)
            shape = stored.shape if stored is not None else None
        return await self.memory.recall(Query(text, shape, leave_out=incident_id or ""))

    async def _restore(self, watch: EndpointWatch) -> None:
        """Give a watch its past."""
        self._of(watch).restored = True
        watch.casebook.history = await self.memory.track_record()
        known, now = self._of(watch), self._clock()
        past = await restore(self.memory, watch, now)
        for case in past.left_open(now):
            self.memory.put(case)
        known.last = past.known[0] if past.known else None
        known.unsettled, known.begun = past, now
        self._touch(watch.endpoint)

    def _of(self, watch: EndpointWatch) -> Account:
        """What is known of this watch; another watch of the same endpoint begins anew."""
        known = self._endpoints.get(watch.endpoint)
        if known is None or known.watch is not watch:
            known = self._endpoints[watch.endpoint] = Account(watch)
        return known

    def _keep_incident(
        self, watch: EndpointWatch, known: Account, now: float, *, at_once: bool = False
    ) -> None:
        incident = watch.log.incidents[-1] if watch.log.incidents else None
        over = incident is not None and incident.state is IncidentState.RESOLVED
        if incident is None or watch.log.elsewhere or (over and incident.id != known.incident_id):
            return
        if incident.id != known.incident_id:
            known.incident_id, known.shape, known.worst, known.kept = incident.id, Shape(), {}, None
        news = news_of(watch, incident)
        due = not over and now - known.kept_unix >= KEPT_EVERY_S
        if over and news == known.kept:
            return
        frame = endpoint_frame(watch, now, None)
        if not over:
            known.shape = looked(known.shape, frame, known.calm)
            for anomaly in frame.anomalies:
                worst = known.worst.get(anomaly.kind)
                if worst is None or anomaly.severity >= worst.severity:
                    known.worst[anomaly.kind] = anomaly
        if news == known.kept and not due and not at_once:
            return
        known.kept, known.kept_unix = news, now
        seen_unix = watch.newest.unix if watch.newest is not None else now
        known.last = case_of(frame, incident, known, seen_unix, self._recording(incident.id))
        self.memory.put(known.last)

    def _recall(self, watch: EndpointWatch, known: Account, now: float) -> None:
        """Look for incidents like the open one when it has become another, in a task."""
        incident = watch.log.open
        if incident is None:
            watch.followup.similar, known.recalled = (), ()
            return
        asked = (incident.id, known.shape.cause, *known.shape.kinds)
        same_incident = known.recalled[:1] == asked[:1]
        if asked == known.recalled or (same_incident and now - known.recalled_unix < RECALLED_EVERY_S):
            return
        known.recalled, known.recalled_unix = asked, now
        self._later(self._find_similar(watch, known.shape, incident.id))

    async def _find_similar(self, watch: EndpointWatch, shape: Shape, incident_id: str) -> None:
        found = await self.memory.recall(Query(shape=shape, leave_out=incident_id, limit=SIMILAR))
        watch.casebook.history = await self.memory.track_record()
        if watch.log.open is not None and watch.log.open.id == incident_id:
            watch.followup.similar = found
            self._touch(watch.endpoint)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _hear(memory: Memory, endpoints: Mapping[str, Account], touch: Callable[[str], None]) -> None:
    """Bring in what other processes write, for as long as this runs."""
    while True:
        await asyncio.sleep(HEARD_EVERY_S)
        for rewritten in await memory.rewritten():
            known = endpoints.get(rewritten.case.incident.endpoint)
            if known is None:
                continue
            if rewritten.case.grade is not Grade.UNKNOWN:
                known.watch.casebook.history = await memory.track_record()
            if heard(known.watch, rewritten, known.begun):
                touch(known.watch.endpoint)


def _keep_grade(memory: Memory, known: Account, execution: Execution) -> None:
    """A grade that came after its incident: put beside whatever is stored of that one."""
    incidents = known.watch.log.incidents
    of = next((i for i in incidents if i.id == execution.incident_id != known.incident_id), None)
    if of is not None:
        memory.put(Case(of, seen_unix=0.0, executions=(execution,)))


def _see_applied(memory: Memory, watch: EndpointWatch, known: Account, now: float) -> None:
    """Note what of the newest proposal the engine's configuration shows to be applied."""
    last, config = known.last, running(watch)
    if last is None or last.fix is None or config == known.config or watch.seen is None:
        return
    known.config = config
    fresh = applied(last.fix, watch.seen.reading.engine, config, last.applied, now)
    if fresh:
        known.last = replace(last, applied=(*last.applied, *fresh))
        memory.put(known.last)


async def _settle(memory: Memory, past: Restored, now: float) -> None:
    """Close what was open at the start and that nobody has seen since: it was no other process's either."""
    for case in past.stored:
        known = await memory.case(case.id)
        if known is not None and known.seen_unix == case.seen_unix and case.incident.ended_unix is None:
            memory.put(ended(known, now))
