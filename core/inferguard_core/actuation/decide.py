"""All guards over one attempt: what every one of them says, in the order in which a person reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from inferguard_core.actuation import guards
from inferguard_core.actuation.target import parse_target
from inferguard_core.followup import Check, Grade, PastUse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from inferguard_core.actuation.attempts import Attempt
    from inferguard_core.actuation.policy import Policy
    from inferguard_core.actuation.subject import Subject

PAST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Decision:
    checks: tuple[Check, ...]
    live: bool

    @property
    def refusal(self) -> str:
        """Why it may not go on, all reasons in one line; empty when it may."""
        return "; ".join(c.text for c in self.checks if not c.ok and (self.live or not c.live_only))


def decide(
    policy: Policy, subject: Subject, done: Sequence[Attempt], unix: float, audit_problem: str, *, live: bool
) -> Decision:
    """Ask every guard. `done` is what the audit holds; reads the kill switch file."""
    advisory = subject.advisory
    action = advisory.action_type
    checks = (
        guards.mode(policy.mode, live=live),
        guards.allowlist(policy.allowlist, action),
        guards.bounds(subject),
        guards.still_true(subject),
        guards.fresh(subject),
        guards.once(done, advisory.id),
        guards.cooldown(done, action, advisory.endpoint, unix, policy.cooldown_s),
        guards.per_hour(done, unix, policy.per_hour),
        guards.in_flight(done, advisory.endpoint, unix),
        guards.kill_switch(str(policy.kill_switch), present=_exists(policy.kill_switch)),
        guards.read_only(flag=policy.read_only),
        guards.target(parse_target(policy.target, allow_http=policy.allow_http)),
        guards.audit(audit_problem),
    )
    return Decision(checks, live)


def past_uses(done: Sequence[Attempt], subject: Subject) -> tuple[PastUse, ...]:
    """Earlier attempts of this action on this endpoint, newest first."""
    action, endpoint = subject.advisory.action_type.value, subject.endpoint
    same = (a for a in reversed(done) if a.action_type == action and a.endpoint == endpoint)
    uses = [PastUse(a.incident_id, a.unix, a.grade or Grade.UNKNOWN) for a in same]
    return tuple(uses[:PAST_SHOWN])


def _exists(path: Path) -> bool | None:
    """A dangling link counts: somebody put it there to stop us."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError:
        return None
    return True
