"""Writes `docs/coverage.md`: no range of versions in it is typed, all come from the engine tables."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from inferguard_core.actions.plan import PLANS, TRIGGERS
from inferguard_core.coverage.conclusions import BASES, KNOWN_BY, REMARKS, SEEN_AS
from inferguard_core.coverage.kinds import SIGHTS, Status
from inferguard_core.coverage.ranges import LINES, exported, spelled, spellings, where
from inferguard_core.coverage.shortfalls import SHORTFALLS, Shortfall
from inferguard_core.diagnose.signatures import SIGNATURES
from inferguard_core.engines.version import parse_version
from inferguard_core.reading import Engine
from inferguard_core.signals import SIGNALS, Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from inferguard_core.coverage.kinds import Sight
    from inferguard_core.coverage.ranges import Line
    from inferguard_core.engines.version import Version
    from inferguard_core.verdict import ActionType

INTRODUCTION = """\
# Coverage

<!-- Written by `python -m inferguard_core.coverage .`; edit the code, not this page. -->

What the monitor sees of vLLM and SGLang, and what it does not. **Detected**: from what the engine counts.
**Approximated**: inferred, and the line says from what. **Not covered**: this version exports nothing that would tell;
the rule is then listed as blind on screen and never counted as healthy.

Versions are those at which the engine's own names change: `0.8.0+` is from that version on, `all` is every
version read (vLLM from 0.4, its V1 engine from 0.7.1, its V0 engine to 0.10.2, SGLang from 0.3.5). A metric that a
flag must turn on counts as exported; the screen names the flag where it is off.
"""


def coverage_page() -> str:
    """The text of `docs/coverage.md`."""
    return "\n".join([INTRODUCTION, *_anomalies(), "", *_causes(), "", *_actions(), "", *_signals()]) + "\n"


def status_of(sight: Sight, line: Line, version: Version) -> Status:
    """How one version lets a kind be seen as a whole; parts of it may still be worse."""
    if not _seen(sight, line, version):
        return Status.NOT_COVERED
    whole = [s for s in SHORTFALLS if sight.kind in s.kinds and not s.part and applies(s, line, version)]
    if any(s.status is Status.NOT_COVERED for s in whole):
        return Status.NOT_COVERED
    return Status.APPROXIMATED if whole else Status.DETECTED


def applies(shortfall: Shortfall, line: Line, version: Version) -> bool:
    """Whether a version falls short in this way."""
    before = parse_version(shortfall.before)
    return (
        shortfall.engine in {None, line.engine}
        and shortfall.generation in {"", line.generation}
        and (before is None or version < before)
        and not any(_has(name, line, version) for name in shortfall.without)
        and all(_has(name, line, version) for name in shortfall.given)
    )


def _seen(sight: Sight, line: Line, version: Version) -> bool:
    return _any_set(sight.inputs, line, version) and all(
        any(_has(signal, line, version) for signal in group) for group in sight.besides
    )


def _any_set(sets: Sequence[Sequence[Signal]], line: Line, version: Version) -> bool:
    """Whether all of any of these sets is exported; nothing asked for is always there."""
    return not sets or any(all(_has(signal, line, version) for signal in one) for one in sets)


def _has(name: str, line: Line, version: Version) -> bool:
    return exported(name, line, version, hidden=True)


def _anomalies() -> Iterator[str]:
    yield "## Anomalies"
    yield ""
    yield from _head("kind", "what it is", *(line.title for line in LINES))
    for sight in SIGHTS:
        cells = [_statuses(partial(status_of, sight, line), line) for line in LINES]
        yield _row(f"`{sight.kind}`", sight.what, *cells)
    yield ""
    yield "What of them is inferred, or missing:"
    yield ""
    yield from _head("kind", "part", "status", "where", "how, or why not")
    for shortfall in SHORTFALLS:
        yield _row(
            ", ".join(f"`{kind}`" for kind in shortfall.kinds),
            shortfall.part or "all of it",
            shortfall.status.value,
            _places(shortfall),
            shortfall.reason,
        )


def _causes() -> Iterator[str]:
    yield "## Causes"
    yield ""
    yield "A cause is named where everything that defines it can be known. All are conclusions by rules: the screen"
    yield "shows for each what speaks for it and against it, and what could not be known."
    yield ""
    yield from _head("cause", *(line.title for line in LINES), "inferred")
    for cause, signature in SIGNATURES.items():
        cells = [_statuses(partial(_named, signature.required, line), line) for line in LINES]
        yield _row(f"`{cause}`", *cells, REMARKS.get(cause, ""))


def _named(required: Sequence[str], line: Line, version: Version) -> Status:
    if "is_sglang" in required and line.engine is not Engine.SGLANG:
        return Status.NOT_COVERED
    seen = {_known(condition, line, version) for condition in required}
    return next(status for status in reversed(tuple(Status)) if status in seen)


def _known(condition: str, line: Line, version: Version) -> Status:
    if condition in SEEN_AS:
        sight = next(s for s in SIGHTS if s.kind == SEEN_AS[condition])
        return status_of(sight, line, version)
    return Status.DETECTED if _any_set(KNOWN_BY[condition], line, version) else Status.NOT_COVERED


def _actions() -> Iterator[str]:
    yield "## Actions"
    yield ""
    yield "Advice only. Where the number cannot be computed the advice says so and stands without one."
    yield ""
    yield from _head("action", "advised for", "its number", *(f"on {line.title}" for line in LINES), "limits")
    for basis in BASES:
        cells = [_computed(basis.inputs, line) for line in LINES]
        causes = ", ".join(f"`{cause}`" for cause in advised_for(basis.action))
        yield _row(f"`{basis.action.value}`", causes, basis.number or "none", *cells, basis.remark)


def advised_for(action: ActionType) -> list[str]:
    """Causes that lead to an action, in the order of the table."""
    planned = {cause for cause, steps in PLANS.items() if any(step.action is action for step in steps)}
    planned |= {trigger.cause for trigger in TRIGGERS if trigger.step.action is action}
    return [cause for cause in SIGNATURES if cause in planned]


def _computed(sets: Sequence[Sequence[Signal]], line: Line) -> str:
    if not sets:
        return "—"
    return spelled(where(line, lambda v: _any_set(sets, line, v)), line) or "not computed"


def _signals() -> Iterator[str]:
    yield "## Signals"
    yield ""
    yield "Names best first; `+` is added to the name before it. What is not listed is not exported."
    yield ""
    yield from _head("signal", "what it is", *(line.title for line in LINES))
    for signal in Signal:
        cells = ["<br>".join(_named_in(signal, line)) or "not exported" for line in LINES]
        yield _row(f"`{signal.value}`", SIGNALS[signal].meaning, *cells)


def _named_in(signal: Signal, line: Line) -> Iterator[str]:
    for name, ranges in spellings(signal, line):
        yield f"{name.replace('|', chr(92) + '|')} {spelled(ranges, line)}"


def _statuses(judge: Callable[[Version], Status], line: Line) -> str:
    """`detected 0.5.7+; not covered before 0.5.7`, the best first; only the word where it is always so."""
    parts = []
    for status in Status:
        ranges = where(line, lambda v, wanted=status: judge(v) is wanted)  # type: ignore[misc]
        if ranges:
            text = spelled(ranges, line)
            parts.append(status.value if text == "all" else f"{status.value} {text}")
    return "; ".join(parts)


def _places(shortfall: Shortfall) -> str:
    parts = []
    for line in LINES:
        text = spelled(where(line, partial(applies, shortfall, line)), line)
        if text:
            parts.append(f"{line.title} {text}")
    return "; ".join(parts)


def _head(*titles: str) -> Iterator[str]:
    yield _row(*titles)
    yield "|" + "---|" * len(titles)


def _row(*cells: str) -> str:
    return f"| {' | '.join(_escaped(cells))} |"


def _escaped(cells: Iterable[str]) -> Iterator[str]:
    return (cell or " " for cell in cells)
