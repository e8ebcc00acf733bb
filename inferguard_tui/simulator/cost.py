"""How long one engine step takes: a linear model of a memory-bound decode with prefill added to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random


@dataclass(frozen=True, slots=True)
class CostModel:
    """Seconds per step. Round figures of a 70-billion-parameter model in FP8 on four H100.

    Reading 70 GB of weights at 4 x 3.35 TB/s and about 60 % efficiency is 9 ms, launches and the
    all-reduces of 80 layers some 3 ms; KV is 0.33 MB a token at the same bandwidth; prefill is
    2 x 70e9 FLOP a token at about 60 % of 4 x 990 TFLOP/s (dense FP8 is twice that, rarely reached).
    """

    step_s: float = 0.012
    sequence_s: float = 25e-6
    """Sampling, detokenisation and bookkeeping of one sequence."""
    prefill_token_s: float = 60e-6
    kv_token_s: float = 4e-8
    """Reading one cached token's KV during decode."""
    jitter: float = 0.04
    """Relative standard deviation of a step."""
    swap_block_s: float = 2e-4
    """One block of 16 tokens, 5 MB, over a PCIe 5.0 x16 link at about half its rate."""

    def step(self, sequences: int, prefill_tokens: int, kv_tokens: int, rng: random.Random) -> float:
        """Seconds of a step that decodes `sequences` over `kv_tokens` of context and prefills the rest."""
        mean = (
            self.step_s
            + self.sequence_s * sequences
            + self.prefill_token_s * prefill_tokens
            + self.kv_token_s * kv_tokens
        )
        # A step is never faster than the hardware allows by more than a little; slow ones happen.
        return mean * max(1.0 - self.jitter, rng.gauss(1.0, self.jitter))
