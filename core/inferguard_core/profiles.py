"""What a known model's KV cache costs and how its pressure reads; unknown models work without.

Bytes are derived here from the sizes in a model's public config.json, never measured, and say nothing of what an
engine adds (scales, padding, draft layers). Names are served names, which people choose: a profile is a hint.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable


class Attention(StrEnum):
    MLA = "multi-head latent attention"
    SLIDING = "full and sliding-window layers in turn"
    HYBRID = "linear layers with a full one every fourth"


@dataclass(frozen=True, slots=True)
class Cache:
    """Sizes from config.json that decide what a token costs."""

    attention: Attention
    growing_layers: int
    """Layers whose cache grows with each token."""
    elements: int
    """Numbers that one such layer keeps of one token."""
    fixed_elements: int = 0
    """Numbers that a request keeps whatever its length, once its sliding windows are full."""
    formula: str = ""
    """`elements` and layers in the names of config.json."""


@dataclass(frozen=True, slots=True)
class Profile:
    name: str
    cache: Cache
    notes: tuple[str, ...] = ()
    """How its pressure reads and which levers do not reach it."""

    def token_bytes(self, cache_dtype: str) -> float | None:
        """KV bytes of one more token, in one copy of the cache; None where sizes or dtype are unknown."""
        width = element_bytes(cache_dtype)
        size = self.cache.growing_layers * self.cache.elements
        return None if width is None or not size else size * width

    def fixed_bytes(self, cache_dtype: str) -> float | None:
        """Sliding-window bytes of one request, whatever its length."""
        width = element_bytes(cache_dtype)
        return None if width is None else self.cache.fixed_elements * width

    def derived(self, cache_dtype: str) -> str:
        """One line for people: what a token costs, by which formula."""
        size = self.token_bytes(cache_dtype)
        if size is None:
            return f"{self.name}: KV bytes a token unknown for cache dtype {cache_dtype}"
        fixed = self.fixed_bytes(cache_dtype)
        rest = f", and {fixed / 2**20:.1f} MiB a request in full windows" if fixed else ""
        return f"{self.name}: {size:,.0f} KV bytes a token (derived: {self.cache.formula}){rest}"


_WIDTHS: Final = (
    (re.compile(r"auto|bf16|bfloat16|fp16|float16|half"), 2.0),
    (re.compile(r"float32|fp32|float"), 4.0),
    (re.compile(r"fp8.*"), 1.0),
    # Four bits and an eight-bit scale for each sixteen of them.
    (re.compile(r"nvfp4|fp4_mx_block16"), 0.5625),
)


def element_bytes(cache_dtype: str) -> float | None:
    """Bytes of one cached number. `auto` is the model's own dtype: BF16 for every model with a profile."""
    name = cache_dtype.strip().lower().removeprefix("torch.")
    return next((width for pattern, width in _WIDTHS if pattern.fullmatch(name)), None)


def _gqa(full_layers: int, kv_heads: int, head_dim: int) -> Cache:
    formula = f"2 · {kv_heads} KV heads · {head_dim} head dim · {full_layers} full-attention layers · dtype"
    return Cache(Attention.HYBRID, full_layers, 2 * kv_heads * head_dim, formula=formula)


def _gpt_oss(layers: int) -> Cache:
    """8 KV heads of 64; every other layer sees a window of 128 tokens only."""
    full = layers // 2
    return Cache(
        Attention.SLIDING,
        full,
        elements=2 * 8 * 64,
        fixed_elements=2 * 8 * 64 * full * 128,
        formula=f"2 · 8 KV heads · 64 head dim · {full} full-attention layers · dtype",
    )


_GPT_OSS: Final = (
    (
        "half of its layers keep only the last 128 tokens: with the hybrid cache manager on, long requests cost "
        "about half of what the layer count suggests, and blocks · block size is not its token capacity"
    ),
    "reasoning effort decides the output length: long outputs at high effort fill the pool, not long prompts",
)
_R1: Final = (
    (
        "latent attention makes tokens cheap, and every tensor-parallel GPU keeps the same copy: more tensor "
        "parallelism adds no KV, data-parallel attention does"
    ),
    (
        "weights fill most of the memory and outputs are long: a small pool of cheap tokens fills late and then "
        "at once, so its KV notice comes at half of the usual threshold"
    ),
)
_QWEN35: Final = (
    (
        "only every fourth layer has a KV cache; the linear layers keep a state of fixed size for each request, "
        "in a pool of its own: the number of requests can be the limit while KV usage reads low"
    ),
    "prefix caching has to keep linear states at block edges: fewer prefixes can be reused than KV suggests",
    "KV compaction by attention matching does not apply to its linear layers",
)

PROFILES: Final = (
    (re.compile(r"gpt[-_]oss[-_:]120b"), Profile("GPT-OSS-120B", _gpt_oss(36), _GPT_OSS)),
    (re.compile(r"gpt[-_]oss[-_:]20b"), Profile("GPT-OSS-20B", _gpt_oss(24), _GPT_OSS)),
    (
        # The distilled ones are ordinary Qwen or Llama models; some are named after their base alone.
        re.compile(r"deepseek[-_]r1(?!.*(distill|qwen|llama))"),
        Profile(
            "DeepSeek-R1",
            Cache(
                Attention.MLA,
                61,
                512 + 64,
                formula="(512 kv_lora_rank + 64 qk_rope_head_dim) · 61 layers · dtype",
            ),
            _R1,
        ),
    ),
    (re.compile(r"qwen3[._]5[-_]397b"), Profile("Qwen3.5-397B-A17B", _gqa(15, 2, 256), _QWEN35)),
    (re.compile(r"qwen3[._]5[-_]35b"), Profile("Qwen3.5-35B-A3B", _gqa(10, 2, 256), _QWEN35)),
    (re.compile(r"qwen3[._]5[-_]27b"), Profile("Qwen3.5-27B", _gqa(16, 4, 256), _QWEN35)),
    (re.compile(r"qwen3[._]5[-_]4b"), Profile("Qwen3.5-4B", _gqa(8, 4, 256), _QWEN35)),
    # Another size of the family: how it reads is known, what a token costs is not.
    (re.compile(r"qwen3[._]5"), Profile("Qwen3.5", Cache(Attention.HYBRID, 0, 0), _QWEN35)),
)
"""Pattern of a served name, most special first. Sizes: config.json of openai/gpt-oss-*, deepseek-ai/DeepSeek-R1
and Qwen/Qwen3.5-* (num_hidden_layers, num_key_value_heads, head_dim, sliding_window, full_attention_interval)."""


def profile(models: Iterable[str]) -> Profile | None:
    """Of the served model; None when it is unknown, or when several are served and they differ."""
    found = {known.name: known for model in models if (known := _known(model)) is not None}
    return next(iter(found.values())) if len(found) == 1 else None


def _known(model: str) -> Profile | None:
    name = model.lower()
    return next((known for pattern, known in PROFILES if pattern.search(name)), None)
