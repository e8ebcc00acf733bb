"""What follows a conclusion, to look at, with made-up values: inputs of the screen, never expected outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.followup import Execution, Grade, Note, Outcome, Similar
from inferguard_core.frame import IncidentEntry
from inferguard_core.verdict import ActionType
from tests.tui import conclusions, frames
from tests.tui.figures import NOW

if TYPE_CHECKING:
    from inferguard_core.frame import EndpointFrame

ENDPOINT = "http://gpu-01:8000"


def execution(**changes: object) -> Execution:
    """A live throttle that helped."""
    given: dict[str, object] = {
        "id": "e1",
        "action_id": "a2",
        "action_type": ActionType.THROTTLE_CONCURRENCY,
        "incident_id": conclusions.INCIDENT,
        "endpoint": ENDPOINT,
        "mode": "live",
        "outcome": Outcome.APPLIED,
        "requested_unix": NOW - 150,
        "requested_by": "kim",
        "payload": {"action_type": "throttle_concurrency", "parameters": {"target_concurrency": 44}},
        "reference": "change-118",
        "answered_unix": NOW - 149,
        "verify_at_unix": NOW - 89,
        "grade": Grade.HELPED,
        "verification": ("preemptions 2.4 /s → 0.1 /s at arrivals 9.1 /s → 8.8 /s",),
    }
    return Execution(**(given | changes))  # type: ignore[arg-type]


def similar() -> tuple[Similar, ...]:
    """Two past incidents: one whose fix helped, one of which little is known."""
    return (
        Similar(
            "gpu-01:8000/20231111T021000Z",
            ENDPOINT,
            "kv_exhausted",
            "preemption: 90 preempted in 60 s; also queue_growth",
            NOW - 244_000,
            840.0,
            0.82,
            ("the same cause", "KV +0.9 % a minute, then +1.1 %"),
            "throttle_concurrency 62 → 48",
            Grade.HELPED,
            "/var/lib/inferguard/slices/a.jsonl.gz",
        ),
        Similar(
            "gpu-02:8000/20231101T120000Z",
            "http://gpu-02:8000",
            "arrival_surge",
            "queue_growth: 80 waiting",
            NOW - 1_100_000,
            None,
            0.41,
            ("the queue grew as fast",),
        ),
    )


def handled() -> EndpointFrame:
    """The critical endpoint with somebody on it, a note, an action that helped, and past incidents like it."""
    told = frames.incident(
        acknowledged_by="kim",
        timeline=(
            IncidentEntry(NOW - 190, "opened"),
            IncidentEntry(
                NOW - 190, "preemption firing critical: 144 preempted in 60 s, 38.7% of completions"
            ),
            IncidentEntry(NOW - 182, "queue_growth firing critical: 38 waiting, +0.6/s, ≈ 6.1 s wait"),
            IncidentEntry(NOW - 170, "kim is on it", "kim"),
            IncidentEntry(NOW - 120, "kim: gateway limited to 44, see change-118", "kim"),
        ),
        peaks={"waiting": 41.0, "kv_usage": 0.989, "ttft_p95": 12.9, "prefix_hit_rate": 0.22},
        notes=(Note(NOW - 120, "kim", "gateway limited to 44, see change-118"),),
    )
    return frames.critical(
        incident=told,
        incidents=(told, frames.RESOLVED),
        executions=(execution(),),
        similar=similar(),
    )
