"""What an advisory may ask for, told a second time and apart from the advice."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.actuation import guards
from inferguard_core.actuation.bounds import out_of_bounds
from inferguard_core.verdict import ActionType
from tests.core.acting_scenes import PARAMETERS, advisory, subject

THROTTLE = ActionType.THROTTLE_CONCURRENCY
DRAIN = ActionType.DRAIN_AND_RECYCLE


class TestBounds:
    @pytest.mark.parametrize("action", list(ActionType))
    def test_what_the_advice_measured_is_within_them(self, action: ActionType) -> None:
        assert guards.bounds(subject(advisory(action))).ok

    @pytest.mark.parametrize(
        ("parameters", "says"),
        [
            ({}, "no concurrency or rate was computed"),
            ({"running_now": 58.0}, "no concurrency or rate was computed"),
            ({"target_concurrency": 0.0, "running_now": 58.0}, "not a whole number"),
            ({"target_concurrency": 44.5, "running_now": 58.0}, "not a whole number"),
            ({"target_concurrency": "44", "running_now": 58.0}, "not a whole number"),
            ({"target_concurrency": 28.0, "running_now": 58.0}, "below 29"),
            ({"target_concurrency": 58.0, "running_now": 58.0}, "throttles nothing"),
            ({"target_concurrency": 500.0, "running_now": 58.0}, "throttles nothing"),
            ({"target_agents": 10.0, "in_flight_now": 58.0}, "not between"),
            ({"target_agents": 63.0, "in_flight_now": 58.0}, "not between"),
            ({"target_agents": 29.0}, "in flight are not known"),
            ({"admit_per_second": 0.0, "completions_per_second": 6.0}, "not above 0"),
            ({"admit_per_second": 7.0, "completions_per_second": 6.0}, "not between half and all"),
            ({"admit_per_second": 5.0}, "not between half and all"),
            ({"target_concurrency": nan, "running_now": 58.0}, "not a finite number"),
            ({"target_concurrency": 44.0, "running_now": inf}, "not a finite number"),
            ({"target_concurrency": 44.0, "running_now": 58.0, "note": "a\r\nX-Evil: 1"}, "printable"),
            ({f"p{i}": 1.0 for i in range(30)}, "30 parameters"),
        ],
    )
    def test_a_throttle(self, parameters: dict[str, float | str], says: str) -> None:
        assert says in out_of_bounds(subject(advisory(parameters=parameters)))

    @pytest.mark.parametrize(("agents", "ok"), [(29.0, True), (58.0, True), (62.0, True), (28.0, False)])
    def test_agents_may_be_halved_held_or_let_grow_by_a_step(self, agents: float, ok: bool) -> None:
        made = advisory(parameters={"target_agents": agents, "in_flight_now": 58.0})
        assert (out_of_bounds(subject(made)) == "") is ok

    def test_a_throttle_is_bound_by_what_runs_now_not_by_what_ran_then(self) -> None:
        assert out_of_bounds(subject(running=40.0)) == ""  # it runs more in bursts: 58 were seen
        assert "not known now" in out_of_bounds(subject(running=None))
        assert "throttles nothing" in out_of_bounds(
            subject(advisory(parameters={"target_concurrency": 44.0, "running_now": 40.0}), running=44.0)
        )

    @pytest.mark.parametrize(
        ("parameters", "says"),
        [
            ({}, "no window was computed"),
            ({"target_window": 5.0, "window_now": 5.0}, "not a whole number from 0 to below"),
            ({"target_window": -1.0, "window_now": 5.0}, "not a whole number from 0 to below"),
            ({"target_window": 1.5, "window_now": 5.0}, "not a whole number from 0 to below"),
            ({"target_window": 0.0, "window_now": 5.0}, ""),
        ],
    )
    def test_a_window(self, parameters: dict[str, float | str], says: str) -> None:
        found = out_of_bounds(subject(advisory(ActionType.SHRINK_SPECULATION_WINDOW, parameters=parameters)))
        assert says in found if says else not found

    def test_a_drain_of_a_rank_needs_that_rank_and_room_on_the_others(self) -> None:
        def drain(**parameters: float | str) -> str:
            return out_of_bounds(subject(advisory(DRAIN, parameters=parameters)))

        assert not drain(rank="1", others_usage_after=0.5)
        assert "not on the page" in drain(rank="7")
        assert "90%" in drain(rank="1", others_usage_after=0.9)

    def test_a_quarantine_needs_a_shape(self) -> None:
        def quarantine(**parameters: float | str) -> str:
            return out_of_bounds(subject(advisory(ActionType.QUARANTINE_SHAPE, parameters=parameters)))

        assert "not named" in quarantine()
        assert "not named" in quarantine(prompt_tokens_over=1.0, output_tokens_over=1.0)
        assert "not a number of tokens" in quarantine(prompt_tokens_over="many")
        assert not quarantine(output_tokens_over=900.0)

    @given(
        action=st.sampled_from(list(ActionType)),
        parameters=st.dictionaries(
            st.sampled_from(sorted({name for known in PARAMETERS.values() for name in known} | {"rank"})),
            st.one_of(st.floats(), st.text(max_size=5)),
        ),
        running=st.one_of(st.none(), st.floats(0, 1e6)),
    )
    def test_no_parameters_raise_and_an_allowed_throttle_is_one(
        self, action: ActionType, parameters: dict[str, float | str], running: float | None
    ) -> None:
        made = subject(advisory(action, parameters=parameters), running=running)
        if not out_of_bounds(made) and action is THROTTLE and "target_concurrency" in parameters:
            assert running is not None
            then = parameters.get("running_now", running)
            assert 1 <= float(parameters["target_concurrency"]) < max(running, float(then))
