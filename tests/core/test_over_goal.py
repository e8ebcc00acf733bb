"""The share of requests whose first token came later than the goal."""

from __future__ import annotations

import pytest

from inferguard_core.assemble import endpoint_frame
from inferguard_core.detect.limits import Limits
from inferguard_core.frame import MeasureId
from inferguard_core.poll import ProofLevel
from inferguard_core.watch import EndpointWatch
from tests.core.test_watch import T0, good, page, watch


def with_first_tokens(t: float, late: float) -> str:
    """Ten requests a second, of which `late` take over a second to their first token; buckets end at 0.5 and 1."""
    labels = 'engine="0",model_name="m"'
    edges = {"0.5": 0.5 * (1 - late), "1.0": 1 - late, "+Inf": 1.0}
    rows = "".join(
        f'vllm:time_to_first_token_seconds_bucket{{{labels},le="{edge}"}} {t * 10 * share}\n'
        for edge, share in edges.items()
    )
    counted = f"vllm:time_to_first_token_seconds_count{{{labels}}} {t * 10}\n"
    summed = f"vllm:time_to_first_token_seconds_sum{{{labels}}} {t * 10}\n"
    return page(t) + "# TYPE vllm:time_to_first_token_seconds histogram\n" + rows + counted + summed


@pytest.mark.parametrize(
    ("goal", "seconds", "value", "why"),
    [
        (1.0, 30, 0.2, ""),
        (0.8, 30, 0.6, "at most: counted over 0.5 s, where a bucket ends"),
        (0.2, 30, 0.6, "at least: counted over 0.5 s, where a bucket ends"),
        (1.0, 1, None, "n 10, needs 20"),
    ],
)
def test_the_share_over_the_goal_is_counted_and_a_bound_says_so(
    goal: float, seconds: int, value: float | None, why: str
) -> None:
    limits = Limits(ttft_objective_s=goal)
    seen = EndpointWatch("http://gpu-07:8000", "gpu-07:8000", 1, ProofLevel.LIVE, limits)
    for t in range(seconds + 1):
        seen.observe(good(t, with_first_tokens(t, 0.2)))
    share = endpoint_frame(seen, T0 + seconds, 0.0).measures[MeasureId.TTFT_OVER_GOAL]
    assert share.value == (None if value is None else pytest.approx(value))
    assert share.why_unknown == why
    assert share.n == seconds * 10


def test_a_share_over_the_goal_that_is_not_exported_is_unknown() -> None:
    seen = watch()
    seen.observe(good(0))
    share = endpoint_frame(seen, T0, 0.0).measures[MeasureId.TTFT_OVER_GOAL]
    assert share.value is None
    assert share.why_unknown == "not exported: ttft"
