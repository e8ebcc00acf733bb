"""Fixes by cause and engine: proposed values worked out by hand from running values and measurements."""

from __future__ import annotations

import pytest

from inferguard_core.reading import Engine
from inferguard_core.remediation import fix
from inferguard_core.signals import Signal
from tests.core.advice_scenes import CAUSES, diagnosis, scene_of, steady
from tests.core.fix_scenes import FULL, VLLM_INFO, diff, fixed

S = Signal


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
