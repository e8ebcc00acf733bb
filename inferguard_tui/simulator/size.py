"""How big the simulated engine is and how it was started: the knobs an operator would set, by flag name."""

from __future__ import annotations

from dataclasses import dataclass, field

from inferguard_tui.simulator.cost import CostModel


@dataclass(frozen=True, slots=True)
class EngineSize:
    """Names follow vLLM's flags; SGLang's own are at the end. Counts are tokens, sequences or blocks."""

    model: str = "meta-llama/Llama-3.3-70B-Instruct"
    num_blocks: int = 8192
    block_size: int = 16
    max_model_len: int = 32_768
    max_num_seqs: int = 256
    """SGLang calls it `--max-running-requests`."""
    max_num_batched_tokens: int = 2048
    prefix_caching: bool = True
    data_parallel: int = 1
    """Engine cores side by side, each with its own pool; vLLM V1 and SGLang."""
    speculative_tokens: int = 0
    """Draft tokens per step and sequence; 0 is no speculative decoding."""
    swap_blocks: int = 0
    """Host blocks for V0's swap mode; 0 preempts by recomputation."""
    cost: CostModel = field(default_factory=CostModel)

    chunked_prefill_size: int = 4096
    schedule_conservativeness: float = 1.0

    def __post_init__(self) -> None:
        if self.max_model_len > self.pool_tokens:
            raise ValueError(
                f"max_model_len {self.max_model_len} does not fit a pool of {self.pool_tokens} tokens"
            )

    @property
    def pool_tokens(self) -> int:
        return self.num_blocks * self.block_size
