"""The brain beside a running monitor: looks ahead at each endpoint in turn, and asks a deeper mind when it matters.

Nothing of it is in the way of a poll: polls only say what is due, and two tasks do the work, one for calculation
with rests in between, one for a mind that may take seconds (a language model, or a brain on another host). What
they find stands beside the watch, and the next frame carries it. A mind that fails or is away leaves the
calculation's answer, with the reason.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from inferguard_core.brain_context import brain_context
from inferguard_core.brain_result import led_by
from inferguard_core.events import DiagnosisEvent
from inferguard_core.frame import PartHealth, Severity
from inferguard_core.journal import LOGGER
from inferguard_core.printable import printable
from inferguard_tui.lookout import Lookout, result_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_core.events import Event
    from inferguard_core.followup import BrainResult
    from inferguard_core.monitor import Listener
    from inferguard_core.settings.model import Brain as BrainSettings
    from inferguard_core.watch import EndpointWatch

REST: Final = 20.0
"""Rest after an investigation, as a multiple of what it took: a fleet costs at most a twentieth of a core."""
AGAIN_S: Final = 120.0
"""A mind is asked about one incident at most this often, unless a person asks."""
GRACE_S: Final = 1.0
"""A mind keeps the deadline itself and says why; this ends one that does not."""
CALM_S: Final = 600.0
"""What was said of an endpoint without an incident is shown for this long."""


class Mind(Protocol):
    """Something that thinks longer about one context than a calculation can."""

    @property
    def name(self) -> str: ...

    @property
    def trouble(self) -> str:
        """Why it is not asked at the moment, or did not answer when last asked; empty otherwise."""
        ...

    async def prepare(self) -> None:
        """Whatever takes time before the first question, done while nothing is wrong yet."""
        ...

    async def think(self, context: dict[str, Any]) -> dict[str, Any]:
        """A result dict; never raises for what a model or a network does, and says in `error` why not."""
        ...

    async def close(self) -> None: ...


@dataclass(slots=True)
class _Endpoint:
    watch: EndpointWatch
    lookout: Lookout
    rules: BrainResult | None = None
    """The newest calculation."""
    deep: BrainResult | None = None
    """The mind's newest answer, about `incident`."""
    deep_t: float = 0.0
    incident: str | None = None
    asked: str | None = None
    asked_t: float = -AGAIN_S
    cause: str = ""
    asking: bool = False
    """The mind is being asked, or will be next."""


@dataclass(slots=True)
class _Queues:
    due: dict[str, None] = field(default_factory=dict)
    deep: dict[str, str] = field(default_factory=dict)
    """Endpoint to who asks: incident or person."""
    some: asyncio.Event = field(default_factory=asyncio.Event)
    some_deep: asyncio.Event = field(default_factory=asyncio.Event)


class Brain:
    """Investigations of all endpoints of one monitor."""

    def __init__(
        self,
        settings: BrainSettings,
        mind: Mind | None,
        touch: Callable[[str], None],
        tell: Callable[[Event], None],
        missing: str = "",
        again_s: float = AGAIN_S,
    ) -> None:
        """`touch` is told which endpoint has something new; `tell` takes events; `missing` is why there is no mind.

        `again_s` is the least time between two questions about one incident.
        """
        self._settings = settings
        self._mind = mind
        self._touch = touch
        self._tell = tell
        self._missing = missing
        self._again_s = again_s
        self._endpoints: dict[str, _Endpoint] = {}
        self._queues = _Queues()
        self._tasks: list[asyncio.Task[None]] = []
        self._down_unix: float | None = None

    @property
    def health(self) -> tuple[PartHealth, ...]:
        """`ok`, `off`, or `down` with its reason and since when."""
        trouble = self._mind.trouble if self._mind is not None else ""
        if trouble:
            self._down_unix = self._down_unix or time.time()
            return (PartHealth("brain", "down", f"{trouble}; rules go on", self._down_unix),)
        self._down_unix = None
        if self._mind is None and not self._settings.proactive_cycle_every:
            return (PartHealth("brain", "off", "INFERGUARD_PROACTIVE_CYCLE_EVERY is 0"),)
        return (PartHealth("brain", "ok", self._mind.name if self._mind is not None else self._missing),)

    def beside(self, listener: Listener) -> Listener:
        """The listener, and this beside it."""

        def on_judged(watch: EndpointWatch) -> None:
            listener.on_judged(watch)
            self.judged(watch)

        return replace(listener, on_judged=on_judged)

    def judged(self, watch: EndpointWatch) -> None:
        """Take note of what a poll makes due. Costs next to nothing."""
        known = self._of(watch)
        if known.lookout.due(watch):
            self._queues.due[watch.endpoint] = None
            self._queues.some.set()
        incident, diagnosis = watch.log.open, watch.casebook.diagnosis
        if incident is None or diagnosis is None or self._mind is None:
            return
        failed = known.deep is not None and bool(known.deep.error)
        rested = time.monotonic() - known.asked_t >= self._again_s
        if incident.id != known.asked or (rested and (failed or diagnosis.cause != known.cause)):
            self._ask(known, "incident")

    def investigate(self, endpoint: str) -> str:
        """Think about it now because a person asked; why not, else empty."""
        known = self._endpoints.get(endpoint)
        if known is None:
            return f"{endpoint} has not been polled yet"
        self._queues.due[endpoint] = None
        self._queues.some.set()
        if self._mind is not None:
            self._ask(known, "person")
        return ""

    def start(self) -> None:
        """Begin working; a second call does nothing."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._calculate())]
            if self._mind is not None:
                self._tasks.append(asyncio.create_task(self._think(self._mind)))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._mind is not None:
            await self._mind.close()

    def _of(self, watch: EndpointWatch) -> _Endpoint:
        known = self._endpoints.get(watch.endpoint)
        if known is None or known.watch is not watch:
            known = _Endpoint(watch, Lookout(self._settings.proactive_cycle_every))
            self._endpoints[watch.endpoint] = known
        return known

    def _ask(self, known: _Endpoint, who: str) -> None:
        incident, diagnosis = known.watch.log.open, known.watch.casebook.diagnosis
        known.asked, known.asked_t = None if incident is None else incident.id, time.monotonic()
        known.cause = "" if diagnosis is None else diagnosis.cause
        if who == "person" or known.watch.endpoint not in self._queues.deep:
            self._queues.deep[known.watch.endpoint] = who
        known.asking = True
        self._queues.some_deep.set()

    async def _calculate(self) -> None:
        while True:
            await self._queues.some.wait()
            while self._queues.due:
                endpoint = next(iter(self._queues.due))
                del self._queues.due[endpoint]
                began = time.perf_counter()
                try:
                    self._look(self._endpoints[endpoint])
                except Exception as error:  # noqa: BLE001 - one endpoint's trouble must not end the others
                    LOGGER.error("failed on an investigation", exc_info=error)
                await asyncio.sleep(REST * (time.perf_counter() - began))
            self._queues.some.clear()

    def _look(self, known: _Endpoint) -> None:
        found = replace(known.lookout.look(known.watch), unix=time.time())
        known.rules = found
        self._show(known, found)
        for event in known.lookout.news(known.watch, found):
            self._tell(event)

    async def _think(self, mind: Mind) -> None:
        await mind.prepare()
        while True:
            await self._queues.some_deep.wait()
            while self._queues.deep:
                endpoint = next(iter(self._queues.deep))
                who = self._queues.deep.pop(endpoint)
                try:
                    await self._think_about(mind, self._endpoints[endpoint], who)
                except Exception as error:  # noqa: BLE001 - one endpoint's trouble must not end the others
                    LOGGER.error("failed on an investigation", exc_info=error)
                finally:
                    self._endpoints[endpoint].asking = endpoint in self._queues.deep
            self._queues.some_deep.clear()

    async def _think_about(self, mind: Mind, known: _Endpoint, who: str) -> None:
        watch = known.watch
        newest = watch.newest
        if newest is None:
            return
        allowed = self._settings.send_host_names
        context = brain_context(watch, newest.unix, watch.followup.similar, host_names=allowed)
        incident = None if watch.log.open is None else watch.log.open.id
        reason = ""
        try:
            async with asyncio.timeout(self._settings.deadline_seconds + GRACE_S):
                answer = await mind.think(context | {"asked_by": who})
        except TimeoutError:
            reason = f"{mind.name}: no answer within {self._settings.deadline_seconds:g} s"
            answer = {}
        if incident != (None if watch.log.open is None else watch.log.open.id):
            return
        known.incident, known.asking, known.deep_t = incident, False, time.monotonic()
        rules = known.rules or known.lookout.look(watch)
        called = str((context["incident"] or {}).get("id", ""))
        known.deep = replace(rules, error=printable(reason)) if reason else result_for(watch, answer, called)
        self._show(known, rules)
        refined, now = known.deep.diagnosis, watch.casebook.diagnosis
        if refined is not None and now is not None and refined.cause != now.cause:
            self._tell(DiagnosisEvent(newest.t, watch.endpoint, refined))

    def _show(self, known: _Endpoint, rules: BrainResult) -> None:
        """The newest calculation; with it what the mind said of the same incident, or of none a while ago."""
        watch, deep = known.watch, known.deep
        incident, age_s = watch.log.open, time.monotonic() - known.deep_t
        other = known.incident != (None if incident is None else incident.id)
        if deep is not None and (other or (incident is None and age_s > CALM_S)):
            known.deep = deep = None
        shown = rules if deep is None else _joined(rules, deep, watch, age_s)
        if known.asking and self._mind is not None:
            asking = f"asking {self._mind.name}; its answer comes in here"
            shown = replace(shown, trace=(*shown.trace, asking))
        watch.followup.brain = shown
        self._touch(watch.endpoint)


def _joined(rules: BrainResult, deep: BrainResult, watch: EndpointWatch, age_s: float) -> BrainResult:
    """Advisories and scores as the rules have them now; words of the mind, and the cause that it puts first."""
    now = watch.casebook.diagnosis
    severity = max((a.severity for a in watch.anomalies(rules.unix)), default=Severity.OK)
    own = tuple(a for a in rules.advisories if a.source == "brain")
    return replace(
        deep,
        unix=rules.unix,
        trace=(*deep.trace, f"that was {age_s:.0f} s ago; advisories and scores are those of now"),
        advisories=(*own, *(a for a in deep.advisories if a.source == "llm")),
        diagnosis=None
        if deep.diagnosis is None or now is None
        else led_by(deep.diagnosis.cause, now, severity),
    )
