"""What a label may demand, on hand-made seconds."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from inferguard_tui.simulator.harm import Stretch, harmed
from inferguard_tui.simulator.ledger import Second, gap_bin, gap_of
from inferguard_tui.simulator.scenarios import SCENARIOS

if TYPE_CHECKING:
    from inferguard_tui.simulator.scenario import Episode


def seconds(n: int, start: int = 0, **values: object) -> tuple[Second, ...]:
    return tuple(Second(start + i, **values) for i in range(n))


def gaps(seconds_each: float, count: int = 50) -> Counter[int]:
    return Counter({gap_bin(seconds_each): count})


def test_a_queue_of_a_minute_is_harm_and_one_of_half_a_minute_is_not() -> None:
    assert harmed("queue_growth", Stretch(seconds(70, queued=True), ()))
    assert not harmed("queue_growth", Stretch(seconds(30, queued=True), ()))


def test_a_queue_in_pieces_is_no_harm() -> None:
    pieces = tuple(Second(t, queued=t % 30 < 15) for t in range(200))
    assert sum(s.queued for s in pieces) > 60
    assert not harmed("queue_growth", Stretch(pieces, ()))


def test_hits_must_fall_from_something() -> None:
    during = seconds(60, looked_up=1000, hits=100)
    assert harmed("prefix_hit_drop", Stretch(during, seconds(60, looked_up=1000, hits=700)))
    assert not harmed("prefix_hit_drop", Stretch(during, seconds(60, looked_up=1000, hits=200)))
    assert not harmed("prefix_hit_drop", Stretch(during, ()))


def test_gaps_are_compared_with_those_before() -> None:
    calm, wide = seconds(60, gaps=gaps(0.015)), seconds(60, gaps=gaps(0.1))
    assert harmed("itl_high", Stretch(wide, calm))
    assert not harmed("itl_high", Stretch(calm, calm))
    assert not harmed("itl_high", Stretch(wide, wide))


def test_a_gap_bin_is_a_tenth_wide() -> None:
    for gap in (0.001, 0.0137, 0.2, 7.0):
        assert gap_of(gap_bin(gap)) == pytest.approx(gap, rel=0.06)


def test_errors_count_by_share_and_number() -> None:
    assert harmed("request_errors", Stretch(seconds(60, finished=5, failed=1), ()))
    assert not harmed("request_errors", Stretch(seconds(60, finished=50, failed=1), ()))
    assert not harmed("request_errors", Stretch(seconds(5, finished=1, failed=1), ()))


def test_a_freeze_that_nobody_meets_is_no_harm() -> None:
    assert harmed("stall", Stretch(seconds(60, frozen=True, open=20), ()))
    assert not harmed("stall", Stretch(seconds(60, frozen=True, open=2), ()))
    assert not harmed("stall", Stretch(seconds(10, frozen=True, open=20), ()))


def test_a_kind_without_a_test_is_never_demanded() -> None:
    assert not harmed("kv_high", Stretch(seconds(600), ()))


def episodes() -> list[Episode]:
    return [episode for scenario in SCENARIOS.values() for episode in scenario.episodes]


def test_every_demanded_kind_has_a_test() -> None:
    from inferguard_tui.simulator.harm import TESTS

    assert {k for e in episodes() for group in e.kinds for k in group} <= TESTS.keys()


def test_every_cause_of_the_table_has_a_scenario() -> None:
    causes = {
        "arrival_surge", "long_contexts", "prefix_thrash", "prefix_broken", "kv_exhausted", "sequence_cap",
        "compute_bound", "prefill_interference", "conservative_admission", "offload_pressure",
        "spec_collapse", "engine_stalled", "engine_restarted", "shape_crash", "engine_down", "abort_storm",
        "error_storm", "rank_imbalance",
    }  # fmt: skip
    assert {episode.cause[0] for episode in episodes() if episode.cause} == causes
