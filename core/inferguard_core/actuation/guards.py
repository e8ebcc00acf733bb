"""The seat belt: each guard alone, a pure function from what is set, what was done and what is seen to a Check.

Every guard is asked every time, also after one has said no, so that a person sees all reasons at once. A guard
that cannot tell refuses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from inferguard_core.actuation.attempts import SENT
from inferguard_core.actuation.bounds import out_of_bounds
from inferguard_core.actuation.policy import DRY_RUN, LIVE, OFF
from inferguard_core.followup import Check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_core.actuation.attempts import Attempt
    from inferguard_core.actuation.subject import Subject
    from inferguard_core.actuation.target import Target
    from inferguard_core.verdict import ActionType

HOUR_S: Final = 3600.0


def mode(setting: str, *, live: bool) -> Check:
    """`off` allows nothing, `dry_run` a rehearsal, `live` both."""
    if setting == OFF:
        return Check("mode", False, "mode off: INFERGUARD_ACTUATION_MODE=dry_run allows a dry run")
    if live and setting == DRY_RUN:
        return Check("mode", False, "mode dry_run: nothing is sent before INFERGUARD_ACTUATION_MODE=live")
    return Check("mode", setting in (DRY_RUN, LIVE), f"mode {setting}")


def allowlist(allowed: frozenset[str], action: ActionType) -> Check:
    if action.value in allowed:
        return Check("allowlist", True, "in the allowlist")
    listed = ", ".join(sorted(allowed)) or "nothing"
    return Check("allowlist", False, f"not in INFERGUARD_ACTUATION_ALLOWLIST, which holds {listed}")


def bounds(subject: Subject) -> Check:
    why = out_of_bounds(subject)
    return Check("bounds", not why, why or "parameters within bounds")


def still_true(subject: Subject) -> Check:
    """The advice stands: its incident is open and firing, and no later advice took its place."""
    advisory = subject.advisory
    if advisory.superseded_by is not None:
        return Check("still_true", False, f"superseded by {advisory.superseded_by}")
    if not subject.incident_open:
        return Check("still_true", False, f"incident {advisory.incident_id} is not open any more")
    if subject.recovering or not subject.troubles:
        return Check("still_true", False, f"incident {advisory.incident_id} is recovering by itself")
    return Check("still_true", True, f"still firing: {', '.join(subject.troubles)}")


def fresh(subject: Subject) -> Check:
    """Acts on what is, not on what was: the newest poll is good and its page not stale."""
    if subject.age_s is None:
        return Check("fresh", False, "no data yet")
    if subject.last_poll_failed:
        return Check("fresh", False, f"the newest poll failed; the data are {subject.age_s:.0f} s old")
    if subject.age_s > subject.stale_after_s:
        return Check(
            "fresh", False, f"data {subject.age_s:.0f} s old; stale after {subject.stale_after_s:.0f} s"
        )
    return Check("fresh", True, f"data {subject.age_s:.0f} s old")


def once(done: Sequence[Attempt], action_id: str) -> Check:
    """One attempt per advisory: what may have been applied is not sent a second time."""
    earlier = next((a for a in reversed(done) if a.action_id == action_id and a.outcome in SENT), None)
    if earlier is None:
        return Check("once", True, "not sent before", live_only=True)
    return Check("once", False, f"was sent before: {earlier.outcome.value}", live_only=True)


def cooldown(
    done: Sequence[Attempt], action: ActionType, endpoint: str, unix: float, least_s: float
) -> Check:
    times = [
        a.unix for a in done if a.action_type == action.value and a.endpoint == endpoint and a.outcome in SENT
    ]
    if not times:
        return Check("cooldown", True, "cooldown ok: none before", live_only=True)
    # A clock that was set back must not open the door: an attempt in the future counts as one just now.
    since = max(0.0, unix - max(times))
    if since < least_s:
        text = f"last {action.value} here {since:.0f} s ago; allowed every {least_s:.0f} s"
        return Check("cooldown", False, text, live_only=True)
    return Check("cooldown", True, f"cooldown ok: last {since:.0f} s ago", live_only=True)


def per_hour(done: Sequence[Attempt], unix: float, most: int) -> Check:
    """Over all endpoints and actions."""
    count = sum(1 for a in done if a.outcome in SENT and unix - a.unix < HOUR_S)
    return Check("per_hour", count < most, f"{count} of {most} this hour", live_only=True)


def in_flight(done: Sequence[Attempt], endpoint: str, unix: float) -> Check:
    """One at a time: a second action before the first one's effect is measured would blur both."""
    busy = next((a for a in done if a.endpoint == endpoint and a.in_flight(unix)), None)
    if busy is None:
        return Check("in_flight", True, "none in flight here", live_only=True)
    left = busy.graded_by_unix - unix
    text = f"{busy.action_type} is in flight here: its effect is known in {left:.0f} s"
    return Check("in_flight", False, text, live_only=True)


def kill_switch(path: str, *, present: bool | None) -> Check:
    """`present` None: it cannot be told whether the file is there."""
    if present is None:
        return Check("kill_switch", False, f"cannot look whether {path} exists", live_only=True)
    text = f"{path} exists: remove it to act again" if present else "no kill switch file"
    return Check("kill_switch", not present, text, live_only=True)


def read_only(*, flag: bool) -> Check:
    text = "INFERGUARD_ACTUATION_READ_ONLY is set" if flag else "not read-only"
    return Check("read_only", not flag, text, live_only=True)


def target(parsed: Target | str) -> Check:
    if isinstance(parsed, str):
        return Check("target", False, parsed, live_only=True)
    return Check("target", True, f"target {parsed.shown}", live_only=True)


def audit(problem: str) -> Check:
    """An action that leaves no trace is not carried out."""
    text = f"audit cannot be written: {problem}" if problem else "audit can be written"
    return Check("audit", not problem, text, live_only=True)
