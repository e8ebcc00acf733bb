"""Contexts written by hand: signals as functions of time, on the grid that the core uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

UNITS = {"kv_usage": "ratio", "waiting": "requests", "ttft_p95": "seconds", "hit_rate": "ratio"}
OFTEN = {"kv_usage", "running", "waiting", "new_token_ratio", "open_fds", "descriptors_over_requests"}


def context(
    span_s: float = 900.0, more: dict[str, Any] | None = None, **signals: Callable[[float], float]
) -> dict[str, Any]:
    """A context whose signals at `t` seconds before now are what the functions say; 8 requests run."""
    signals = {"running": lambda _: 8.0, **signals}
    rows = []
    for back in range(int(span_s), -1, -5):
        if back > 300 and back % 30:
            continue
        names = [n for n in signals if n in OFTEN or back % 30 == 0]
        rows.append({"t": float(-back), **{n: signals[n](-back) for n in names}})
    return {
        "schema": "inferguard.brain.context/1",
        "endpoint": "endpoint",
        "engine": "vllm",
        "model": "m",
        "now_unix": 1_800_000_000.0,
        "window": rows,
        "units": UNITS,
        "sources": {"kv_usage": "vllm:kv_cache_usage_perc"},
        "anomalies": [],
        "incident": None,
        "diagnosis": None,
        "priors": [],
        "events": [],
        "limits": {},
        "baselines": {},
        "flags": {},
        "causes": [],
        "actions": [],
        **(more or {}),
    }


def firing(*kinds: str) -> dict[str, Any]:
    return {"anomalies": [{"kind": kind, "state": "firing"} for kind in kinds]}
