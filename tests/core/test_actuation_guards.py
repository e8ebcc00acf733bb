"""Each guard alone: what opens it, what shuts it, and what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inferguard_core.actuation import guards
from inferguard_core.actuation.target import Target, parse_target
from inferguard_core.followup import Grade, Outcome
from inferguard_core.verdict import ActionType
from tests.core.acting_scenes import ENDPOINT, NOW, advisory, attempt, subject

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
