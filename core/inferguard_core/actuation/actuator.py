"""Carries out advisories in one session: guards, attempt, audit, and later the grade.

It starts nothing by itself: each call names an advisory and who asked. What comes of it goes into the endpoint's
follow-up, its incident's timeline and the audit, and is told to whoever listens.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from inferguard_core.actuation.attempts import REACHED, attempts
from inferguard_core.actuation.audit import Audit, AuditError
from inferguard_core.actuation.decide import Decision, decide, past_uses
from inferguard_core.actuation.effect import watched
from inferguard_core.actuation.payload import encoded, headers, idempotency_key, payload
from inferguard_core.actuation.record import record
from inferguard_core.actuation.subject import find_advisory, subject
from inferguard_core.actuation.target import Target, parse_target
from inferguard_core.actuation.verification import Pending, begin, conclude
from inferguard_core.actuation.webhook import Reply, send
from inferguard_core.followup import Execution, Outcome
from inferguard_core.frame import IncidentEntry
from inferguard_core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from inferguard_core.actuation.policy import Policy
    from inferguard_core.actuation.subject import Subject
    from inferguard_core.watch import EndpointWatch

KEPT = 50
"""Executions of one endpoint."""


class Actuator:
    """One for all endpoints of a session."""

    def __init__(
        self,
        policy: Policy,
        audit: Audit,
        watches: Callable[[], Sequence[EndpointWatch]],
        told: Callable[[Execution], None] = lambda _execution: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`told` hears of every change of an execution; `clock` is the clock of the watches' polls."""
        self.policy = policy
        self._audit = audit
        self._watches = watches
        self._told = told
        self._clock = clock
        self._pending: dict[str, Pending] = {}
        self._sending: set[asyncio.Task[Execution]] = set()

    @property
    def waiting(self) -> bool:
        """Whether something was sent whose effect is not graded yet."""
        return bool(self._pending or self._sending)

    def find(self, action_id: str) -> EndpointWatch | None:
        """The watch whose case holds this advisory."""
        return next((w for w in self._watches() if find_advisory(w, action_id) is not None), None)

    async def rehearse(self, action_id: str, who: str) -> Execution | str:
        """What would be sent, and what each guard says. Nothing is sent."""
        watch = self.find(action_id)
        about = None if watch is None else self._subject(watch, action_id)
        if watch is None or about is None:
            return _no_advice(action_id)
        made = await asyncio.to_thread(self._decided, about, printable(who), live=False)
        self._keep(watch, made)
        return made

    async def carry_out(self, action_id: str, who: str, confirmed: str) -> Execution | str:
        """Send it once, when `confirmed` is the action's own name and every guard agrees.

        The caller has polled the endpoint just before. Once under way it ends even when the caller is cancelled.
        """
        watch = self.find(action_id)
        about = None if watch is None else self._subject(watch, action_id)
        if watch is None or about is None:
            return _no_advice(action_id)
        name = about.advisory.action_type.value
        if confirmed.strip() != name:
            return f"not confirmed: type {name} to send it"
        task = asyncio.create_task(self._attempt(watch, about, printable(who)))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        return await asyncio.shield(task)

    def judged(self, watch: EndpointWatch) -> None:
        """A poll of `watch` was taken: grade what is due."""
        for key, pending in list(self._pending.items()):
            if pending.execution.endpoint != watch.endpoint:
                continue
            seen = conclude(pending, watch, self._watches(), self.policy)
            if seen is None:
                continue
            del self._pending[key]
            graded = replace(pending.execution, grade=seen.grade, verification=seen.lines)
            self._keep(watch, self._written(graded))

    async def close(self) -> None:
        """Wait for attempts under way: each has its own deadline."""
        await asyncio.gather(*self._sending, return_exceptions=True)

    def _subject(self, watch: EndpointWatch, action_id: str) -> Subject | None:
        advisory = find_advisory(watch, action_id)
        return None if advisory is None else subject(watch, advisory, self._clock())

    async def _attempt(self, watch: EndpointWatch, about: Subject, who: str) -> Execution:
        made = await asyncio.to_thread(self._decided, about, who, live=True)
        self._keep(watch, made)
        if made.outcome is not Outcome.SENDING:
            return made
        pending = begin(made, watch, self._watches(), self.policy)
        reply = await self._send(made)
        answered = replace(
            made,
            outcome=reply.outcome,
            detail=reply.detail,
            reference=reply.reference,
            answered_unix=time.time(),
            verify_at_unix=made.verify_at_unix if reply.outcome in REACHED else None,
        )
        answered = await asyncio.to_thread(self._written, answered)
        if answered.outcome in REACHED:
            self._pending[made.id] = replace(pending, execution=answered)
        self._keep(watch, answered)
        return answered

    async def _send(self, execution: Execution) -> Reply:
        target = parse_target(self.policy.target, allow_http=self.policy.allow_http)
        assert isinstance(target, Target)
        body = encoded(execution.payload)
        key = idempotency_key(execution.endpoint, execution.action_id)
        told = headers(body, key, self.policy.secret, time.time())
        return await send(target.url, body, told, self.policy.deadline_s, self.policy.access)

    def _decided(self, about: Subject, who: str, *, live: bool) -> Execution:
        """Ask the guards and write down what is to be done, under one lock: two processes cannot both go."""
        unix = time.time()
        try:
            with self._audit.book() as book:
                done = attempts(book.records)
                decision = decide(self.policy, about, done, unix, "", live=live)
                made = self._execution(about, decision, unix, who)
                made = replace(made, past=past_uses(done, about))
                book.append(record(made, first=True))
                return made
        except (AuditError, OSError) as error:
            problem = str(error) if isinstance(error, AuditError) else error.strerror or str(error)
            decision = decide(self.policy, about, (), unix, problem, live=live)
            return self._execution(about, decision, unix, who)

    def _execution(self, about: Subject, decision: Decision, unix: float, who: str) -> Execution:
        policy, advisory = self.policy, about.advisory
        target = parse_target(policy.target, allow_http=policy.allow_http)
        allowed = Outcome.SENDING if decision.live else Outcome.DRY_RUN
        outcome = Outcome.REFUSED if decision.refusal else allowed
        return Execution(
            id=f"{idempotency_key(advisory.endpoint, advisory.id)[:12]}-{int(unix * 1000)}",
            action_id=advisory.id,
            action_type=advisory.action_type,
            incident_id=advisory.incident_id,
            endpoint=advisory.endpoint,
            mode="live" if decision.live else "dry_run",
            outcome=outcome,
            requested_unix=unix,
            requested_by=who,
            payload=payload(about, unix, who, dry_run=not decision.live),
            detail=decision.refusal,
            verify_at_unix=unix + policy.verified_after_s if outcome is Outcome.SENDING else None,
            target=target.shown if isinstance(target, Target) else "",
            checks=decision.checks,
            watches=(watched(advisory.action_type), policy.spans),
            data_age_s=about.age_s,
        )

    def _written(self, execution: Execution) -> Execution:
        """Put the change into the audit; a failure is said with the outcome, which it cannot undo."""
        try:
            with self._audit.book() as book:
                book.append(record(execution))
        except (AuditError, OSError) as error:
            said = f"{execution.detail}; " if execution.detail else ""
            return replace(execution, detail=f"{said}the audit could not be written: {error}")
        return execution

    def _keep(self, watch: EndpointWatch, execution: Execution) -> None:
        others = [e for e in watch.followup.executions if e.id != execution.id]
        ordered = sorted([execution, *others], key=lambda e: -e.requested_unix)
        watch.followup.executions = tuple(ordered[:KEPT])
        if entry := _entry(execution):
            watch.log.annotate(execution.incident_id, IncidentEntry(time.time(), entry))
        self._told(execution)


def _entry(execution: Execution) -> str:
    """The line for the incident's timeline; a rehearsal leaves none."""
    if execution.mode != "live":
        return ""
    name = execution.action_type.value
    if execution.grade is not None:
        return f"{name}: {execution.grade.value}; {'; '.join(execution.verification[:2])}"
    said = f" ({execution.detail})" if execution.detail else ""
    return f"{name} by {execution.requested_by}: {execution.outcome.value}{said}"


def _no_advice(action_id: str) -> str:
    return f"{printable(action_id)} is not advised here now"
