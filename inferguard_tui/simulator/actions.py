"""The six actions as this deployment carries them out, or why it does not."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING

from inferguard_tui.simulator.gateway import DRAIN_S, Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from inferguard_tui.simulator.engine import SimulatedEngine

    Parameters = Mapping[str, object]

CAPS = ("target_concurrency", "target_agents")


def carry_out(engine: SimulatedEngine, action_type: str, parameters: Parameters) -> str:
    """Do it, at the engine's present; why not, else empty."""
    doer = _DOERS.get(action_type)
    return f"unknown action_type {action_type!r}" if doer is None else doer(engine, parameters)


def _throttle(engine: SimulatedEngine, parameters: Parameters) -> str:
    caps = [value for name in CAPS if (value := _number(parameters, name)) is not None]
    rate = _number(parameters, "admit_per_second")
    if not caps and rate is None:
        return "no target_concurrency, target_agents or admit_per_second"
    if (caps and min(caps) < 1) or (rate is not None and rate <= 0):
        return "a limit of nothing is an outage"
    engine.gateway.cap = int(min(caps)) if caps else engine.gateway.cap
    engine.gateway.per_second = rate if rate is not None else engine.gateway.per_second
    return ""


def _drain(engine: SimulatedEngine, parameters: Parameters) -> str:
    if "rank" in parameters:
        return "this deployment cannot restart one rank alone"
    engine.gateway.drained_by = engine.now + DRAIN_S
    return ""


def _flush(engine: SimulatedEngine, _: Parameters) -> str:
    for rank in engine.process.ranks:
        rank.scheduler.pool.forget()
    return ""


def _shrink(engine: SimulatedEngine, parameters: Parameters) -> str:
    window = _number(parameters, "target_window")
    size = engine.host.size
    if window is None or not 0 <= window < size.speculative_tokens:
        return f"target_window must be from 0 to below {size.speculative_tokens}"
    engine.host.size = replace(size, speculative_tokens=int(window))
    engine.gateway.drained_by = engine.now + DRAIN_S
    return ""


def _quarantine(engine: SimulatedEngine, parameters: Parameters) -> str:
    prompt, output = (_number(parameters, f"{what}_tokens_over") for what in ("prompt", "output"))
    if prompt is not None:
        engine.gateway.quarantined.append(Shape(prompt_tokens_over=prompt))
    elif output is not None:
        engine.gateway.quarantined.append(Shape(output_tokens_over=output))
    else:
        return "no prompt_tokens_over or output_tokens_over"
    return ""


def _compact(_: SimulatedEngine, __: Parameters) -> str:
    return "no engine here can load a compacted cache"


def _number(parameters: Parameters, name: str) -> float | None:
    value = parameters.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return float(value)


_DOERS: Mapping[str, Callable[[SimulatedEngine, Parameters], str]] = {
    "throttle_concurrency": _throttle,
    "drain_and_recycle": _drain,
    "flush_session_radix": _flush,
    "shrink_speculation_window": _shrink,
    "quarantine_shape": _quarantine,
    "recommend_compaction": _compact,
}
