"""An advisory and what is seen of its endpoint, in order and ready to be carried out; tests spoil one thing at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inferguard_core.actuation.attempts import Attempt
from inferguard_core.actuation.subject import Subject
from inferguard_core.followup import Outcome
from inferguard_core.verdict import ActionType, Advisory, Evidence

NOW = 1_800_000_000.0
ENDPOINT = "http://gpu-07:8000"
PARAMETERS: dict[ActionType, dict[str, float | str]] = {
    ActionType.THROTTLE_CONCURRENCY: {"target_concurrency": 44.0, "running_now": 58.0, "pool_holds": 44.3},
    ActionType.DRAIN_AND_RECYCLE: {"running_now": 58.0},
    ActionType.FLUSH_SESSION_RADIX: {"hit_rate": 0.03},
    ActionType.SHRINK_SPECULATION_WINDOW: {"target_window": 2.0, "window_now": 5.0},
    ActionType.QUARANTINE_SHAPE: {"shape": "prompt > 5,000 tokens", "prompt_tokens_over": 5000.0},
    ActionType.RECOMMEND_COMPACTION: {"tokens_held_per_request": 70_000.0},
}


def advisory(action: ActionType = ActionType.THROTTLE_CONCURRENCY, **changes: Any) -> Advisory:
    made = Advisory(
        id=f"gpu-07:8000/20270115T080000Z/{action.value}/1",
        created_unix=NOW - 20,
        action_type=action,
        incident_id="gpu-07:8000/20270115T080000Z",
        endpoint=ENDPOINT,
        reason="KV pool holds 44 requests of this size, 58 run: run 44",
        confidence=0.74,
        calibrated=False,
        horizon_seconds=0.0,
        parameters=PARAMETERS[action],
        evidence=(Evidence("running", 58.0, "requests", window_s=15.0, source="vllm:num_requests_running"),),
    )
    return replace(made, **changes)


def subject(made: Advisory | None = None, **changes: Any) -> Subject:
    seen = Subject(
        advisory=made or advisory(),
        engine="vllm",
        model="openai/gpt-oss-120b",
        age_s=1.0,
        stale_after_s=6.0,
        last_poll_failed=False,
        incident_open=True,
        recovering=False,
        troubles=("preemption", "queue_growth"),
        running=58.0,
        ranks=frozenset({"0", "1"}),
    )
    return replace(seen, **changes)


def attempt(ago_s: float = 100.0, **changes: Any) -> Attempt:
    """One that was accepted `ago_s` before `NOW` and is graded two minutes after it was made."""
    made = Attempt(
        execution_id="x",
        action_id="another advisory",
        action_type="throttle_concurrency",
        endpoint=ENDPOINT,
        incident_id="gpu-07:8000/20270115T070000Z",
        unix=NOW - ago_s,
        outcome=Outcome.APPLIED,
        graded_by_unix=NOW - ago_s + 120,
    )
    return replace(made, **changes)
