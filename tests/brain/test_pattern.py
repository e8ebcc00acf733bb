"""W2: what past incidents say, counted only where an outcome was graded."""

from __future__ import annotations

from typing import Any

import pytest

from inferguard_brain.investigate import investigate
from tests.brain.contexts import context

OPEN = {"incident": {"id": "now", "state": "open"}}


def prior(number: int, score: float, cause: str, done: str, grade: str) -> dict[str, Any]:
    return {
        "incident_id": f"#{number}",
        "score": score,
        "cause": cause,
        "done": done,
        "grade": grade,
        "why": ["KV level 0.97"],
    }


def matched(priors: list[dict[str, Any]], more: dict[str, Any] = OPEN) -> dict[str, Any] | None:
    found = investigate(context(more={**more, "priors": priors}))["advisories"]
    assert len(found) <= 1
    return found[0] if found else None


def test_what_worked_is_told_with_its_counts() -> None:
    told = matched(
        [
            prior(1, 0.9, "kv_exhausted", "throttled to 44", "helped"),
            prior(2, 0.8, "kv_exhausted", "throttled to 44", "helped"),
            prior(3, 0.7, "kv_exhausted", "throttled to 44", "no_change"),
            prior(4, 0.7, "prefix_broken", "rolled back", "helped"),
        ]
    )
    assert told is not None
    assert "throttled to 44: 2 of 3 helped" in told["text"]
    assert told["subject"] == "#1"
    assert told["confidence"] == pytest.approx(0.9 * 3 / 5)


def test_nothing_graded_is_said_to_be_so() -> None:
    told = matched([prior(1, 0.9, "kv_exhausted", "throttled", "unknown")])
    assert told is not None
    assert "nothing done then was graded" in told["text"]
    assert told["confidence"] == pytest.approx(0.45)


def test_what_is_not_alike_or_not_asked_for_is_silent() -> None:
    assert matched([prior(1, 0.3, "kv_exhausted", "throttled", "helped")]) is None
    assert matched([prior(1, 0.9, "kv_exhausted", "throttled", "helped")], {"incident": None}) is None
    assert matched([]) is None
