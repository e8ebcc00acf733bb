"""Canary `flags`: are the proposed flags taken by the argument parser of that engine, in that version?"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from inferguard_brain.canary.verdict import Outcome, Script, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inferguard_brain.canary.verdict import Ran, Runner

ENGINES: Final = ("vllm", "sglang")
TIMEOUT_S: Final = 120.0
LINES: Final = 40


async def flags_canary(
    runner: Runner, engine: str, version: str, flags: Sequence[tuple[str, str]], timeout_s: float = TIMEOUT_S
) -> Verdict:
    """Try `flags` (name, value; an empty value for a switch) where `runner` has the engine.

    `version` is that of the running engine; empty where it is not known, and then any is tried and named.
    """
    if engine not in ENGINES:
        return Verdict(Outcome.NOT_RUN, f"engine {engine!r}: there is a parser for {' and '.join(ENGINES)}")
    if not flags:
        return Verdict(Outcome.NOT_RUN, "no flags are proposed")
    source = files("inferguard_brain.canary").joinpath("flags_script.py").read_text("utf-8")
    asked = {"engine": engine, "version": version, "flags": [list(flag) for flag in flags]}
    ran = await runner.run(Script("flags", source, asked, timeout_s))
    return _verdict(ran, runner.name)


def _verdict(ran: Ran, runner: str) -> Verdict:
    """A run that did not end well, or whose last line is no answer, has said nothing of the flags."""
    tail = tuple(ran.output.splitlines()[-LINES:])
    if ran.trouble or ran.exit_code != 0:
        reason = ran.trouble or f"the script ended with {ran.exit_code}"
        return Verdict(Outcome.NOT_RUN, reason, tail, runner, ran.seconds)
    try:
        told: dict[str, Any] = json.loads(tail[-1]) if tail else {}
        outcome, reason = Outcome(told["verdict"]), str(told["reason"])
        lines = [str(row) for row in told.get("evidence", ())][:LINES]
    except (ValueError, KeyError, TypeError, AttributeError):
        return Verdict(Outcome.NOT_RUN, "the script gave no verdict", tail, runner, ran.seconds)
    return Verdict(outcome, reason, tuple(lines), runner, ran.seconds)
