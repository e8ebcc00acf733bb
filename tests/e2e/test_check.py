"""`inferguard check` as a person runs it, and its rules in the hands of the real promtool."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.installed import program

RECORDING = Path(__file__).parents[1] / "fixtures" / "recordings" / "vllm-0.32-kv_pressure.jsonl.gz"


def check(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "inferguard_tui", "check", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [program("promtool", "prometheus"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    done = check("--export", "prometheus-rules")
    assert (done.returncode, done.stderr) == (0, "")
    path = tmp_path_factory.mktemp("rules") / "inferguard.yml"
    path.write_text(done.stdout)
    return path


class TestRecordings:
    def test_labels_beside_a_recording_give_leads_and_false_minutes(self, tmp_path: Path) -> None:
        here = tmp_path / "night.jsonl.gz"
        shutil.copy(RECORDING, here)
        plain = json.loads(check(here, "--json").stdout)["recordings"][0]
        assert plain["labelled"] is False
        fired = {rule["kind"]: rule for rule in plain["rules"]}
        first = fired["preemption"]["firings"][0]["t"]
        episode = {"onset": first + 5, "end": first + 20, "kinds": [["preemption"], ["request_errors"]]}
        (tmp_path / "night.labels.json").write_text(json.dumps({"episodes": [episode]}))
        rules = {r["kind"]: r for r in json.loads(check(here, "--json").stdout)["recordings"][0]["rules"]}
        assert rules["preemption"]["lead_s"] == [pytest.approx(5.0)]
        assert rules["preemption"]["missed"] == 0
        assert rules["request_errors"]["missed"] == 1
        said = check(here).stdout
        assert "+5 s" in said
        assert "missed" in said

    def test_other_limits_stand_beside_those_in_force(self, tmp_path: Path) -> None:
        tried = tmp_path / "try.toml"
        tried.write_text("[limits]\nkv_high_for = 5\n")
        rules = json.loads(check(RECORDING, "--rules", tried, "--json").stdout)["recordings"][0]["rules"]
        kv = next(r for r in rules if r["kind"] == "kv_high")
        assert kv["firings"]
        assert kv["active_s"] > kv["in_force"]["active_s"]
        assert "in force" in check(RECORDING, "--rules", tried).stdout

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("kv_alert_threshold = 7\n", "0 to 1"),
            ("kv_alrt = 0.5\n", "no such limit"),
            ("= 5", "not TOML"),
        ],
    )
    def test_limits_that_cannot_be_are_one_line(self, tmp_path: Path, content: str, said: str) -> None:
        tried = tmp_path / "try.toml"
        tried.write_text(content)
        done = check(RECORDING, "--rules", tried)
        assert done.returncode == 3
        assert said in done.stderr
        assert str(tried) in done.stderr
        assert len(done.stderr.splitlines()) == 1

    def test_no_recording_and_a_broken_one(self, tmp_path: Path) -> None:
        assert (check().returncode, check().stdout) == (3, "")
        (tmp_path / "x.jsonl.gz").write_bytes(b"nothing")
        done = check(tmp_path / "x.jsonl.gz", RECORDING)
        assert done.returncode == 3
        assert "is not gzip" in done.stderr
        assert "preemption" in done.stdout, "the good one is still checked"
        alone = check(tmp_path / "x.jsonl.gz")
        assert (alone.returncode, alone.stdout) == (3, "")


def unit(rules: Path, tests: str) -> None:
    """Run promtool's own unit tests on the exported rules."""
    path = rules.with_name("tests.yml")
    path.write_text(f"rule_files: [{rules.name}]\nevaluation_interval: 15s\ntests:\n{tests}")
    done = promtool("test", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr


LABELS = "job: j, instance: i"


class TestExport:
    def test_promtool_accepts_them(self, rules: Path) -> None:
        done = promtool("check", "rules", rules)
        assert done.returncode == 0, done.stderr
        assert "SUCCESS" in done.stdout

    def test_pressure_over_the_limit_for_long_enough_is_a_notice(self, rules: Path) -> None:
        series = '{job="j",instance="i",model_name="m",engine="0"}'
        unit(
            rules,
            f"""- interval: 15s
  input_series:
  - {{series: 'vllm:kv_cache_usage_perc{series}', values: '0.5x3 0.9x20'}}
  - {{series: 'vllm:num_preemptions_total{series}', values: '0x30'}}
  alert_rule_test:
  - {{eval_time: 45s, alertname: InferGuardKvHigh, exp_alerts: []}}
  - eval_time: 5m
    alertname: InferGuardKvHigh
    exp_alerts:
    - exp_labels: {{severity: notice, kind: kv_high, engine: vllm, {LABELS}}}
      exp_annotations: {{summary: 'KV pool of i at 90%'}}
  - {{eval_time: 5m, alertname: InferGuardKvSaturated, exp_alerts: []}}
""",
        )

    def test_both_engines_preempt_by_their_own_names_and_twin_ranks_count_once(self, rules: Path) -> None:
        unit(
            rules,
            """- interval: 15s
  input_series:
  - {series: 'vllm:num_preemptions_total{job="j",instance="v",engine="0"}', values: '0+1x40'}
  - {series: 'sglang:num_retracted_requests_total{job="j",instance="s",tp_rank="0"}', values: '0+1x40'}
  - {series: 'sglang:num_retracted_requests_total{job="j",instance="s",tp_rank="1"}', values: '0+1x40'}
  - {series: 'vllm:num_preemptions_total{job="j",instance="quiet",engine="0"}', values: '7x40'}
  alert_rule_test:
  - eval_time: 8m
    alertname: InferGuardPreemption
    exp_alerts:
    - exp_labels: {severity: warning, kind: preemption, engine: vllm, job: j, instance: v}
      exp_annotations: {summary: '4 requests preempted on v within a minute'}
    - exp_labels: {severity: warning, kind: preemption, engine: sglang, job: j, instance: s}
      exp_annotations: {summary: '4 requests preempted on s within a minute'}
""",
        )

    def test_late_first_tokens_burn_fast(self, rules: Path) -> None:
        bucket = 'vllm:time_to_first_token_seconds_bucket{job="j",instance="i",model_name="m",le='
        unit(
            rules,
            f"""- interval: 15s
  input_series:
  - {{series: '{bucket}"1.0"}}', values: '0+3x60'}}
  - {{series: '{bucket}"2.5"}}', values: '0+10x60'}}
  - {{series: '{bucket}"+Inf"}}', values: '0+10x60'}}
  - {{series: 'vllm:time_to_first_token_seconds_count{{job="j",instance="i",model_name="m"}}', values: '0+10x60'}}
  alert_rule_test:
  - eval_time: 10m
    alertname: InferGuardTtftHigh
    exp_alerts:
    - exp_labels: {{severity: critical, kind: ttft_high, engine: vllm, {LABELS}}}
      exp_annotations: {{summary: 'over 50% of first tokens on i come later than 1 s'}}
    - exp_labels: {{severity: warning, kind: ttft_high, engine: vllm, {LABELS}}}
      exp_annotations: {{summary: 'over 15% of first tokens on i come later than 1 s'}}
""",
        )

    def test_an_engine_that_holds_requests_and_makes_nothing_stalls_and_an_idle_one_does_not(
        self, rules: Path
    ) -> None:
        unit(
            rules,
            """- interval: 15s
  input_series:
  - {series: 'sglang:num_running_reqs{job="j",instance="held"}', values: '4x40'}
  - {series: 'sglang:num_queue_reqs{job="j",instance="held"}', values: '2x40'}
  - {series: 'sglang:generation_tokens_total{job="j",instance="held"}', values: '0+50x10 500x30'}
  - {series: 'sglang:prompt_tokens_total{job="j",instance="held"}', values: '0+50x10 500x30'}
  - {series: 'sglang:num_running_reqs{job="j",instance="idle"}', values: '0x40'}
  - {series: 'sglang:num_queue_reqs{job="j",instance="idle"}', values: '0x40'}
  - {series: 'sglang:generation_tokens_total{job="j",instance="idle"}', values: '500x40'}
  - {series: 'sglang:prompt_tokens_total{job="j",instance="idle"}', values: '500x40'}
  alert_rule_test:
  - {eval_time: 2m, alertname: InferGuardStall, exp_alerts: []}
  - eval_time: 6m
    alertname: InferGuardStall
    exp_alerts:
    - exp_labels: {severity: critical, kind: stall, engine: sglang, job: j, instance: held}
      exp_annotations: {summary: 'held holds 6 requests and makes no token'}
""",
        )

    def test_only_what_was_an_engine_can_be_down(self, rules: Path) -> None:
        unit(
            rules,
            f"""- interval: 15s
  input_series:
  - {{series: 'up{{job="j",instance="i"}}', values: '1x20 0x20'}}
  - {{series: 'vllm:num_requests_running{{job="j",instance="i"}}', values: '3x20 _x20'}}
  - {{series: 'up{{job="node",instance="n"}}', values: '0x40'}}
  alert_rule_test:
  - eval_time: 8m
    alertname: InferGuardEndpointDown
    exp_alerts:
    - exp_labels: {{severity: critical, kind: endpoint_down, engine: vllm, {LABELS}}}
      exp_annotations: {{summary: 'i cannot be scraped'}}
""",
        )
