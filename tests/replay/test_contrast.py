"""Verdicts of two runs: right about differences that are there, silent about those that are not."""

from __future__ import annotations

import random

import pytest

from inferguard_core.replay.contrast import SESSIONS_MIN, Verdict, contrast
from inferguard_core.replay.outcome import TurnTimes


def run(seed: int, sessions: int = 20, turns: int = 5, slower: float = 1.0, failing: float = 0.0):
    """Turns with log-normal times: a third of the spread is the session's, shared by its turns."""
    dice = random.Random(seed)
    made = []
    for name in range(sessions):
        own = dice.gauss(0, 0.2)
        for number in range(turns):
            factor = slower * 2.718 ** (own + dice.gauss(0, 0.3))
            failed = dice.random() < failing
            times = (None, None, None) if failed else (0.2 * factor, 0.02 * factor, 3.0 * factor)
            made.append(TurnTimes((f"t{name}", f"s{name}"), str(number), failed, *times))
    return made


def test_a_run_against_itself_is_no_difference() -> None:
    same = run(1)
    found = contrast(same, same)
    assert found.verdict is Verdict.NO_DIFFERENCE
    assert {change.change for change in found.changes} == {0.0}


@pytest.mark.parametrize(("slower", "verdict"), [(1.6, Verdict.REGRESSED), (0.6, Verdict.IMPROVED)])
def test_a_large_difference_is_seen(slower: float, verdict: Verdict) -> None:
    found = contrast(run(1), run(2, slower=slower))
    assert found.verdict is verdict
    median = next(change for change in found.changes if change.what == "ttft_p50")
    assert median.low < slower - 1 < median.high
    assert median.n == 100


def test_a_small_difference_in_much_noise_is_inconclusive_and_not_absent() -> None:
    assert contrast(run(1), run(2, slower=1.05)).verdict is Verdict.INCONCLUSIVE


def test_equal_runs_are_seldom_told_apart() -> None:
    """Pairs of runs of one distribution: at most a few per cent may look different."""
    told = (Verdict.IMPROVED, Verdict.REGRESSED)
    wrong = sum(
        contrast(run(2 * n, sessions=10), run(2 * n + 1, sessions=10)).verdict in told for n in range(40)
    )
    assert wrong <= 3


def test_failures_that_were_not_there_are_a_regression() -> None:
    found = contrast(run(1), [replace_failed(turn, n % 3 == 0) for n, turn in enumerate(run(1))])
    assert found.verdict is Verdict.REGRESSED
    assert "failed_share" in found.why


def replace_failed(turn: TurnTimes, failed: bool) -> TurnTimes:
    return turn._replace(failed=True, ttft_s=None, tpot_s=None, e2e_s=None) if failed else turn


def test_better_in_one_and_worse_in_another_is_inconclusive_and_says_both() -> None:
    before = run(1)
    after = [turn._replace(ttft_s=turn.ttft_s * 0.5, e2e_s=turn.e2e_s * 2) for turn in before]
    found = contrast(before, after)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "better: ttft_p50" in found.why
    assert "worse: e2e_p50" in found.why


def test_few_sessions_say_nothing() -> None:
    few = run(1, sessions=SESSIONS_MIN - 1, turns=50)
    found = contrast(few, run(1, sessions=SESSIONS_MIN - 1, turns=50, slower=9.0))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.changes == ()
    assert f"{SESSIONS_MIN} are needed" in found.why


def test_only_turns_of_both_runs_are_compared() -> None:
    before = run(1)
    after = [turn for turn in run(1) if turn.session[0] not in ("t0", "t1")]
    found = contrast(before, after)
    assert found.sessions == 18
    assert found.changes[0].n == 90


def test_few_answers_give_no_tail() -> None:
    found = contrast(run(1, sessions=8, turns=4), run(2, sessions=8, turns=4))
    tail = next(change for change in found.changes if change.what == "ttft_p95")
    assert (tail.change, tail.n, tail.verdict) == (None, 32, Verdict.INCONCLUSIVE)
