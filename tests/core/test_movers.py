"""What changed just before an onset: which quantities are told, in which words, and when nothing is."""

from __future__ import annotations

import pytest

from inferguard_core.diagnose.movers import movers
from inferguard_core.diagnose.prelude import Level, Prelude
from tests.core.diagnose_worlds import HEALTHY, Change, concluded, trouble

C = Change
PRELUDE = Prelude(onset_unix=0.0, start=0.0, seconds=180.0)


def told(before: float, spread: float | None, around: float, name: str = "prompt_length") -> tuple[str, ...]:
    return movers(
        Prelude(0.0, 0.0, before={name: Level(before, spread)}, seconds=180.0, around={name: around})
    )


def test_nothing_is_told_without_a_time_before() -> None:
    assert movers(None) == ()
    assert movers(PRELUDE) == ()


def test_a_mover_is_told_with_both_numbers() -> None:
    assert told(300.0, 20.0, 1_200.0) == ("prompt length 300 tokens → 1,200 tokens",)


def test_a_move_within_its_own_spread_is_not_told() -> None:
    """z = 900 / 400 = 2.25, under 3.5."""
    assert told(300.0, 400.0, 1_200.0) == ()


def test_a_steady_quantity_that_moves_by_a_fifth_is_not_told() -> None:
    assert told(1_000.0, 0.0, 1_200.0) == ()


def test_a_fall_is_told_as_well() -> None:
    assert told(0.9, 0.02, 0.1, "prefix_hit_rate") == ("prefix hit rate 0.90 → 0.10",)


def test_an_unknown_spread_tells_nothing() -> None:
    assert told(300.0, None, 1_200.0) == ()


def test_the_top_mover_comes_first_and_at_most_three_are_told() -> None:
    """z by the floor of a tenth: 10, 40, 20 and 5."""
    names = {"prompt_length": 200.0, "output_length": 500.0, "running": 300.0, "prompt_computed_rate": 150.0}
    before = {n: Level(100.0, 1.0) for n in names}
    lines = movers(Prelude(0.0, 0.0, before=before, seconds=180.0, around=names))
    assert [line.split(" 1")[0] for line in lines] == ["output length", "running", "prompt length"]


@pytest.mark.parametrize("interval", [1.0, 2.0, 5.0])
def test_a_diagnosis_says_what_moved_whatever_the_interval(interval: float) -> None:
    world = HEALTHY.but(prompt_tokens=C(2_000, 8_000), kv_usage=C(0.3, 0.95))
    lines = concluded(world, trouble("queue_growth"), interval=interval).changed_before
    assert any(line.startswith("prompt length 1,000 tokens → ") for line in lines), lines


def test_nothing_moved_is_said_by_nothing() -> None:
    assert concluded(HEALTHY, trouble("ttft_high")).changed_before == ()
