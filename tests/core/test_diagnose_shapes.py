"""What an engine was last seen doing: which shape stood out before it went, and how often it went."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from inferguard_core.diagnose.shapes import Crash, crashes, seen_with
from inferguard_core.history import History
from inferguard_core.reading import Engine, Reading
from inferguard_core.signals import Signal
from inferguard_core.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable

S = Signal
UNIX = 1_800_000_000.0
CRASH = 400
"""Second in which another process answers."""


def lived(
    history: History, begin: int, end: int, prompts: Callable[[int], float], *, computed: bool, step: int = 1
) -> None:
    """A process from `begin` to `end` that gets `prompts(t)` prompt tokens in each second, a tenth of the usual
    thousand uncached."""
    seen = made = 0.0
    for t in range(begin, end, step):
        fresh = max(0.0, prompts(t) - 1000.0)
        seen += 1000.0 * step + fresh
        made += 100.0 * step + fresh
        values: dict[str, float] = {
            S.PROCESS_START: UNIX + begin,
            S.RUNNING: 5.0,
            S.PROMPT_TOKENS: seen,
            S.FINISHED: t - begin,
        }
        if computed:
            values[S.PROMPT_TOKENS_COMPUTED] = made
        reading = Reading(Engine.VLLM, values=values, spellings={s: s for s in values})
        history.append(float(t), UNIX + t, reading)


def told(history: History, known: tuple[Crash, ...] = ()) -> tuple[Crash, ...]:
    newest = history.newest
    assert newest is not None
    return crashes(Window(history, newest), known, down=False)


@pytest.mark.parametrize(("computed", "shapes"), [(True, ("prompt burst > 512 tokens",)), (False, ())])
def test_a_prompt_that_the_cache_did_not_have_stands_out_among_those_it_had(
    computed: bool, shapes: tuple[str, ...]
) -> None:
    """600 tokens more are no leap of 1,000 a second, and a leap of the 100 that had to be computed."""
    history = History()
    lived(history, 0, CRASH, lambda t: 1600.0 if t == CRASH - 5 else 0.0, computed=computed)
    lived(history, CRASH, CRASH + 5, lambda t: 0.0, computed=computed)
    assert [c.shapes for c in told(history)] == [shapes]


@pytest.mark.parametrize("later", [340, 900, 1700])
def test_a_crash_is_counted_once_however_old_it_gets(later: int) -> None:
    """An old history has thinned out the page that was the last before it."""
    history = History()
    lived(history, 0, CRASH - 3, lambda t: 0.0, computed=True)
    lived(history, CRASH, CRASH + 5, lambda t: 0.0, computed=True)
    kept = told(history)
    assert len(kept) == 1
    values: dict[str, float] = {S.PROCESS_START: UNIX + CRASH, S.RUNNING: 5.0}
    for t in range(CRASH + 5, CRASH + later, 5):
        history.append(float(t), UNIX + t, Reading(Engine.VLLM, values=values, spellings={}))
        kept = told(history, kept)
        assert len(kept) == 1


def test_two_crashes_within_seconds_are_two() -> None:
    history = History()
    lived(history, 0, CRASH, lambda t: 0.0, computed=True)
    lived(history, CRASH, CRASH + 8, lambda t: 0.0, computed=True)
    kept = told(history)
    lived(history, CRASH + 12, CRASH + 15, lambda t: 0.0, computed=True)
    assert len(told(history, kept)) == 2


@pytest.mark.parametrize(
    ("crash", "seen"),
    [
        (Crash(UNIX, True, False, ("prompt > 10,000 tokens",)), True),
        (Crash(UNIX, True, False, ("prompt burst > 8,192 tokens",), 14_000.0), True),
        (Crash(UNIX, True, False, ("prompt burst > 8,192 tokens",), 9_000.0), False),
        (Crash(UNIX, True, False, ("output > 10,000 tokens",)), False),
        (Crash(UNIX, True, False), False),
    ],
)
def test_a_long_prompt_may_show_as_a_burst_with_room_for_it(crash: Crash, seen: bool) -> None:
    assert seen_with("prompt > 10,000 tokens", crash) is seen


def test_a_burst_has_no_room_to_be_an_output() -> None:
    assert not seen_with("output > 1,000 tokens", Crash(UNIX, True, False, ("x",), 14_000.0))
