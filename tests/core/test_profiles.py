"""Model profiles: KV bytes against sums done by hand from config.json, and which names they answer to."""

from __future__ import annotations

import pytest

from inferguard_core.profiles import PROFILES, Attention, element_bytes, profile


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("openai/gpt-oss-120b", "GPT-OSS-120B"),
        ("openai/gpt-oss-20b", "GPT-OSS-20B"),
        ("deepseek-ai/DeepSeek-R1-0528", "DeepSeek-R1"),
        ("/models/deepseek_r1", "DeepSeek-R1"),
        ("Qwen/Qwen3.5-397B-A17B-FP8", "Qwen3.5-397B-A17B"),
        ("Qwen/Qwen3.5-35B-A3B", "Qwen3.5-35B-A3B"),
        ("qwen3_5-27b", "Qwen3.5-27B"),
        ("Qwen/Qwen3.5-122B-A10B", "Qwen3.5"),
    ],
)
def test_a_served_name_finds_its_model(model: str, name: str) -> None:
    found = profile([model])
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "model",
    [
        "deepseek-ai/DeepSeek-R1-Distill-Llama-70B",
        "deepseek-ai/DeepSeek-R1-0528-Qwen3-8B",
        "meta-llama/Llama-3.1-8B",
        "my-chat",
        "",
    ],
)
def test_other_models_have_none(model: str) -> None:
    assert profile([model]) is None


def test_two_different_models_behind_one_endpoint_have_none() -> None:
    assert profile(["openai/gpt-oss-20b", "deepseek-ai/DeepSeek-R1"]) is None
    assert profile(["openai/gpt-oss-20b", "gpt-oss-20b-lora"]) is not None


@pytest.mark.parametrize(
    ("model", "dtype", "by_hand"),
    [
        # K and V, 8 heads of 64 numbers, 18 layers, 2 bytes: 2·8·64·18·2.
        ("gpt-oss-120b", "auto", 36_864),
        ("gpt-oss-20b", "auto", 24_576),
        ("gpt-oss-20b", "fp8", 12_288),
        # 576 numbers of latent and rope, 61 layers, 2 bytes: the 68.6 KiB that others publish.
        ("deepseek-r1", "bfloat16", 70_272),
        ("deepseek-r1", "fp8_e4m3", 35_136),
        # K and V, 2 heads of 256, 60 ÷ 4 layers, 2 bytes.
        ("qwen3.5-397b-a17b", "auto", 30_720),
        ("qwen3.5-35b-a3b", "auto", 20_480),
        ("qwen3.5-27b", "auto", 65_536),
        ("qwen3.5-4b", "auto", 32_768),
    ],
)
def test_bytes_of_a_token(model: str, dtype: str, by_hand: float) -> None:
    found = profile([model])
    assert found is not None
    assert found.token_bytes(dtype) == by_hand


def test_a_full_sliding_window_costs_each_request_the_same() -> None:
    found = profile(["gpt-oss-120b"])
    assert found is not None
    # 18 windows of 128 tokens, 1024 numbers each, 2 bytes: 4.5 MiB.
    assert found.fixed_bytes("auto") == 4.5 * 2**20
    assert "4.5 MiB" in found.derived("auto")


def test_a_family_member_of_unknown_size_has_notes_and_no_number() -> None:
    found = profile(["Qwen/Qwen3.5-122B-A10B"])
    assert found is not None
    assert found.token_bytes("auto") is None
    assert "unknown" in found.derived("auto")
    assert found.notes


def test_an_unknown_dtype_gives_no_number() -> None:
    found = profile(["gpt-oss-20b"])
    assert found is not None
    assert element_bytes("turboquant_3bit") is None
    assert found.token_bytes("turboquant_3bit") is None


@pytest.mark.parametrize("known", [known for _, known in PROFILES], ids=lambda known: known.name)
def test_every_number_says_that_it_is_derived(known: object) -> None:
    line = known.derived("auto")  # type: ignore[attr-defined]
    assert "derived" in line or "unknown" in line


def test_r1_is_latent_and_qwen_is_hybrid() -> None:
    r1, qwen = profile(["deepseek-r1"]), profile(["qwen3.5-4b"])
    assert r1 is not None
    assert qwen is not None
    assert (r1.cache.attention, qwen.cache.attention) == (Attention.MLA, Attention.HYBRID)
