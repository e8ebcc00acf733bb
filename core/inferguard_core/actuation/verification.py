"""From an attempt to its grade: the span before it is kept, and after the delay a quiet one is held against it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from inferguard_core.actuation.effect import Both, Effect, effect
from inferguard_core.actuation.span import span
from inferguard_core.comparison import period
from inferguard_core.continued import COUNTERS, another_process
from inferguard_core.followup import Grade
from inferguard_core.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from inferguard_core.actuation.policy import Policy
    from inferguard_core.actuation.span import Span
    from inferguard_core.comparison import Period
    from inferguard_core.followup import Execution
    from inferguard_core.watch import EndpointWatch, Seen

CONTROLS_MAX = 4
SPAN_MIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Before:
    """What an endpoint did before an attempt."""

    span: Span | None
    controls: Mapping[str, Period] = field(default_factory=dict)
    """The same span of replicas of the same model that are left alone, by endpoint."""
    exposed: Mapping[str, float] = field(default_factory=dict)
    """Counters and start time as the page had them: whose they are tells whether the engine is still the same."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An attempt whose effect is not measured yet; times are those of the watch's polls."""

    execution: Execution
    before: Before
    sent_t: float
    due_t: float
    give_up_t: float
    taken_up: str = ""
    """Where an earlier run sent it: what that means for the grade."""


def begin(watch: EndpointWatch, others: Iterable[EndpointWatch], policy: Policy) -> Before:
    """Keep what was before. The span reaches back to the incident's onset at most: health is no control."""
    newest = watch.seen
    if newest is None:
        return Before(None)
    incident = watch.log.open
    seconds = policy.quiet_s
    if incident is not None:
        seconds = min(seconds, max(SPAN_MIN_S, newest.poll.unix - incident.onset_unix))
    alike = [w for w in others if w is not watch and _comparable(w, watch)][:CONTROLS_MAX]
    values = newest.reading.values
    return Before(
        span=span(newest.window, seconds, watch.limits),
        controls={w.endpoint: period(w.seen.window, seconds, w.limits) for w in alike if w.seen is not None},
        exposed={s.value: values[s] for s in (*COUNTERS, Signal.PROCESS_START) if s in values},
    )


def pending(execution: Execution, before: Before, sent_t: float, policy: Policy) -> Pending:
    """One that was sent just now."""
    due_t = sent_t + policy.verified_after_s
    return Pending(execution, before, sent_t, due_t, due_t + policy.quiet_s)


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
    before, seen = pending.before.span, watch.seen
    if seen is None or before is None or (watch.failed_polls and not down):
        return _noted(Effect(Grade.UNKNOWN, ("no good data after the delay to compare with",)), pending)
    both = Both(
        before=before,
        after=span(seen.window, policy.quiet_s, watch.limits),
        answers=not down,
        restarts_since=_restarts(pending, seen),
        seconds_since=newest.t - pending.sent_t,
        control=_control(pending, others, policy),
        parameters=_parameters(pending.execution),
    )
    return _noted(effect(pending.execution.action_type, both), pending)


def _noted(found: Effect, pending: Pending) -> Effect:
    return replace(found, lines=(*found.lines, pending.taken_up)) if pending.taken_up else found


def _restarts(pending: Pending, seen: Seen) -> int:
    """Those that were seen, and at least one where the process is another than the one that was acted on."""
    watched = sum(1 for t in seen.window.history.restarts if t > pending.sent_t)
    return max(watched, int(another_process(pending.before.exposed, seen.reading.values)[0]))


def _comparable(other: EndpointWatch, watch: EndpointWatch) -> bool:
    return other.seen is not None and other.models == watch.models and other.log.open is None


def _control(
    pending: Pending, others: Iterable[EndpointWatch], policy: Policy
) -> tuple[Period, Period] | None:
    for other in others:
        before = pending.before.controls.get(other.endpoint)
        if before is not None and other.seen is not None and not other.failed_polls:
            return before, period(other.seen.window, policy.quiet_s, other.limits)
    return None


def _parameters(execution: Execution) -> Mapping[str, float | str]:
    given = execution.payload.get("parameters")
    return given if isinstance(given, dict) else {}
