"""A fix proposes what lasts: measured while the pool was full, and still while a person reads it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inferguard_core.detect.limits import Limits
from inferguard_core.poll import ProofLevel
from inferguard_core.remediation import steady
from inferguard_core.signals import Signal
from inferguard_core.verdict import Fix, FlagChange
from inferguard_core.watch import EndpointWatch
from inferguard_tui.simulator.dialect import Dialect
from inferguard_tui.simulator.engine import SimulatedEngine
from inferguard_tui.simulator.scenarios import SCENARIOS
from inferguard_tui.simulator.source import SimulatedSource
from tests.core.fix_scenes import FULL, diff, fixed

S = Signal
LIMIT = "--max-num-seqs"


def proposing(number: str, *, cause: str = "kv_exhausted", current: str | None = None) -> Fix:
    changes = (FlagChange(LIMIT, current, number, ""), FlagChange("--kv-cache-dtype", None, "fp8", ""))
    return Fix(cause, changes, "why", "effect", "cost", "check", notes=(number,))


@pytest.mark.parametrize(
    ("number", "stands"), [("100", True), ("115", True), ("85", True), ("116", False), ("84", False)]
)
def test_a_number_stands_until_it_has_really_moved(number: str, stands: bool) -> None:
    standing, made = proposing("100"), proposing(number)
    assert steady(standing, made) is (standing if stands else made)


@pytest.mark.parametrize(
    "made",
    [
        proposing("100", cause="long_contexts"),
        proposing("100", current="256"),
        replace(proposing("100"), changes=proposing("100").changes[:1]),
        replace(
            proposing("100"),
            changes=(proposing("100").changes[0], FlagChange("--kv-cache-dtype", None, "fp8_e5m2", "")),
        ),
        None,
    ],
    ids=["cause", "running value", "fewer flags", "word", "none"],
)
def test_what_differs_in_anything_else_takes_its_place(made: Fix | None) -> None:
    assert steady(proposing("100"), made) is made


def test_where_nothing_stands_what_is_made_does() -> None:
    made = proposing("100")
    assert steady(None, made) is made


def test_the_limit_is_what_the_pool_held_while_it_was_full() -> None:
    # Full at 60 running until twelve seconds ago; since then 40 run at 0.8, which alone reads as 50.
    levels = {
        **FULL,
        S.RUNNING: lambda t: 40.0 if t > 78 else 60.0,
        S.KV_USAGE: lambda t: 0.8 if t > 78 else 1.0,
    }
    assert diff(fixed("kv_exhausted", levels=levels))[LIMIT] == (None, "60")


def test_two_full_readings_are_too_few() -> None:
    assert diff(fixed("kv_exhausted", levels=FULL))[LIMIT] == (None, "50")


@pytest.mark.parametrize("dialect", [Dialect.VLLM_V1, Dialect.SGLANG])
async def test_through_an_incident_the_proposed_limit_hardly_moves(dialect: Dialect) -> None:
    source = SimulatedSource(SimulatedEngine(SCENARIOS["incident"], engine=dialect, seed=2), interval_s=2.0)
    watch = EndpointWatch("http://sim", "sim", 2.0, ProofLevel.SIMULATED, Limits())
    proposed: list[int] = []
    while not watch.newest or watch.newest.t < 150.0:
        watch.observe(await source.poll())
        fix = watch.casebook.fix
        numbers = [int(c.proposed) for c in fix.changes if c.flag.startswith("--max-")] if fix else []
        proposed += [number for number in numbers if proposed[-1:] != [number]]
    assert 1 <= len(proposed) <= 3
