"""Incidents written by hand, for the tests of what is remembered."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from inferguard_core.frame import Incident, IncidentEntry, IncidentState, Severity
from inferguard_core.memory.case import Case
from inferguard_core.memory.shape import Shape
from inferguard_core.reading import Engine
from inferguard_core.verdict import CauseScore, Diagnosis

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from inferguard_core.memory.sqlite import SqliteMemory

T0 = 1_800_000_000.0
URL = "http://gpu-07:8000"
KV = Shape(
    {"kv_level": 0.99, "queue": 60.0, "preemption": 1.5},
    ("kv_saturated", "queue_growth"),
    "kv_exhausted",
    engine="vllm",
)
STALL = Shape({"kv_level": 0.3, "generation_drop": 64.0}, ("stall",), "engine_stalled", engine="vllm")


def incident(name: str = "1", at: float = T0, **changes: Any) -> Incident:
    opened = Incident(
        id=f"gpu-07:8000/{name}",
        endpoint=URL,
        state=IncidentState.OPEN,
        severity=Severity.CRITICAL,
        worst=Severity.CRITICAL,
        onset_unix=at - 5.0,
        opened_unix=at,
        ended_unix=None,
        anomalies=("kv_saturated",),
        reopened=0,
        headline="kv_saturated: KV 99 %",
        timeline=(IncidentEntry(at, "opened"),),
    )
    return replace(opened, **changes)


def diagnosis(cause: str, incident_id: str = "gpu-07:8000/1") -> Diagnosis:
    return Diagnosis(
        incident_id, cause, "kv", 0.9, (CauseScore(cause, 0.9),), "rules", "high", "manual_review"
    )


def case(name: str = "1", at: float = T0, shape: Shape = KV, **changes: Any) -> Case:
    """An incident that is over, unless the changes say otherwise."""
    over = incident(
        name,
        at,
        state=IncidentState.RESOLVED,
        ended_unix=at + 60.0,
        anomalies=shape.kinds,
        headline=f"{shape.kinds[0]}: as in the {shape.cause} case",
    )
    made = Case(
        over,
        at + 60.0,
        engine=Engine.VLLM,
        models=("openai/gpt-oss-120b",),
        shape=shape,
        diagnosis=diagnosis(shape.cause),
    )
    return replace(made, **changes)


async def stored(memory: SqliteMemory, *records: Any) -> Path:
    """Put the records into a memory and close it; the path of its file."""
    await memory.start()
    for record in records:
        memory.put(record)
    await memory.close()
    return memory.path


async def until(true: Callable[[], Awaitable[object]]) -> None:
    """Until what is asked, of a store that is written by a thread of its own, is so."""
    async with asyncio.timeout(20):
        while not await true():
            await asyncio.sleep(0.05)
