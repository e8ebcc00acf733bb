"""Whether an advisory's parameters may be carried out: each within bounds that the present load gives.

The bounds are set here a second time, apart from the advice, so that neither a fault in the advice nor an
advisory of another source (the brain, a model) can ask for more. A parameter that was not computed is not
guessed: such an advisory is for people only.
"""

from __future__ import annotations

from math import ceil, isfinite
from typing import TYPE_CHECKING

from inferguard_core.actions.concurrency import AGENTS, CONCUR_GROW, RATE, TARGET
from inferguard_core.actions.load import THROTTLE_LEAST
from inferguard_core.actions.replica import HEADROOM, RANK
from inferguard_core.actions.speculation import POSITIONS_MAX
from inferguard_core.actions.speculation import TARGET as WINDOW
from inferguard_core.verdict import ActionType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from inferguard_core.actuation.subject import Subject

    Parameters = Mapping[str, float | str]

TEXT_MAX = 200
PARAMETERS_MAX = 20
SHAPE_TOKENS = ("prompt_tokens_over", "output_tokens_over")


def out_of_bounds(subject: Subject) -> str:
    """Why these parameters must not be sent; empty when they may."""
    parameters = subject.advisory.parameters
    return _malformed(parameters) or _RULES[subject.advisory.action_type](parameters, subject)


def _malformed(parameters: Parameters) -> str:
    if len(parameters) > PARAMETERS_MAX:
        return f"{len(parameters)} parameters; allowed are {PARAMETERS_MAX}"
    for name, value in parameters.items():
        if isinstance(value, str):
            if len(value) > TEXT_MAX or not value.isprintable():
                return f"{name} is not a short printable text"
        elif isinstance(value, bool) or not isfinite(value):
            return f"{name} is not a finite number"
    return ""


def _throttle(parameters: Parameters, subject: Subject) -> str:
    given = [name for name in (TARGET, AGENTS, RATE) if name in parameters]
    if not given:
        return "no concurrency or rate was computed: nothing to ask for"
    checks = {TARGET: _concurrency, AGENTS: _agents, RATE: _rate}
    return next((why for name in given if (why := checks[name](parameters, subject))), "")


def _concurrency(parameters: Parameters, subject: Subject) -> str:
    wanted, then, now = _number(parameters, TARGET), _number(parameters, "running_now"), subject.running
    if wanted is None or wanted < 1 or not wanted.is_integer():
        return f"{TARGET} {parameters[TARGET]} is not a whole number of at least 1"
    if now is None:
        return "running requests are not known now: no bound for the target"
    least = ceil(THROTTLE_LEAST * (now if then is None else min(then, now)))
    if wanted < least:
        return f"{TARGET} {wanted:g} is below {least}, half of what runs"
    if wanted >= max(now, then or 0.0):
        return f"{TARGET} {wanted:g} throttles nothing: {now:g} run now"
    return ""


def _agents(parameters: Parameters, _: Subject) -> str:
    wanted, now = _number(parameters, AGENTS), _number(parameters, "in_flight_now")
    if wanted is None or wanted < 1 or not wanted.is_integer():
        return f"{AGENTS} {parameters[AGENTS]} is not a whole number of at least 1"
    if now is None:
        return "requests in flight are not known: no bound for the agents"
    if not int(THROTTLE_LEAST * now) <= wanted <= now + 2 * CONCUR_GROW:
        return f"{AGENTS} {wanted:g} is not between half of {now:g} in flight and {2 * CONCUR_GROW} more"
    return ""


def _rate(parameters: Parameters, _: Subject) -> str:
    wanted, done = _number(parameters, RATE), _number(parameters, "completions_per_second")
    if wanted is None or wanted <= 0:
        return f"{RATE} {parameters[RATE]} is not above 0"
    if done is None or not THROTTLE_LEAST * done <= wanted <= done:
        return f"{RATE} {wanted:g} is not between half and all of what completes"
    return ""


def _window(parameters: Parameters, _: Subject) -> str:
    wanted, now = _number(parameters, WINDOW), _number(parameters, "window_now")
    if wanted is None or now is None:
        return "no window was computed: nothing to ask for"
    if not wanted.is_integer() or not 0 <= wanted < min(now, POSITIONS_MAX + 1.0):
        return f"{WINDOW} {wanted:g} is not a whole number from 0 to below the present {now:g}"
    return ""


def _drain(parameters: Parameters, subject: Subject) -> str:
    rank, others = parameters.get(RANK), _number(parameters, "others_usage_after")
    if rank is not None and rank not in subject.ranks:
        return f"rank {rank} is not on the page"
    if others is not None and others > HEADROOM:
        return f"the other ranks would be at {others:.0%} of their pools; allowed is {HEADROOM:.0%}"
    return ""


def _quarantine(parameters: Parameters, _: Subject) -> str:
    given = [name for name in SHAPE_TOKENS if name in parameters]
    if len(given) != 1:
        return "the shape is not named: nothing to refuse by"
    over = _number(parameters, given[0])
    if over is None or over < 1:
        return f"{given[0]} {parameters[given[0]]} is not a number of tokens"
    return ""


def _any(_: Parameters, __: Subject) -> str:
    return ""


def _number(parameters: Parameters, name: str) -> float | None:
    value = parameters.get(name)
    return None if value is None or isinstance(value, str) else float(value)


_RULES: Mapping[ActionType, Callable[[Parameters, Subject], str]] = {
    ActionType.THROTTLE_CONCURRENCY: _throttle,
    ActionType.SHRINK_SPECULATION_WINDOW: _window,
    ActionType.DRAIN_AND_RECYCLE: _drain,
    ActionType.QUARANTINE_SHAPE: _quarantine,
    ActionType.FLUSH_SESSION_RADIX: _any,
    ActionType.RECOMMEND_COMPACTION: _any,
}
