"""How long a draft should be: by position where counted, else fitted to the mean, else not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.actions import ActionHistory, advise
from inferguard_core.actions.speculation import acceptance
from inferguard_core.reading import Engine
from inferguard_core.signals import Signal
from tests.core.advice_scenes import diagnosis, scene_of, steady

if TYPE_CHECKING:
    from inferguard_core.scene import Scene

S = Signal
POSITION = "spec_decode_num_accepted_tokens_per_pos[{}]"


def counted(*accepted: float, drafts: float = 1000.0, onset: float = 100.0) -> Scene:
    """A vLLM whose positions have been accepted so often of `drafts` since the onset."""
    readings = steady({S.SPEC_DRAFTS: onset + drafts})
    last = max(readings)
    positions = {POSITION.format(p): onset + a for p, a in enumerate(accepted)}
    readings[last] = replace(readings[last], values={**readings[last].values, **positions})
    before = {S.SPEC_DRAFTS: onset, **{POSITION.format(p): onset for p in range(len(accepted))}}
    return replace(scene_of(readings), at_onset=before)


@pytest.mark.parametrize(
    ("accepted", "window"),
    [((700, 450, 310, 290, 100), 3), ((700, 450, 310), 3), ((200, 100, 50), 0), ((300, 299), 1)],
)
def test_positions_are_kept_as_long_as_three_in_ten_are_taken(
    accepted: tuple[float, ...], window: float
) -> None:
    given_now = advise(counted(*accepted), diagnosis("spec_collapse"), (), ActionHistory())[0]
    assert given_now.parameters["target_window"] == window
    assert given_now.parameters["window_now"] == len(accepted)


def test_only_what_was_counted_since_the_onset_is_told() -> None:
    seen = acceptance(counted(700, 100, drafts=1000.0, onset=1e6))
    assert seen is not None
    assert seen.by_position == (0.7, 0.1)


@pytest.mark.parametrize("drafts", [0.0, 49.0])
def test_too_few_drafts_tell_nothing(drafts: float) -> None:
    view = counted(10, 5, drafts=drafts)
    assert acceptance(view) is None
    given_now = advise(view, diagnosis("spec_collapse"), (), ActionHistory())[0]
    assert given_now.parameters == {}
    assert any("not computed" in c for c in given_now.caveats)


def test_counters_of_a_process_that_is_gone_are_not_subtracted() -> None:
    view = counted(700, 450)
    assert acceptance(replace(view, at_onset={k: v + 1e6 for k, v in view.at_onset.items()})) is None


def test_the_mean_is_fitted_where_positions_are_not_exported() -> None:
    # 4 drafted, 0.5 + 0.25 + 0.125 + 0.0625 = 0.9375 taken: a half of each next one. Above 0.3: the first only.
    readings = steady(
        {
            S.SPEC_DRAFTS: lambda t: 10 * t,
            S.SPEC_DRAFT_TOKENS: lambda t: 40 * t,
            S.SPEC_ACCEPTED_TOKENS: lambda t: 9.375 * t,
        }
    )
    seen = acceptance(scene_of(readings))
    assert seen is not None
    assert seen.by_position == pytest.approx((0.5, 0.25, 0.125, 0.0625), abs=1e-6)
    assert seen.useful == 1
    assert "estimate" in seen.how


def test_sglang_tells_a_length_with_the_bonus_token_and_its_steps() -> None:
    readings = steady({S.SPEC_ACCEPT_LENGTH: 1.9375}, engine=Engine.SGLANG)
    last = max(readings)
    readings[last] = replace(readings[last], values={**readings[last].values, "spec_num_steps": 4.0})
    seen = acceptance(scene_of(readings, version="0.5.23"))
    assert seen is not None
    assert seen.by_position == pytest.approx((0.5, 0.25, 0.125, 0.0625), abs=1e-6)


@given(
    drafts=st.floats(0, 1e9),
    accepted=st.lists(st.floats(0, 1e9), max_size=10),
    length=st.floats(allow_nan=False),
    steps=st.floats(-5, 1e6),
)
def test_no_counter_makes_it_raise_or_lengthen_the_draft(
    drafts: float, accepted: list[float], length: float, steps: float
) -> None:
    readings = steady({S.SPEC_DRAFTS: drafts, S.SPEC_ACCEPT_LENGTH: length}, seconds=3)
    last = max(readings)
    values = {POSITION.format(p): a for p, a in enumerate(accepted)} | {"spec_num_steps": steps}
    readings[last] = replace(readings[last], values={**readings[last].values, **values})
    view = replace(scene_of(readings), at_onset={S.SPEC_DRAFTS: 0.0, **dict.fromkeys(values, 0.0)})
    given_now = advise(view, diagnosis("spec_collapse"), (), ActionHistory())[0]
    target, now = given_now.parameters.get("target_window"), given_now.parameters.get("window_now")
    assert target is None or 0 <= float(target) <= float(now or 0)
