"""Carries out advisories in one session: guards, attempt, audit, and later the grade.

It starts nothing by itself: each call names an advisory and who asked. What comes of it goes into the endpoint's
follow-up, its incident's timeline and the audit, and is told to whoever listens.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
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
from inferguard_core.actuation.unfinished import (
    GRADED,
    Unfinished,
    before_json,
    settled,
    taken_up,
    too_late,
    unfinished,
)
from inferguard_core.actuation.verification import Before, Pending, begin, conclude, pending
from inferguard_core.actuation.webhook import Reply, send
from inferguard_core.followup import Execution, Grade, Outcome
from inferguard_core.frame import IncidentEntry
from inferguard_core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from inferguard_core.actuation.effect import Effect
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
        self._left: tuple[Unfinished, ...] = ()
        """What an earlier run did not live to grade; taken up when its endpoint is seen."""
        self._sending: set[asyncio.Task[Execution]] = set()

    async def start(self) -> None:
        """Look up what earlier runs left without a grade. An audit that cannot be read leaves nothing."""
        with suppress(AuditError):
            self._left = unfinished((await asyncio.to_thread(self._audit.read)).records)

    def find(self, action_id: str) -> EndpointWatch | None:
        """The watch whose case holds this advisory."""
        return next((w for w in self._watches() if find_advisory(w, action_id) is not None), None)

    async def rehearse(self, action_id: str, who: str) -> Execution | str:
        """What would be sent, and what each guard says. Nothing is sent."""
        watch = self.find(action_id)
        about = None if watch is None else self._subject(watch, action_id)
        if watch is None or about is None:
            return _no_advice(action_id)
        made = await asyncio.to_thread(self._decided, about, printable(who))
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
        self._take_up(watch)
        for key, one in list(self._pending.items()):
            if one.execution.endpoint != watch.endpoint:
                continue
            seen = conclude(one, watch, self._watches(), self.policy)
            if seen is None:
                continue
            del self._pending[key]
            self._grade(watch, one.execution, seen, late=bool(one.taken_up))

    def _take_up(self, watch: EndpointWatch) -> None:
        """What is left of this endpoint: to be graded by what will be seen, or ended with the reason."""
        newest = watch.newest
        own = [one for one in self._left if one.execution.endpoint == watch.endpoint]
        if not own or newest is None:
            return
        self._left = tuple(one for one in self._left if one not in own)
        for one in own:
            if (ended := too_late(one, newest.unix)) is not None:
                self._grade(watch, one.execution, ended, late=True)
            else:
                self._pending[one.execution.id] = taken_up(one, newest, self.policy)
                _put(watch, one.execution)

    def _grade(self, watch: EndpointWatch, execution: Execution, seen: Effect, *, late: bool) -> None:
        """Write the grade down and tell it; one of an earlier run only if nobody else has, or acted since."""
        graded = replace(execution, grade=seen.grade, verification=seen.lines)
        try:
            with self._audit.book() as book:
                if late and (why := settled(book.records, execution)):
                    if why == GRADED:
                        return
                    graded = replace(graded, grade=Grade.UNKNOWN, verification=(why,))
                book.append(record(graded))
        except (AuditError, OSError) as error:
            graded = _unwritten(graded, error)
        self._keep(watch, graded)

    async def close(self) -> None:
        """Wait for attempts under way: each has its own deadline."""
        await asyncio.gather(*self._sending, return_exceptions=True)

    def _subject(self, watch: EndpointWatch, action_id: str) -> Subject | None:
        advisory = find_advisory(watch, action_id)
        return None if advisory is None else subject(watch, advisory, self._clock())

    async def _attempt(self, watch: EndpointWatch, about: Subject, who: str) -> Execution:
        before, sent_t = begin(watch, self._watches(), self.policy), watch.newest.t if watch.newest else 0.0
        made = await asyncio.to_thread(self._decided, about, who, before)
        self._keep(watch, made)
        if made.outcome is not Outcome.SENDING:
            return made
        reply = await _sent(made, self.policy)
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
            self._pending[made.id] = pending(answered, before, sent_t, self.policy)
        self._keep(watch, answered)
        return answered

    def _decided(self, about: Subject, who: str, before: Before | None = None) -> Execution:
        """Ask the guards and write down what is to be done, under one lock: two processes cannot both go.

        Without `before`, the span that the effect is held against, it is a rehearsal.
        """
        unix, live = time.time(), before is not None
        try:
            with self._audit.book() as book:
                done = attempts(book.records)
                decision = decide(self.policy, about, done, unix, "", live=live)
                made = self._execution(about, decision, unix, who)
                made = replace(made, past=past_uses(done, about))
                kept = before_json(before) if before and made.outcome is Outcome.SENDING else None
                book.append(record(made, first=True, before=kept))
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
            return _unwritten(execution, error)
        return execution

    def _keep(self, watch: EndpointWatch, execution: Execution) -> None:
        _put(watch, execution)
        if entry := _entry(execution):
            watch.log.annotate(execution.incident_id, IncidentEntry(time.time(), entry))
        self._told(execution)


async def _sent(execution: Execution, policy: Policy) -> Reply:
    target = parse_target(policy.target, allow_http=policy.allow_http)
    assert isinstance(target, Target)
    body = encoded(execution.payload)
    key = idempotency_key(execution.endpoint, execution.action_id)
    told = headers(body, key, policy.secret, time.time())
    return await send(target.url, body, told, policy.deadline_s, policy.access)


def _unwritten(execution: Execution, error: Exception) -> Execution:
    said = f"{execution.detail}; " if execution.detail else ""
    return replace(execution, detail=f"{said}the audit could not be written: {error}")


def _put(watch: EndpointWatch, execution: Execution) -> None:
    """Into the endpoint's follow-up, in place of what was known of it."""
    others = [e for e in watch.followup.executions if e.id != execution.id]
    ordered = sorted([execution, *others], key=lambda e: -e.requested_unix)
    watch.followup.executions = tuple(ordered[:KEPT])


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
