"""Fixes of admission, prefill, prefixes and drafts; proposed values are worked out by hand."""

from __future__ import annotations

from typing import ClassVar

import pytest

from inferguard_core.reading import Engine, Histogram
from inferguard_core.signals import Signal
from tests.core.fix_scenes import FULL, VLLM_INFO, diff, fixed

S = Signal


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
