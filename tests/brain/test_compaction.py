"""W4: where compaction would help is told with its gain, and that no stock engine can do it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from inferguard_brain.investigate import investigate
from tests.brain.contexts import context

if TYPE_CHECKING:
    from collections.abc import Callable

LONG: dict[str, Callable[[float], float]] = {
    "kv_usage": lambda _: 0.95,
    "waiting": lambda _: 3.0,
    "running": lambda _: 10.0,
    "finish_rate": lambda _: 0.1,
    "prompt_length": lambda _: 9500.0,
}
POOL = {"pool_tokens": 200_000.0}


def told(more: dict[str, Any] = POOL, **changes: Callable[[float], float]) -> dict[str, Any] | None:
    found = investigate(context(300.0, more=more, **{**LONG, **changes}))["advisories"]
    return next((one for one in found if one["advisory_type"] == "preemptive_compaction"), None)


def test_few_long_contexts_in_a_full_pool() -> None:
    """10 requests hold 19,000 tokens each, half of them prompt: 0.95 · 0.5 · 0.9 of the pool."""
    found = told()
    assert found is not None
    assert "would free 43% of it (85,500 tokens)" in found["text"]
    assert "no stock vLLM or SGLang loads a compacted cache" in found["text"]
    assert found["confidence"] == pytest.approx(0.5 * 0.25 / 0.3, abs=0.001)
    assert found["horizon_seconds"] is None


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("a full pool that harms nobody", {"waiting": lambda _: 0.0}),
        ("many short requests", {"running": lambda _: 100.0}),
        ("requests that are gone before they are compacted", {"finish_rate": lambda _: 2.0}),
        ("room in the pool", {"kv_usage": lambda _: 0.7}),
        ("prefixes that are shared", {"hit_rate": lambda _: 0.8}),
    ],
)
def test_where_it_does_not_apply(what: str, changes: dict[str, Callable[[float], float]]) -> None:
    assert told(**changes) is None, what


@pytest.mark.parametrize("more", [{}, {**POOL, "attention": "hybrid"}, {**POOL, "attention": "sliding"}])
def test_unknown_pools_and_other_attention_are_left_alone(more: dict[str, Any]) -> None:
    assert told(more) is None


def test_an_unknown_gain_is_not_made_up() -> None:
    signals = {n: f for n, f in LONG.items() if n != "prompt_length"}
    found = investigate(context(300.0, more=POOL, **signals))["advisories"]
    assert any("gain not known" in one["text"] for one in found)
