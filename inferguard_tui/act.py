"""One action on one endpoint without a screen: a look of its own, the guards, the attempt, the grade.

The look is short and has no past, so it finds what is plain to see; an action that rests on a baseline is for
`watch` and the screen.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from inferguard_core.actuation.policy import DRY_RUN, LIVE, OFF
from inferguard_core.detect.limits import held_within
from inferguard_core.events import ExecutionEvent
from inferguard_core.followup import Outcome
from inferguard_core.monitor import Listener
from inferguard_core.sources.bad_input import BadInput
from inferguard_tui.acting import policy
from inferguard_tui.person import person
from inferguard_tui.scan import SPAN_S
from inferguard_tui.session import LiveFeed

if TYPE_CHECKING:
    from collections.abc import Callable

    from inferguard_core.events import Event
    from inferguard_core.followup import Execution
    from inferguard_core.settings import Settings
    from inferguard_core.sources.address import Address
    from inferguard_core.verdict import ActionType, Advisory
    from inferguard_core.watch import EndpointWatch

NOW = "now"
"""The incident that the look finds."""
LOOK_MORE_S = 20.0
"""After the look, for advice that is about to come: a cause settles, a window fills."""
TICK_S = 0.2


@dataclass(frozen=True, slots=True)
class Asked:
    """What the person wants."""

    incident: str
    action: ActionType
    live: bool
    look_s: float | None
    interval_s: float
    wait: bool


class Act:
    """One run of it."""

    def __init__(
        self,
        endpoint: Address,
        settings: Settings,
        asked: Asked,
        told: Callable[[Execution], None],
        say: Callable[[str], None],
    ) -> None:
        self._asked = asked
        self._policy = policy(settings)
        self._told = told
        self._say = say
        self._look_s = asked.look_s or (self._policy.quiet_s if asked.live else SPAN_S)
        # What holds through most of a short look counts as held; the time of the look for the grade does not.
        limits = held_within(settings.limits, min(self._look_s, SPAN_S))
        polling = replace(settings.polling, interval_seconds=asked.interval_s)
        self._feed = LiveFeed(
            [endpoint],
            replace(settings, limits=limits, polling=polling),
            listener=Listener(on_event=self._event, on_judged=self._judged),
        )
        self._last: Execution | None = None
        self._graded = asyncio.Event()

    async def run(self, confirmed: str | None) -> Execution | str:
        """The execution as it ended, or why there was none. `confirmed` None asks at the terminal."""
        if self._policy.mode == OFF:
            return "actuation is off; INFERGUARD_ACTUATION_MODE=dry_run allows a dry run"
        if self._asked.live and self._policy.mode == DRY_RUN:
            return "actuation is in mode dry_run; --live needs INFERGUARD_ACTUATION_MODE=live"
        assert self._policy.mode in (DRY_RUN, LIVE)
        monitor = await self._feed.start()
        if isinstance(monitor, BadInput):
            return monitor.message
        try:
            (watch,) = monitor.watches
            self._say(f"looking at {watch.name} for {self._look_s:g} s")
            await asyncio.sleep(self._look_s)
            advisory = await self._advice(watch)
            return (
                advisory if isinstance(advisory, str) else await self._carry_out(watch, advisory, confirmed)
            )
        finally:
            await self._feed.close()

    async def _carry_out(
        self, watch: EndpointWatch, advisory: Advisory, confirmed: str | None
    ) -> Execution | str:
        acting = self._feed.acting
        assert acting is not None
        rehearsed = await acting.dry_run(advisory.id, person())
        if isinstance(rehearsed, str) or not self._asked.live:
            return rehearsed
        if rehearsed.outcome is Outcome.REFUSED:
            return rehearsed
        if confirmed is None:
            prompt = f"type {self._asked.action.value} to send it to {rehearsed.target or 'nowhere'}: "
            confirmed = await asyncio.to_thread(input, prompt)
        # Advice may have been renewed while somebody was typing: what was shown is what is sent, or nothing.
        sent = await acting.dispatch(advisory.id, person(), confirmed)
        if isinstance(sent, str) or sent.verify_at_unix is None or not self._asked.wait:
            return sent
        self._say(
            f"watching {watch.name} for {self._policy.verified_after_s:g} s; Ctrl-C ends without a grade"
        )
        await self._graded.wait()
        return self._last or sent

    async def _advice(self, watch: EndpointWatch) -> Advisory | str:
        """The current advisory of the wanted kind, as soon as there is one."""
        left = LOOK_MORE_S
        while True:
            wanted = (a for a in watch.casebook.advisories if a.superseded_by is None)
            found = next((a for a in wanted if a.action_type is self._asked.action), None)
            if found is not None and self._asked.incident in (NOW, found.incident_id):
                return found
            if left <= 0:
                return self._nothing(watch)
            left -= TICK_S
            await asyncio.sleep(TICK_S)

    def _nothing(self, watch: EndpointWatch) -> str:
        name = self._asked.action.value
        if watch.seen is None:
            failure = watch.failure.message if watch.failure is not None else "no answer"
            return f"{watch.name}: {failure}"
        if any(known.id == self._asked.incident for known in watch.log.incidents[:-1]):
            return f"incident {self._asked.incident} is over; `{NOW}` is the present one"
        if watch.log.open is None:
            return f"{watch.name}: nothing is wrong that calls for {name}"
        advised = [a.action_type.value for a in watch.casebook.advisories if a.superseded_by is None]
        cause = watch.casebook.diagnosis.cause if watch.casebook.diagnosis is not None else "unclear"
        return f"{watch.name}: {name} is not advised for {cause}; advised: {', '.join(advised) or 'nothing'}"

    def _judged(self, watch: EndpointWatch) -> None:
        """Let the incident that was named be this one: it opens under its own id in this short look."""
        incident = watch.log.open
        known = {each.id for each in watch.log.incidents} | {NOW}
        if incident is not None and self._asked.incident not in known:
            watch.log.incidents[-1] = replace(incident, id=self._asked.incident)

    def _event(self, event: Event) -> None:
        if isinstance(event, ExecutionEvent):
            self._last = event.execution
            if event.execution.grade is not None:
                self._graded.set()
            self._told(event.execution)
