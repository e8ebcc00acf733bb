"""Rules tried on recordings, and written as rules of Prometheus."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from inferguard_core.check.labels import Episode, labels_path, read_labels
from inferguard_core.check.promrules import NEEDS_A_PAST, alert_rules, prometheus_rules
from inferguard_core.check.trial import Firing, _outside, _rule, trial
from inferguard_core.detect.limits import Limits
from inferguard_core.detect.rules import KINDS
from inferguard_core.frame import Severity
from inferguard_core.poll import ProofLevel
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.sources.recording import RecordingFile

RECORDINGS = Path(__file__).parents[1] / "fixtures" / "recordings"


def tried(name: str, limits: Limits, episodes=None):
    opened = RecordingFile.open(RECORDINGS / f"{name}.jsonl.gz")
    assert isinstance(opened, RecordingFile)
    found = trial(opened.header, opened.polls(), limits, ProofLevel.RECORDED, episodes)
    return {rule.kind: rule for rule in found.rules}


class TestTrial:
    def test_firings_are_those_of_a_replay(self):
        rules = tried("vllm-0.32-kv_pressure", Limits())
        assert rules["preemption"].firings
        assert rules["stall"].firings == ()
        assert rules["preemption"].firings[0].onset <= rules["preemption"].firings[0].start
        assert rules["swap"].blind
        assert not rules["preemption"].blind

    def test_a_lower_limit_fires_earlier_and_longer(self):
        short = replace(Limits(), kv_high_for=5.0)
        now = tried("vllm-0.32-kv_pressure", short)["kv_high"]
        lower = tried("vllm-0.32-kv_pressure", replace(short, kv_alert_threshold=0.5))["kv_high"]
        assert lower.firings[0].start < now.firings[0].start
        assert lower.active_s > now.active_s

    def test_without_labels_nothing_is_called_false_or_early(self):
        rule = tried("vllm-0.32-kv_pressure", Limits())["preemption"]
        assert (rule.episodes, rule.met, rule.missed, rule.false_s, rule.lead_s) == (
            None,
            None,
            None,
            None,
            (),
        )


class TestWorth:
    """The arithmetic, on firings made by hand."""

    trouble = Episode(100.0, 160.0, frozenset({"stall", "itl_high"}), frozenset({"stall"}))

    def judged(self, *firings: Firing, kind: str = "stall"):
        return _rule(kind, firings, False, [self.trouble])

    def test_lead_is_counted_from_the_onset_of_the_episode(self):
        early = Firing(80, 90, 120, ((90, 120),), Severity.WARNING)
        late = Firing(100, 130, 150, ((130, 150),), Severity.WARNING)
        assert self.judged(early).lead_s == (10.0,)
        assert self.judged(late).lead_s == (-30.0,)
        assert self.judged(early, late).lead_s == (10.0,)

    def test_false_is_what_alarms_outside_every_episode_and_its_grace(self):
        whole = Firing(0, 0, 300, ((0, 300),), Severity.CRITICAL)
        assert self.judged(whole).false_s == 100 + (300 - 220)
        notice = Firing(0, 0, 300, (), Severity.NOTICE)
        assert self.judged(notice).false_s == 0

    def test_an_alarm_of_another_kind_within_the_episode_is_not_false(self):
        firing = Firing(110, 110, 150, ((110, 150),), Severity.WARNING)
        other = self.judged(firing, kind="queue_growth")
        assert (other.false_s, other.episodes, other.lead_s) == (0, 0, ())

    def test_what_was_demanded_and_did_not_fire_is_missed_and_what_was_allowed_is_not(self):
        assert self.judged().missed == 1
        assert self.judged(kind="itl_high").missed == 0
        assert self.judged(kind="itl_high").episodes == 1

    @pytest.mark.parametrize(
        ("span", "seconds"),
        [((0, 50), 50), ((50, 150), 50), ((110, 120), 0), ((200, 230), 10), ((90, 400), 10 + 180)],
    )
    def test_time_outside(self, span, seconds):
        assert _outside(span, [self.trouble]) == seconds


class TestLabels:
    def test_none_is_no_labels(self, tmp_path: Path):
        assert read_labels(labels_path(tmp_path / "x.jsonl.gz")) is None

    def test_groups_with_one_kind_are_demanded(self, tmp_path: Path):
        path = labels_path(tmp_path / "x.jsonl.gz")
        episode = {"onset": 1, "end": 2.5, "kinds": [["a"], ["b", "c"]], "also": ["d"]}
        path.write_text(json.dumps({"episodes": [episode]}))
        assert read_labels(path) == (Episode(1, 2.5, frozenset("abcd"), frozenset("a")),)

    @pytest.mark.parametrize("text", ["{", "[]", '{"episodes": 1}', '{"episodes": [{"onset": 5, "end": 1}]}'])
    def test_a_broken_one_is_said(self, tmp_path: Path, text: str):
        path = tmp_path / "x.labels.json"
        path.write_text(text)
        assert isinstance(read_labels(path), BadInput)


class TestExport:
    def test_every_kind_is_exported_or_said_not_to_be(self):
        exported = {rule.kind for rule in alert_rules(Limits())}
        assert exported | set(NEEDS_A_PAST) == set(KINDS)
        assert not exported & set(NEEDS_A_PAST)
        for kind in NEEDS_A_PAST:
            assert kind in prometheus_rules(Limits())

    def test_limits_in_force_are_in_the_expressions(self):
        text = prometheus_rules(
            replace(Limits(), kv_alert_threshold=0.77, ttft_objective_s=3.0, kv_high_for=90.0)
        )
        assert ">= 0.77" in text
        assert "> 3" in text
        assert "for: 90s" in text
