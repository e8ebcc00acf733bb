"""One engine step as a value: what was scheduled, what came of it, how long it took."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inferguard_tui.simulator.request import Request


@dataclass(slots=True)
class Step:
    """Filled by a scheduler's `plan`; the outcome fields by `complete`, when its time has passed."""

    started_at: float
    running_before: int = 0
    """Requests in the running batch before this step admitted any."""
    prefills: list[tuple[Request, int]] = field(default_factory=list)
    """Requests with the prompt tokens computed for them in this step."""
    decodes: list[Request] = field(default_factory=list)
    admitted: list[Request] = field(default_factory=list)
    """Requests that left the waiting queue, resumed victims included."""
    hit_tokens: int = 0
    """Tokens that the admitted ones found in the prefix cache."""
    preempted: list[Request] = field(default_factory=list)
    swapped_blocks: int = 0
    """Blocks moved to or from host memory."""
    kv_tokens: int = 0
    """Context that decode reads."""
    seconds: float = 0.0

    first_tokens: list[Request] = field(default_factory=list)
    finished: list[Request] = field(default_factory=list)
    failed: list[Request] = field(default_factory=list)
    """Requests that the engine gave up with an error."""
    gaps: dict[float, int] = field(default_factory=dict)
    """Inter-token latency to the number of sequences that saw it."""
    generated: int = 0
    drafts: int = 0
    draft_tokens: int = 0
    accepted_by_position: list[int] = field(default_factory=list)

    @property
    def ended_at(self) -> float:
        return self.started_at + self.seconds

    @property
    def prefill_tokens(self) -> int:
        return sum(tokens for _, tokens in self.prefills)

    @property
    def empty(self) -> bool:
        return not self.prefills and not self.decodes
