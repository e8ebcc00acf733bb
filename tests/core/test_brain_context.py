"""What the brain is told: all of it JSON, none of it a host name, and enough to see trouble from."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from inferguard_brain.investigate import investigate
from inferguard_core.brain_context import brain_context
from inferguard_core.detect.limits import Limits
from inferguard_core.followup import Grade, Similar
from inferguard_core.poll import EndpointFacts, Failure, FailureKind, Poll, ProofLevel
from inferguard_core.sources.recording import RecordingFile
from inferguard_core.watch import EndpointWatch
from inferguard_tui.simulator.dialect import Dialect
from inferguard_tui.simulator.engine import SimulatedEngine
from inferguard_tui.simulator.scenarios import SCENARIOS
from inferguard_tui.simulator.source import SimulatedSource
from tests.core.world import T0, Phase, World

RECORDINGS = Path(__file__).parents[1] / "fixtures" / "recordings"


def watched(world: World, until: int, name: str = "gpu-07.lab.example:8000") -> EndpointWatch:
    watch = EndpointWatch(f"http://{name}", name, 1.0, ProofLevel.LIVE, Limits())
    for t in range(until + 1):
        watch.observe(Poll(float(t), T0 + t, 1.0, body=world.page(float(t)), facts=EndpointFacts("0.32.0")))
    return watch


def test_rows_hold_rates_and_shares_of_spans_that_do_not_overlap() -> None:
    rows = brain_context(watched(World((Phase(0.0),)), 400), T0 + 400)["window"]
    assert rows[-1]["t"] == 0.0
    counted = [row for row in rows if "finish_rate" in row]
    assert counted
    for row in counted:
        assert row["finish_rate"] == pytest.approx(2.0)
        assert row["hit_rate"] == pytest.approx(0.8)
        assert row["generation_rate"] == pytest.approx(200.0)
    gaps = [b["t"] - a["t"] for a, b in pairwise(counted)]
    assert min(gaps) >= 27.0
    assert {row["running"] for row in rows} == {8.0}


def test_what_an_engine_does_not_export_is_absent() -> None:
    rows = brain_context(watched(World((Phase(0.0),)), 60), T0 + 60)["window"]
    assert all("new_token_ratio" not in row and "idle_before_evict" not in row for row in rows)


def test_it_is_json_and_names_no_host_unless_allowed() -> None:
    watch = watched(
        World((Phase(0.0), Phase(60.0, kv=0.97, waiting=9, waiting_slope=0.2, preemptions=1))), 200
    )
    for t in (201, 202, 203, 204):
        refused = Failure(FailureKind.REFUSED, "gpu-07.lab.example:8000 refuses connections")
        watch.observe(Poll(float(t), T0 + t, 1.0, failure=refused))
    assert watch.log.open is not None
    past = Similar(
        "web-3:8000/20260101T000000Z", "http://web-3:8000", "kv_exhausted", "web-3:8000: KV", T0, 9.0, 0.9, ()
    )
    told = json.dumps(brain_context(watch, T0 + 204, (past,)))
    assert "web-3" not in told
    assert "other-1/20260101T000000Z" in told
    assert "gpu-07" not in told
    assert "endpoint refuses connections" in told
    assert "gpu-07.lab.example" in json.dumps(brain_context(watch, T0 + 204, host_names=True))


def test_an_incident_comes_with_its_causes_and_the_tables_an_answer_is_checked_against() -> None:
    watch = watched(
        World((Phase(0.0), Phase(60.0, kv=0.97, waiting=9, waiting_slope=0.2, preemptions=1))), 200
    )
    prior = Similar(
        "#1", "http://b", "kv_exhausted", "h", T0, 60.0, 0.9, ("KV 0.97",), "throttled", Grade.HELPED
    )
    told = brain_context(watch, T0 + 200, (prior,))
    assert told["diagnosis"]["cause"] == "kv_exhausted"
    assert {"kv_exhausted", "sequence_cap"} <= {c["cause"] for c in told["causes"]}
    assert told["flags"]["--watermark"]["high"] == 0.99
    assert "--swap-space" not in told["flags"], "0.32 has no swap"
    assert told["priors"][0]["grade"] == "helped"
    assert investigate(told)["error"] is None


def test_an_endpoint_that_never_answered_can_be_told_of() -> None:
    watch = EndpointWatch("http://a", "a", 1.0, ProofLevel.LIVE, Limits())
    assert investigate(brain_context(watch, T0)) == {
        **investigate(brain_context(watch, T0)),
        "advisories": [],
        "error": None,
    }


def test_a_ramp_is_foreseen_before_any_rule_warns() -> None:
    """0.06 a minute from 0.5: at 0.8 the pool is full in 200 s."""
    watch = watched(World((Phase(0.0, kv=0.5, kv_slope=0.001),)), 300)
    assert watch.log.open is None
    (cliff,) = investigate(brain_context(watch, T0 + 300))["advisories"]
    assert cliff["advisory_type"] == "capacity_cliff_predicted"
    assert cliff["horizon_seconds"] == pytest.approx(200, rel=0.05)


def advised(watch: EndpointWatch, polls: list[Poll], every: int = 5) -> list[str]:
    found = []
    for number, poll in enumerate(polls):
        watch.observe(poll)
        if number % every == 0:
            answer = investigate(brain_context(watch, poll.unix))
            assert answer["error"] is None
            found += [f"{poll.t:.0f} s {one['text']}" for one in answer["advisories"]]
    return found


def test_a_recorded_healthy_engine_gives_nothing() -> None:
    opened = RecordingFile.open(RECORDINGS / "vllm-0.32-healthy.jsonl.gz")
    assert isinstance(opened, RecordingFile)
    watch = EndpointWatch("http://a", "a", opened.header.interval_s, ProofLevel.RECORDED, Limits())
    polls = opened.load().polls
    assert len(polls) == 60
    assert advised(watch, list(polls), 2) == []


@pytest.mark.parametrize(
    ("scenario", "dialect"),
    [("kv_95", Dialect.VLLM_V1), ("bursts", Dialect.SGLANG), ("lull", Dialect.SGLANG)],
)
async def test_a_healthy_simulated_engine_gives_nothing(scenario: str, dialect: Dialect) -> None:
    source = SimulatedSource(
        SimulatedEngine(SCENARIOS[scenario].scaled(1.1), engine=dialect, seed=7), interval_s=5.0
    )
    polls = [await source.poll() for _ in range(200)]
    watch = EndpointWatch("http://s", "s", 5.0, ProofLevel.SIMULATED, Limits())
    assert advised(watch, polls, 2) == []
