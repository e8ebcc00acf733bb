"""Fixes for tests: a busy engine that tells as much of its configuration as a test is about."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from inferguard_core.reading import Engine, Histogram
from inferguard_core.remediation import fix
from inferguard_core.signals import Signal
from tests.core.advice_scenes import diagnosis, scene_of, steady

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from inferguard_core.verdict import Fix

S = Signal
FULL: dict[Signal, float | Callable[[float], float]] = {
    # 40 running at usage 0.8, so the pool holds 50; 64 have been seen running half a minute ago.
    S.RUNNING: lambda t: 64.0 if t in {60, 61} else 40.0,
    S.WAITING: 12.0,
    S.KV_USAGE: lambda t: 1.0 if t in {60, 61} else 0.8,
    S.KV_CAPACITY_TOKENS: 100_000.0,
    S.FINISHED: lambda t: 5.0 * t,
}
VLLM_INFO = {"gpu_memory_utilization": "0.92", "cache_dtype": "auto"}


def fixed(
    cause: str,
    engine: Engine = Engine.VLLM,
    version: str | None = "0.32.0",
    *,
    levels: Mapping[Signal, float | Callable[[float], float]] | None = None,
    info: Mapping[str, str] | None = None,
    config: Mapping[str, str] | None = None,
    models: tuple[str, ...] = (),
    iterations: Histogram | None = None,
) -> Fix:
    readings = steady(levels or FULL, engine=engine, seconds=90, info=info)
    if iterations is not None:
        last = max(readings)
        readings[last] = replace(readings[last], histograms={"iteration_tokens_total": iterations})
    answer = fix(scene_of(readings, version=version, config=config, models=models), diagnosis(cause))
    assert answer is not None
    return answer


def diff(answer: Fix) -> dict[str, tuple[str | None, str]]:
    return {c.flag: (c.current, c.proposed) for c in answer.changes}
