"""The context of an incident, and an honest answer about it."""

from __future__ import annotations

from typing import Any

from tests.brain.contexts import context

RANKED = [
    {"cause": "kv_exhausted", "confidence": 0.86, "for": ["KV full"], "against": [], "unknown": []},
    {"cause": "long_contexts", "confidence": 0.31, "for": [], "against": [], "unknown": []},
]
CAUSES = ("kv_exhausted", "long_contexts", "engine_stalled", "prefix_thrash")


def incident(**more: Any) -> dict[str, Any]:
    return context(
        300.0,
        kv_usage=lambda _: 0.979,
        waiting=lambda t: 38 + t / 300,
        more={
            "incident": {"id": "endpoint/1", "severity": "critical"},
            "diagnosis": {
                "incident_id": "endpoint/1",
                "cause": "kv_exhausted",
                "confidence": 0.86,
                "ranked": RANKED,
            },
            "causes": [{"cause": cause} for cause in CAUSES],
            "anomalies": [
                {
                    "kind": "preemption",
                    "severity": "critical",
                    "state": "firing",
                    "summary": "2.4 preemptions/s",
                    "onset_s": -190.0,
                    "evidence": [
                        {"signal": "preemption_rate", "value": 2.38, "unit": "1/s", "window_s": 60.0}
                    ],
                }
            ],
            "actions": [
                {
                    "action_type": "throttle_concurrency",
                    "confidence": 0.74,
                    "parameters": {"target_concurrency": 44.0, "running_now": 58.0},
                }
            ],
            "fix": {"changes": [{"flag": "--max-num-seqs", "proposed": "72"}]},
            "flags": {"--max-num-seqs": {"choices": []}, "--kv-cache-dtype": {"choices": ["auto", "fp8"]}},
            **more,
        },
    )


def honest(known: dict[str, str]) -> dict[str, Any]:
    """`known` is fact names to ids."""
    return {
        "cause": "long_contexts",
        "why": [{"text": "KV usage stands at 97.9 %", "facts": [known["kv_usage now"]]}],
        "actions": [
            {
                "action_type": "throttle_concurrency",
                "text": "throttle to 44",
                "facts": [known["throttle_concurrency target_concurrency"]],
            }
        ],
        "flags": [
            {
                "flag": "--max-num-seqs",
                "value": "72",
                "text": "fewer at once",
                "facts": [known["kv_usage now"]],
            }
        ],
    }
