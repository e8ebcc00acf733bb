"""Canaries of a session: where a script runs by the settings, and a small slice of recorded load on a staging engine.

Load goes only where `validate` would send it, by the same guards; a comparison that cannot tell is no pass.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inferguard_brain.canary.verdict import Outcome, Verdict
from inferguard_core.counted import counted
from inferguard_core.replay.client import Api
from inferguard_core.replay.contrast import Verdict as Compared
from inferguard_core.replay.export import read_export
from inferguard_core.replay.figures import PERCENTILES
from inferguard_core.replay.plan import Choice, make_plan
from inferguard_core.replay.report import compared, read_baseline, to_json
from inferguard_core.sources.address import parse_address
from inferguard_core.sources.bad_input import BadInput
from inferguard_tui.session import access
from inferguard_tui.validate import Order, Told, validate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from inferguard_brain.canary.verdict import Runner
    from inferguard_core.replay.contrast import Contrast
    from inferguard_core.replay.report import Result
    from inferguard_core.settings import Settings

SESSIONS = 8
"""A slice: enough for a comparison over sessions to say something, over in minutes."""
_SAID = {
    Compared.IMPROVED: Outcome.PASSED,
    Compared.NO_DIFFERENCE: Outcome.PASSED,
    Compared.REGRESSED: Outcome.FAILED,
    Compared.INCONCLUSIVE: Outcome.NOT_RUN,
}


def runner(settings: Settings, python: str | None, sites: tuple[Path, ...], where: str | None) -> Runner:
    """`where` is local or daytona; by default a workspace where there is a key, unless `python` is named."""
    from inferguard_brain.canary.daytona import DaytonaRunner
    from inferguard_brain.canary.local import LocalRunner

    brain = settings.brain
    key = brain.daytona_api_key
    if key is not None and (where == "daytona" or (where is None and python is None)):
        return DaytonaRunner(key.get_secret_value(), brain.daytona_api_url, brain.daytona_snapshot)
    return LocalRunner(sites=sites) if python is None else LocalRunner(python, sites)


@dataclass(frozen=True, slots=True)
class Slice:
    """Load before and after a change of a staging engine."""

    url: str
    export: Path
    before: Path
    """Where the run before the change is kept; made when it is not there."""
    sessions: int = SESSIONS
    model: str | None = None


async def replay_canary(wanted: Slice, settings: Settings, tell: Callable[[str], None]) -> Verdict:
    """The first call measures the engine as it is, the next one compares it with that."""
    began = time.monotonic()
    measured = not wanted.before.exists()
    baseline = None if measured else read_baseline(wanted.before)
    if isinstance(baseline, BadInput):
        return Verdict(Outcome.NOT_RUN, baseline.message)
    result = await _sent(wanted, settings, tell)
    seconds = time.monotonic() - began
    if isinstance(result, BadInput):
        return Verdict(Outcome.NOT_RUN, result.message, runner=wanted.url, seconds=seconds)
    if baseline is None:
        try:
            wanted.before.write_text(json.dumps(to_json(result), ensure_ascii=False), "utf-8")
        except OSError as error:
            return Verdict(
                Outcome.NOT_RUN, f"{wanted.before}: {error.strerror}", runner=wanted.url, seconds=seconds
            )
        reason = f"before is measured and in {wanted.before}; change the staging engine and run this again"
        return Verdict(Outcome.NOT_RUN, reason, _measured(result), wanted.url, seconds)
    return _judged(compared(result, baseline), result, wanted.url, seconds)


async def _sent(wanted: Slice, settings: Settings, tell: Callable[[str], None]) -> Result | BadInput:
    address = parse_address(wanted.url)
    export = address if isinstance(address, BadInput) else read_export(wanted.export)
    if isinstance(address, BadInput):
        return address
    if isinstance(export, BadInput):
        return export
    choice = Choice(
        runtime_stack_id=settings.replay.runtime_stack_id, max_sessions=wanted.sessions, ignore_waits=True
    )
    plan = make_plan(export, choice)
    if isinstance(plan, BadInput):
        return BadInput(f"{wanted.export}: {plan}")
    order = Order(
        plan, wanted.export.name, settings.replay.max_concurrency, PERCENTILES, Api.CHAT, wanted.model
    )
    told = Told(tell, lambda _run: None, lambda _outcome: None)
    return await validate(address, access(settings), settings.limits, order, told)


def _judged(contrast: Contrast, result: Result, url: str, seconds: float) -> Verdict:
    rows = [
        f"{c.what}: {_amount(c.before)} before, {_amount(c.after)} after, n {c.n}: {c.verdict.value}"
        for c in contrast.changes
    ]
    reason = f"{contrast.verdict.value}: {contrast.why}"
    return Verdict(_SAID[contrast.verdict], reason, (*rows, *_measured(result)), url, seconds)


def _amount(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"


def _measured(result: Result) -> tuple[str, ...]:
    return (f"{result.figures.answered} of {counted(result.plan.turns, 'turn')} answered",)
