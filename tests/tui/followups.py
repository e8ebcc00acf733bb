"""What follows a conclusion, to look at, with made-up values: inputs of the screen, never expected outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_core.followup import (
    BrainAdvisory,
    BrainResult,
    Check,
    Execution,
    Grade,
    Note,
    Outcome,
    PastUse,
    Similar,
)
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


def rehearsed(mode: str = "dry_run", **changes: object) -> Execution:
    """A dry run whose guards agree, in a session of `mode`."""
    checks = (
        Check("mode", True, f"mode {mode}"),
        Check("allowlist", True, "in the allowlist"),
        Check("fresh", True, "data 2 s old"),
        Check("cooldown", True, "cooldown ok: none before", live_only=True),
    )
    given: dict[str, object] = {
        "id": "e2",
        "mode": "dry_run",
        "outcome": Outcome.DRY_RUN,
        "requested_unix": NOW,
        "reference": "",
        "answered_unix": None,
        "verify_at_unix": None,
        "grade": None,
        "verification": (),
        "target": "http://127.0.0.1:9100/actuate",
        "checks": checks,
        "watches": ("preemptions and TTFT p95 at like arrivals, 60 s before and 60 s after",),
        "data_age_s": 2.0,
        "past": (PastUse("gpu-01:8000/20231111T021000Z", NOW - 244_000, Grade.HELPED),),
    }
    return execution(**(given | changes))


def refused() -> Execution:
    """A rehearsal that two guards are against, one of them only where it would be sent."""
    checks = (
        Check("mode", True, "mode dry_run"),
        Check("allowlist", False, "not in INFERGUARD_ACTUATION_ALLOWLIST, which holds nothing"),
        Check(
            "cooldown", False, "last throttle_concurrency here 41 s ago; allowed every 300 s", live_only=True
        ),
    )
    words = "not in INFERGUARD_ACTUATION_ALLOWLIST, which holds nothing"
    return rehearsed(outcome=Outcome.REFUSED, detail=words, checks=checks, target="", past=())


def thought() -> BrainResult:
    """An investigation by a model, one of whose claims nothing supports."""
    return BrainResult(
        NOW - 12,
        "decomposed",
        (
            BrainAdvisory(
                "capacity_cliff_predicted",
                "the pool is full within a minute at this rate",
                0.71,
                "share of past forecasts that came true, 17 of 24",
                50.0,
                (conclusions.KV_HELD,),
            ),
        ),
        conclusions.diagnosis(),
        ("The pool is full and admission goes on; requests are thrown back and computed again.",),
        ("GPU temperature rose to 91 C",),
        ("root: asked for the window, 1 call, 820 tokens", "sub: compared arrivals before and after"),
        "",
    )


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
            ("the same cause", "KV +0.9% a minute, then +1.1%"),
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
        brain=thought(),
    )
