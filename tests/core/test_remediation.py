"""Fixes by cause and engine: proposed values worked out by hand from running values and measurements."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import pytest

from inferguard_core.reading import Engine, Histogram
from inferguard_core.remediation import fix
from inferguard_core.signals import Signal
from tests.core.advice_scenes import CAUSES, diagnosis, scene_of, steady

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from inferguard_core.verdict import Fix

S = Signal
FULL: dict[Signal, float | Callable[[float], float]] = {
    # 40 running at usage 0.8, so the pool holds 50; 64 have been seen running half a minute ago.
    S.RUNNING: lambda t: 64.0 if t in {60, 61} else 40.0,
    S.WAITING: 12.0,
    S.KV_USAGE: lambda t: 1.0 if t in {60, 61} else 0.8,
    S.KV_CAPACITY_TOKENS: 100_000.0,
    S.FINISHED: lambda t: 5.0 * t,
}
VLLM_INFO = {"gpu_memory_utilization": "0.92", "cache_dtype": "auto"}


def fixed(
    cause: str,
    engine: Engine = Engine.VLLM,
    version: str | None = "0.32.0",
    *,
    levels: Mapping[Signal, float | Callable[[float], float]] | None = None,
    info: Mapping[str, str] | None = None,
    config: Mapping[str, str] | None = None,
    models: tuple[str, ...] = (),
    iterations: Histogram | None = None,
) -> Fix:
    readings = steady(levels or FULL, engine=engine, seconds=90, info=info)
    if iterations is not None:
        last = max(readings)
        readings[last] = replace(readings[last], histograms={"iteration_tokens_total": iterations})
    answer = fix(scene_of(readings, version=version, config=config, models=models), diagnosis(cause))
    assert answer is not None
    return answer


def diff(answer: Fix) -> dict[str, tuple[str | None, str]]:
    return {c.flag: (c.current, c.proposed) for c in answer.changes}


@pytest.mark.parametrize("engine", [Engine.VLLM, Engine.SGLANG])
@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_has_a_fix_in_words(cause: str, engine: Engine) -> None:
    answer = fixed(cause, engine, "0.5.23" if engine is Engine.SGLANG else "0.33.0")
    assert answer.cause == cause
    assert answer.why
    assert answer.effect
    assert answer.cost
    assert answer.check
    assert answer.changes or answer.instead
    assert bool(answer.command) == bool(answer.changes)


@pytest.mark.parametrize("cause", ["unclear", "something_new"])
def test_what_is_not_understood_has_no_fix(cause: str) -> None:
    assert fix(scene_of(steady(FULL)), diagnosis(cause)) is None


def test_an_endpoint_that_never_answered_gets_words_and_no_flags() -> None:
    for cause in CAUSES:
        answer = fix(scene_of({}), diagnosis(cause))
        assert answer is not None
        assert answer.changes == ()
        assert answer.command == ""


class TestKvExhausted:
    def test_vllm_with_a_watermark(self) -> None:
        answer = fixed("kv_exhausted", info=VLLM_INFO)
        assert diff(answer) == {
            "--watermark": (None, "0.02"),
            "--max-num-seqs": (None, "50"),
            "--gpu-memory-utilization": ("0.92", "0.94"),
        }
        assert answer.command == (
            "vllm serve MODEL … \\\n  --watermark 0.02 \\\n  --max-num-seqs 50 \\\n  --gpu-memory-utilization 0.94"
        )
        assert answer.flags_of == "0.33.0"

    def test_vllm_before_the_watermark(self) -> None:
        answer = fixed("kv_exhausted", version="0.17.1", info=VLLM_INFO)
        assert list(diff(answer)) == ["--max-num-seqs", "--gpu-memory-utilization"]

    @pytest.mark.parametrize(
        ("now", "then"), [("0.9", "0.92"), ("0.94", "0.95"), ("0.95", None), ("0.97", None)]
    )
    def test_utilisation_stops_at_0_95(self, now: str, then: str | None) -> None:
        answer = fixed("kv_exhausted", info={"gpu_memory_utilization": now})
        assert diff(answer).get("--gpu-memory-utilization", (now, None))[1] == then

    def test_a_limit_that_is_not_exposed_is_never_raised(self) -> None:
        # The pool holds 50, but 40 may be the limit already: no more than 40 ran.
        answer = fixed("kv_exhausted", levels={**FULL, S.RUNNING: 40.0, S.KV_USAGE: 0.8})
        assert diff(answer)["--max-num-seqs"] == (None, "40")

    def test_sglang_with_server_info(self) -> None:
        config = {
            "schedule_conservativeness": "1.0",
            "mem_fraction_static": "0.88",
            "max_running_requests": "256",
        }
        answer = fixed("kv_exhausted", Engine.SGLANG, "0.5.23", config=config)
        assert diff(answer) == {
            "--schedule-conservativeness": ("1.0", "1.3"),
            "--mem-fraction-static": ("0.88", "0.89"),
            "--max-running-requests": ("256", "50"),
        }
        assert answer.command.startswith("python3 -m sglang.launch_server …")

    def test_sglang_that_tells_nothing_of_itself(self) -> None:
        answer = fixed("kv_exhausted", Engine.SGLANG, None)
        assert diff(answer) == {
            "--schedule-conservativeness": (None, "1.3"),
            "--max-running-requests": (None, "50"),
        }
        assert any("version unknown" in n for n in answer.notes)

    @pytest.mark.parametrize(("now", "then"), [("1.3", "1.69"), ("1.9", "2"), ("2.0", None)])
    def test_conservativeness_goes_by_steps_and_ends(self, now: str, then: str | None) -> None:
        answer = fixed("kv_exhausted", Engine.SGLANG, "0.5.23", config={"schedule_conservativeness": now})
        assert diff(answer).get("--schedule-conservativeness", (now, None))[1] == then

    def test_a_limit_already_below_is_left_alone(self) -> None:
        answer = fixed("kv_exhausted", Engine.SGLANG, "0.5.23", config={"max_running_requests": "32"})
        assert "--max-running-requests" not in diff(answer)

    def test_without_measurements_no_number_is_made_up(self) -> None:
        answer = fixed("kv_exhausted", version="0.17.0", levels={S.WAITING: 5.0})
        assert answer.changes == ()
        assert any("no limit" in n for n in answer.notes)


class TestLongContexts:
    def test_fp8_where_the_cache_is_wide(self) -> None:
        assert diff(fixed("long_contexts", info=VLLM_INFO))["--kv-cache-dtype"] == ("auto", "fp8")

    def test_not_twice(self) -> None:
        assert "--kv-cache-dtype" not in diff(fixed("long_contexts", info={"cache_dtype": "fp8_e4m3"}))

    @pytest.mark.parametrize(
        ("version", "dtype"), [("0.5.23", "fp8_e4m3"), ("0.3.6", "fp8_e5m2"), (None, "fp8_e5m2")]
    )
    def test_sglang_takes_the_better_of_what_it_has(self, version: str | None, dtype: str) -> None:
        assert diff(fixed("long_contexts", Engine.SGLANG, version))["--kv-cache-dtype"] == (None, dtype)

    def test_a_known_model_says_what_its_tokens_cost(self) -> None:
        answer = fixed("long_contexts", models=("deepseek-ai/DeepSeek-R1",), info=VLLM_INFO)
        assert any("70,272" in n and "derived" in n for n in answer.notes)


class TestAdmission:
    def test_a_cap_is_raised_to_four_fifths_of_the_pool(self) -> None:
        # 40 running hold 0.4: the pool holds 100, 80 of them at 0.8; twice 40 is 80 as well.
        levels = {**FULL, S.RUNNING: 40.0, S.KV_USAGE: 0.4}
        assert diff(fixed("sequence_cap", levels=levels)) == {"--max-num-seqs": (None, "80")}

    def test_a_cap_is_at_most_doubled(self) -> None:
        levels = {**FULL, S.RUNNING: 40.0, S.KV_USAGE: 0.1}
        config = {"max_running_requests": "40"}
        answer = fixed("sequence_cap", Engine.SGLANG, "0.5.4", levels=levels, config=config)
        assert diff(answer) == {"--max-running-requests": ("40", "80")}

    def test_a_cap_is_not_raised_into_a_full_pool(self) -> None:
        assert fixed("sequence_cap", levels={**FULL, S.RUNNING: 40.0, S.KV_USAGE: 0.85}).changes == ()

    @pytest.mark.parametrize(
        ("now", "then"), [("16384", "8192"), ("8192", "4096"), ("4096", "2048"), ("-1", "8192")]
    )
    def test_prefill_chunks_go_down_stepwise(self, now: str, then: str) -> None:
        answer = fixed("prefill_interference", Engine.SGLANG, "0.5.23", config={"chunked_prefill_size": now})
        assert diff(answer) == {"--chunked-prefill-size": (now, then)}

    def test_the_smallest_chunk_stays(self) -> None:
        config = {"chunked_prefill_size": "2048"}
        assert fixed("prefill_interference", Engine.SGLANG, "0.5.23", config=config).changes == ()

    @pytest.mark.parametrize(
        ("counts", "then"),
        [((5.0, 9.0, 9.0, 9.0), None), ((5.0, 9.0, 12.0, 12.0), "2048"), ((5.0, 9.0, 12.0, 13.0), "4096")],
    )
    def test_vllms_budget_is_told_by_its_largest_iteration(
        self, counts: tuple[float, ...], then: str | None
    ) -> None:
        seen = Histogram((1024.0, 2048.0, 4096.0, 8192.0), counts, 0.0)
        answer = fixed("prefill_interference", iterations=seen)
        assert diff(answer).get("--max-num-batched-tokens", (None, None))[1] == then

    def test_compute_bound_doubles_a_known_budget_only(self) -> None:
        known = fixed("compute_bound", Engine.SGLANG, "0.5.23", config={"chunked_prefill_size": "4096"})
        assert diff(known) == {"--chunked-prefill-size": ("4096", "8192")}
        assert fixed("compute_bound", Engine.SGLANG, "0.5.23").changes == ()

    def test_a_surge_bounds_the_queue_to_what_is_served_in_time(self) -> None:
        # 5 requests/s, twice an objective of 1 s.
        assert diff(fixed("arrival_surge")) == {"--max-num-queued-reqs": (None, "10")}
        assert fixed("arrival_surge", version="0.28.0").changes == ()
        assert diff(fixed("arrival_surge", Engine.SGLANG, "0.5.4")) == {"--max-queued-requests": (None, "10")}

    def test_a_slow_engine_keeps_a_queue_for_small_bursts(self) -> None:
        # 0.5 requests/s would allow one; five waiting is where a queue begins to matter.
        levels = {**FULL, S.FINISHED: lambda t: 0.5 * t}
        assert diff(fixed("arrival_surge", levels=levels)) == {"--max-num-queued-reqs": (None, "5")}

    def test_clients_that_leave_without_waiting_are_no_matter_of_the_queue(self) -> None:
        assert fixed("abort_storm", levels={**FULL, S.WAITING: 0.0}).changes == ()
        assert fixed("abort_storm").changes

    def test_conservative_admission_is_an_affair_of_sglang(self) -> None:
        answer = fixed("conservative_admission", Engine.SGLANG, "0.4.6")
        assert diff(answer) == {"--schedule-conservativeness": (None, "0.3")}
        assert fixed("conservative_admission").changes == ()


class TestCache:
    def test_sglang_gets_a_host_tier_and_the_longest_prefix_first(self) -> None:
        answer = fixed("prefix_thrash", Engine.SGLANG, "0.5.23", config={"schedule_policy": "fcfs"})
        assert diff(answer) == {
            "--schedule-policy": ("fcfs", "lpm"),
            "--enable-hierarchical-cache": (None, ""),
            "--hicache-ratio": (None, "2"),
        }
        assert "--enable-hierarchical-cache \\\n" in answer.command

    def test_vllms_host_tier_has_the_size_of_the_pool_where_the_model_is_known(self) -> None:
        # 1,000,000 tokens · 24,576 bytes = 22.9 GiB.
        levels = {**FULL, S.KV_CAPACITY_TOKENS: 1e6}
        known = fixed("prefix_thrash", levels=levels, models=("gpt-oss-20b",), info=VLLM_INFO)
        assert diff(known) == {"--kv-offloading-size": (None, "22.9")}
        assert fixed("prefix_thrash", levels=levels, info=VLLM_INFO).changes == ()

    def test_a_broken_prefix_is_the_clients(self) -> None:
        answer = fixed("prefix_broken")
        assert answer.changes == ()
        assert "nothing in it changes" in answer.cost


class TestSpeculation:
    # 4 drafted, 0.9375 taken: only the first position pays.
    LEVELS: ClassVar = {
        S.SPEC_DRAFTS: lambda t: 10 * t,
        S.SPEC_DRAFT_TOKENS: lambda t: 40 * t,
        S.SPEC_ACCEPTED_TOKENS: lambda t: 9.375 * t,
    }

    def test_vllm_takes_it_in_json(self) -> None:
        answer = fixed("spec_collapse", levels=self.LEVELS)
        assert diff(answer) == {"--speculative-config": (None, '{"num_speculative_tokens": 1}')}
        assert """--speculative-config '{"num_speculative_tokens": 1}'""" in answer.command
        assert any("keep the other keys" in n for n in answer.notes)

    def test_old_vllm_took_a_number(self) -> None:
        answer = fixed("spec_collapse", version="0.7.3", levels=self.LEVELS)
        assert diff(answer) == {"--num-speculative-tokens": (None, "1")}

    def test_a_draft_that_never_pays_is_left_out(self) -> None:
        levels = {**self.LEVELS, S.SPEC_ACCEPTED_TOKENS: lambda t: 0.5 * t}
        answer = fixed("spec_collapse", levels=levels)
        assert diff(answer) == {"--speculative-config": (None, "leave out")}
        assert answer.command.startswith("# without --speculative-config")

    def test_sglang_adapts_by_itself_where_it_can_and_nothing_is_known(self) -> None:
        assert diff(fixed("spec_collapse", Engine.SGLANG, "0.5.23")) == {"--speculative-adaptive": (None, "")}
        assert fixed("spec_collapse", Engine.SGLANG, "0.5.4").changes == ()


class TestAvailability:
    @pytest.mark.parametrize(
        "cause", ["engine_stalled", "engine_restarted", "engine_down", "error_storm", "shape_crash"]
    )
    def test_no_flag_mends_these(self, cause: str) -> None:
        answer = fixed(cause)
        assert answer.changes == ()
        assert answer.instead

    def test_ranks_of_sglang_can_be_balanced_by_tokens(self) -> None:
        assert (
            diff(fixed("rank_imbalance", Engine.SGLANG, "0.5.23"))["--load-balance-method"][1]
            == "total_tokens"
        )
        assert fixed("rank_imbalance", Engine.SGLANG, "0.5.4").changes == ()
        assert fixed("rank_imbalance").changes == ()


@pytest.mark.parametrize(
    ("version", "said"),
    [("0.40.0", "newer than"), ("0.2.0", "older than"), ("not a version", "version unknown")],
)
def test_a_version_outside_the_table_is_said(version: str, said: str) -> None:
    assert any(said in n for n in fixed("kv_exhausted", version=version).notes)


def test_a_page_proves_a_version_that_nobody_told() -> None:
    # Both families came with 0.32, the first one at the latest.
    readings = steady(FULL)
    spelled = {S.RUNNING: "vllm:num_requests_running", S.REJECTED: "vllm:admission_rejections_total"}
    view = scene_of(readings, version=None, spellings=spelled)
    answer = fix(view, diagnosis("kv_exhausted"))
    assert answer is not None
    assert "--watermark" in diff(answer)
    assert any("0.32.0 or later" in n for n in answer.notes)


def test_what_an_engine_calls_itself_is_made_safe_to_draw() -> None:
    answer = fixed("prefix_thrash", Engine.SGLANG, "0.5.23", config={"schedule_policy": "odd\x1b[2J"})
    current = diff(answer)["--schedule-policy"][0]
    assert current is not None
    assert current.startswith("odd")
    assert "\x1b" not in current
