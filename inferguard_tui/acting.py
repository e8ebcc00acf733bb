"""From settings to an actuator, and what acts without a key: rehearsals by setting, and what a flag allows by name.

Nothing is sent from here but what `--yes-live` names, and that only when the advice has stood through the span it
will be compared with: no action on the first flicker, and a control to grade it by.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from inferguard_core.actuation.actuator import Actuator
from inferguard_core.actuation.audit import Audit
from inferguard_core.actuation.policy import OFF, Policy
from inferguard_core.events import ActionEvent, ExecutionEvent
from inferguard_core.sources.access import Access
from inferguard_tui.person import person

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from pathlib import Path

    from inferguard_core.events import Event
    from inferguard_core.followup import Execution
    from inferguard_core.monitor import Listener, Monitor
    from inferguard_core.settings import Settings
    from inferguard_core.watch import EndpointWatch

STOP_NAME = "STOP"
"""The kill switch in the state directory."""


def policy(settings: Settings) -> Policy:
    """What the settings allow. The engines' credentials and their `insecure` do not extend to the webhook."""
    chosen = settings.actuation
    return Policy(
        mode=chosen.mode,
        target=chosen.endpoint,
        allowlist=frozenset(chosen.allowlist),
        verify_delay_s=chosen.verify_delay,
        quiet_s=chosen.quiet_window,
        deadline_s=chosen.deadline_seconds,
        secret=chosen.secret,
        cooldown_s=chosen.cooldown_seconds,
        per_hour=chosen.max_per_hour,
        kill_switch=chosen.kill_switch_file or settings.memory.state_dir / STOP_NAME,
        read_only=chosen.read_only,
        allow_http=chosen.allow_http,
        access=Access(ca=settings.access.ca_file),
    )


@dataclass(frozen=True, slots=True)
class Unattended:
    """What happens without a person at the keys."""

    rehearse: bool = False
    """Rehearse each allowed advisory as it comes."""
    yes_live: frozenset[str] = frozenset()
    """Action types that are sent; a person named each on the command line."""


class Acting:
    """The actuator of a running monitor."""

    def __init__(
        self,
        settings: Settings,
        monitor: Callable[[], Monitor],
        listener: Listener,
        unattended: Unattended,
        state_dir: Path,
    ) -> None:
        """`monitor` is asked when it is needed: its listener is this one's. The audit is in `state_dir`."""
        self.policy = policy(settings)
        self._monitor = monitor
        self._listener = listener
        self._unattended = unattended
        self._actuator = Actuator(self.policy, Audit(state_dir), lambda: self._monitor().watches, self._told)
        self._tried: set[str] = set()
        self._tasks: set[asyncio.Task[object]] = set()

    @property
    def listener(self) -> Listener:
        """The front end's listener, and ours beside it."""
        return replace(self._listener, on_event=self._event, on_judged=self._judged)

    async def start(self) -> None:
        """Take up what an earlier run sent and did not live to grade."""
        await self._actuator.start()

    async def dry_run(self, action_id: str, who: str) -> Execution | str:
        if self.policy.mode == OFF:
            return "actuation is off; INFERGUARD_ACTUATION_MODE=dry_run lets an action be previewed"
        return await self._actuator.rehearse(action_id, who)

    async def dispatch(self, action_id: str, who: str, confirmed: str) -> Execution | str:
        """Look at the endpoint again, then let the guards decide on what is seen."""
        if self.policy.mode == OFF:
            return "actuation is off; nothing is sent"
        watch = self._actuator.find(action_id)
        if watch is not None:
            await self._monitor().fresh(watch.endpoint)
        return await self._actuator.carry_out(action_id, who, confirmed)

    async def close(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._actuator.close()

    def _told(self, execution: Execution) -> None:
        self._listener.on_event(ExecutionEvent(time.monotonic(), execution.endpoint, execution))
        self._monitor().touch(execution.endpoint)

    def _event(self, event: Event) -> None:
        self._listener.on_event(event)
        if not (self._unattended.rehearse and isinstance(event, ActionEvent)) or self.policy.mode == OFF:
            return
        if event.advisory.action_type.value in self.policy.allowlist:
            self._do(self.dry_run(event.advisory.id, person()))

    def _judged(self, watch: EndpointWatch) -> None:
        self._listener.on_judged(watch)
        self._actuator.judged(watch)
        incident = watch.log.open
        if not self._unattended.yes_live or incident is None or watch.newest is None:
            return
        if watch.newest.unix - incident.onset_unix < self.policy.quiet_s:
            return
        for advisory in watch.casebook.advisories:
            name = advisory.action_type.value
            if name not in self._unattended.yes_live or advisory.superseded_by or advisory.id in self._tried:
                continue
            self._tried.add(advisory.id)
            self._do(self.dispatch(advisory.id, f"{person()} (--yes-live)", name))

    def _do(self, work: Coroutine[object, object, object]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def rehearsals(settings: Settings) -> Callable[[EndpointWatch], Awaitable[None]]:
    """What a short look does with its advice: rehearse what is allowed; the executions stand in the watch."""
    chosen = policy(settings)
    audit = Audit(settings.memory.state_dir)

    async def rehearse(watch: EndpointWatch) -> None:
        newest = watch.newest
        if chosen.mode == OFF or newest is None:
            return
        actuator = Actuator(chosen, audit, lambda: (watch,), clock=lambda: newest.t)
        for advisory in watch.casebook.advisories:
            if advisory.superseded_by is None and advisory.action_type.value in chosen.allowlist:
                await actuator.rehearse(advisory.id, person())

    return rehearse
