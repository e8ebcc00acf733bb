"""From an attempt to its grade: the span before it is kept, and after the delay a quiet one is held against it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inferguard_core.actuation.effect import Both, Effect, effect
from inferguard_core.actuation.span import span
from inferguard_core.comparison import period
from inferguard_core.followup import Grade

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from inferguard_core.actuation.policy import Policy
    from inferguard_core.actuation.span import Span
    from inferguard_core.comparison import Period
    from inferguard_core.followup import Execution
    from inferguard_core.watch import EndpointWatch

CONTROLS_MAX = 4
SPAN_MIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Pending:
    """An attempt whose effect is not measured yet."""

    execution: Execution
    sent_t: float
    due_t: float
    give_up_t: float
    before: Span | None
    controls: Mapping[str, Period] = field(default_factory=dict)
    """The span before, of replicas of the same model that are left alone, by endpoint."""


def begin(
    execution: Execution, watch: EndpointWatch, others: Iterable[EndpointWatch], policy: Policy
) -> Pending:
    """Keep what was before. The span reaches back to the incident's onset at most: health is no control."""
    newest = watch.seen
    t = newest.poll.t if newest is not None else 0.0
    incident = watch.log.open
    seconds = policy.quiet_s
    if newest is not None and incident is not None:
        seconds = min(seconds, max(SPAN_MIN_S, newest.poll.unix - incident.onset_unix))
    alike = [w for w in others if w is not watch and _comparable(w, watch)][:CONTROLS_MAX]
    return Pending(
        execution=execution,
        sent_t=t,
        due_t=t + policy.verified_after_s,
        give_up_t=t + policy.verified_after_s + policy.quiet_s,
        before=None if newest is None else span(newest.window, seconds, watch.limits),
        controls={w.endpoint: period(w.seen.window, seconds, w.limits) for w in alike if w.seen is not None},
    )


def conclude(
    pending: Pending, watch: EndpointWatch, others: Iterable[EndpointWatch], policy: Policy
) -> Effect | None:
    """The effect as of the watch's newest poll; None while it is too early to say."""
    newest = watch.newest
    if newest is None or newest.t < pending.due_t:
        return None
    down = watch.lives["endpoint_down"].active
    if watch.failed_polls and not down and newest.t < pending.give_up_t:
        return None
    if watch.seen is None or pending.before is None or (watch.failed_polls and not down):
        return Effect(Grade.UNKNOWN, ("no good data after the delay to compare with",))
    after = span(watch.seen.window, policy.quiet_s, watch.limits)
    since = newest.t - pending.sent_t
    both = Both(
        before=pending.before,
        after=after,
        answers=not down,
        restarts_since=sum(1 for t in watch.seen.window.history.restarts if t > pending.sent_t),
        seconds_since=since,
        control=_control(pending, others, policy),
        parameters=_parameters(pending.execution),
    )
    return effect(pending.execution.action_type, both)


def _comparable(other: EndpointWatch, watch: EndpointWatch) -> bool:
    return other.seen is not None and other.models == watch.models and other.log.open is None


def _control(
    pending: Pending, others: Iterable[EndpointWatch], policy: Policy
) -> tuple[Period, Period] | None:
    for other in others:
        before = pending.controls.get(other.endpoint)
        if before is not None and other.seen is not None and not other.failed_polls:
            return before, period(other.seen.window, policy.quiet_s, other.limits)
    return None


def _parameters(execution: Execution) -> Mapping[str, float | str]:
    given = execution.payload.get("parameters")
    return given if isinstance(given, dict) else {}
