"""Each guard alone: what opens it, what shuts it, and what it says."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.actuation import guards
from inferguard_core.actuation.bounds import out_of_bounds
from inferguard_core.actuation.target import Target, parse_target
from inferguard_core.followup import Grade, Outcome
from inferguard_core.verdict import ActionType
from tests.core.acting_scenes import ENDPOINT, NOW, PARAMETERS, advisory, attempt, subject

THROTTLE = ActionType.THROTTLE_CONCURRENCY
DRAIN = ActionType.DRAIN_AND_RECYCLE


@pytest.mark.parametrize(
    ("setting", "live", "ok"),
    [
        ("off", False, False),
        ("off", True, False),
        ("dry_run", False, True),
        ("dry_run", True, False),
        ("live", False, True),
        ("live", True, True),
        ("LIVE", True, False),
    ],
)
def test_mode(setting: str, live: bool, ok: bool) -> None:
    assert guards.mode(setting, live=live).ok is ok


def test_allowlist() -> None:
    assert guards.allowlist(frozenset({"throttle_concurrency"}), THROTTLE).ok
    shut = guards.allowlist(frozenset({"throttle_concurrency"}), DRAIN)
    assert not shut.ok
    assert "throttle_concurrency" in shut.text
    assert not guards.allowlist(frozenset(), THROTTLE).ok


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


class TestStillTrue:
    def test_an_open_firing_incident(self) -> None:
        told = guards.still_true(subject())
        assert told.ok
        assert "preemption" in told.text

    @pytest.mark.parametrize(
        "change",
        [{"incident_open": False}, {"recovering": True}, {"troubles": ()}],
    )
    def test_one_that_is_over_or_going(self, change: dict[str, object]) -> None:
        assert not guards.still_true(replace(subject(), **change)).ok  # type: ignore[arg-type]

    def test_advice_that_was_superseded(self) -> None:
        told = guards.still_true(subject(advisory(superseded_by="the next one")))
        assert not told.ok
        assert "the next one" in told.text


class TestFresh:
    @pytest.mark.parametrize(("age_s", "ok"), [(0.0, True), (6.0, True), (6.1, False), (None, False)])
    def test_by_age(self, age_s: float | None, ok: bool) -> None:
        assert guards.fresh(subject(age_s=age_s)).ok is ok

    def test_a_failed_newest_poll_refuses_however_young_the_page_before_it(self) -> None:
        assert not guards.fresh(subject(last_poll_failed=True)).ok


class TestOnce:
    @pytest.mark.parametrize("outcome", [Outcome.SENDING, Outcome.APPLIED, Outcome.UNKNOWN, Outcome.REJECTED])
    def test_what_may_have_arrived_is_not_sent_again(self, outcome: Outcome) -> None:
        assert not guards.once([attempt(action_id="a", outcome=outcome)], "a").ok

    @pytest.mark.parametrize("outcome", [Outcome.NOT_SENT, Outcome.REFUSED, Outcome.DRY_RUN])
    def test_what_never_left_may_be_tried(self, outcome: Outcome) -> None:
        assert guards.once([attempt(action_id="a", outcome=outcome)], "a").ok

    def test_another_advisory(self) -> None:
        assert guards.once([attempt(action_id="a")], "b").ok


class TestCooldown:
    @pytest.mark.parametrize(("ago_s", "ok"), [(0, False), (299.9, False), (300, True), (3000, True)])
    def test_by_time(self, ago_s: float, ok: bool) -> None:
        assert guards.cooldown([attempt(ago_s)], THROTTLE, ENDPOINT, NOW, 300.0).ok is ok

    def test_is_of_one_action_on_one_endpoint(self) -> None:
        assert guards.cooldown([attempt(1)], DRAIN, ENDPOINT, NOW, 300.0).ok
        assert guards.cooldown([attempt(1)], THROTTLE, "http://other:8000", NOW, 300.0).ok

    def test_what_never_left_starts_none(self) -> None:
        assert guards.cooldown([attempt(1, outcome=Outcome.NOT_SENT)], THROTTLE, ENDPOINT, NOW, 300.0).ok

    def test_a_clock_that_went_back_does_not_open_it(self) -> None:
        assert not guards.cooldown([attempt(-5000)], THROTTLE, ENDPOINT, NOW, 300.0).ok

    def test_the_newest_counts_in_whatever_order_they_stand(self) -> None:
        assert not guards.cooldown([attempt(10), attempt(4000)], THROTTLE, ENDPOINT, NOW, 300.0).ok


@pytest.mark.parametrize(
    ("agos", "ok"),
    [
        ([], True),
        ([10, 20, 30, 40, 50], True),
        ([10, 20, 30, 40, 50, 60], False),
        ([10, 20, 30, 40, 50, 3600], True),
        ([-60, 10, 20, 30, 40, 50], False),
    ],
)
def test_per_hour_counts_every_endpoint_and_action(agos: list[float], ok: bool) -> None:
    done = [attempt(ago, endpoint=f"http://e{i}", action_type=f"a{i}") for i, ago in enumerate(agos)]
    assert guards.per_hour(done, NOW, 6).ok is ok


def test_per_hour_zero_allows_none() -> None:
    assert not guards.per_hour([], NOW, 0).ok


class TestInFlight:
    @pytest.mark.parametrize("outcome", [Outcome.SENDING, Outcome.APPLIED, Outcome.UNKNOWN])
    def test_an_effect_that_is_not_measured_yet_blocks_its_endpoint(self, outcome: Outcome) -> None:
        done = [attempt(60, outcome=outcome, action_type="drain_and_recycle")]
        told = guards.in_flight(done, ENDPOINT, NOW)
        assert not told.ok
        assert "60 s" in told.text
        assert guards.in_flight(done, "http://other:8000", NOW).ok

    def test_is_over_with_the_grade_or_with_time(self) -> None:
        assert guards.in_flight([attempt(60, grade=Grade.HELPED)], ENDPOINT, NOW).ok
        assert guards.in_flight([attempt(120)], ENDPOINT, NOW).ok
        assert guards.in_flight([attempt(60, outcome=Outcome.REJECTED)], ENDPOINT, NOW).ok


@pytest.mark.parametrize(("present", "ok"), [(False, True), (True, False), (None, False)])
def test_kill_switch(present: bool | None, ok: bool) -> None:
    told = guards.kill_switch("/state/STOP", present=present)
    assert told.ok is ok
    assert ok or "/state/STOP" in told.text


def test_read_only() -> None:
    assert guards.read_only(flag=False).ok
    assert not guards.read_only(flag=True).ok


def test_audit() -> None:
    assert guards.audit("").ok
    told = guards.audit("/state/audit.jsonl: No space left on device")
    assert not told.ok
    assert "No space left" in told.text


class TestTarget:
    @pytest.mark.parametrize(
        "url",
        [
            "https://ops.example/actuate",
            "https://ops.example:8443/actuate?key=hidden",
            "http://127.0.0.1:9100/actuate",
            "http://127.8.8.8:9100/",
            "http://localhost:9100/actuate",
            "http://[::1]:9100/actuate",
        ],
    )
    def test_allowed(self, url: str) -> None:
        parsed = parse_target(url, allow_http=False)
        assert isinstance(parsed, Target)
        assert parsed.url == url
        assert guards.target(parsed).ok
        assert "hidden" not in parsed.shown

    @pytest.mark.parametrize(
        "url",
        [
            None,
            "",
            "ops.example/actuate",
            "http://ops.example/actuate",
            "http://10.0.0.1:9100/actuate",
            "http://127.0.0.1.evil.example/",
            "http://localhost.evil.example/",
            "http://2130706433.evil/",
            "https://user:hunter2@ops.example/",
            "https://hunter2@ops.example/",
            "ftp://ops.example/",
            "file:///etc/passwd",
            "https://",
            "https://ops.example:99999/",
            "https://ops.example/a b",
            "https://ops.example/\r\nX-Evil: 1",
            "https://ops.exämple/",
        ],
    )
    def test_refused_without_a_word_of_a_secret(self, url: str | None) -> None:
        parsed = parse_target(url, allow_http=False)
        assert isinstance(parsed, str)
        assert "hunter2" not in parsed
        assert not guards.target(parsed).ok

    def test_http_off_this_host_when_told_so(self) -> None:
        assert isinstance(parse_target("http://10.0.0.1:9100/", allow_http=True), Target)


def test_what_only_sending_needs_does_not_stop_a_rehearsal() -> None:
    live_only = [
        guards.once([], "a"),
        guards.cooldown([], THROTTLE, ENDPOINT, NOW, 1.0),
        guards.per_hour([], NOW, 1),
        guards.in_flight([], ENDPOINT, NOW),
        guards.kill_switch("STOP", present=True),
        guards.read_only(flag=True),
        guards.target("none"),
        guards.audit("full"),
    ]
    both = [
        guards.mode("off", live=False),
        guards.allowlist(frozenset(), THROTTLE),
        guards.bounds(subject()),
        guards.still_true(subject()),
        guards.fresh(subject()),
    ]
    assert all(check.live_only for check in live_only)
    assert not any(check.live_only for check in both)
