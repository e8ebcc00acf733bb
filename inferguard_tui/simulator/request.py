"""One request on its way through an engine, and the content of its prompt as far as a prefix cache sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

OUTPUT_CONTENT = 1 << 40
"""Content ids from here on are generated text; those below are prompts."""


class Segment(NamedTuple):
    """A run of tokens that is the same wherever its `content` id appears: a system prompt, one chat turn."""

    content: int
    tokens: int


class Status(Enum):
    """Where the scheduler has a request. It is in exactly one of these states."""

    PENDING = "pending"
    """Accepted by the API server, not yet seen by the scheduler."""
    WAITING = "waiting"
    RUNNING = "running"
    SWAPPED = "swapped"
    FINISHED = "finished"


class FinishReason(Enum):
    """Values of vLLM's `finished_reason` label."""

    STOP = "stop"
    LENGTH = "length"
    ABORT = "abort"
    ERROR = "error"


def block_keys(segments: tuple[Segment, ...], block_size: int) -> tuple[list[int], int, int]:
    """Content keys of the full blocks of `segments`, as a hash chain: equal keys mean equal prefixes.

    Returns the keys, the chain value of the last segment and the total number of tokens. Tuples of
    ints hash alike in every process, so a run can be repeated.
    """
    keys: list[int] = []
    chain = 0
    end = 0
    previous = 0
    for segment in segments:
        chain = hash((chain, previous, segment.content))
        end += segment.tokens
        previous = segment.tokens
        keys.extend(hash((chain, block)) for block in range(len(keys), end // block_size))
    return keys, chain, end


@dataclass(slots=True, eq=False)
class Request:
    """A request. Times are seconds on the engine's clock; None until they have happened."""

    number: int
    arrived_at: float
    segments: tuple[Segment, ...]
    max_tokens: int
    target_tokens: int
    """Where generation ends by itself; at `max_tokens` the reason is `length`."""
    handler: str = "/v1/completions"
    streaming: bool = True
    acceptance: float = 0.0
    """Chance that the next draft position is accepted, given that all before it were."""
    group: int = -1
    """Index of the client class that sent it; -1 is a client over the socket."""
    session: int = -1
    """Number of the conversation it belongs to; -1 is none."""
    pinned: int = -1
    """Number of the data-parallel core its router insists on; -1 is none."""
    stamped: bool = False
    """Its prompt begins with content that no other prompt has."""
    ignore_eos: bool = False
    invalid: bool = False
    fails: bool = False
    """The engine ends it with an error instead of a first token."""
    on_tokens: Callable[[int], None] | None = None
    """Called with the number of tokens each step delivers to a listening client."""

    status: Status = Status.PENDING
    finish_reason: FinishReason | None = None
    prompt_tokens: int = 0
    keys: list[int] = field(default_factory=list)
    output_chain: int = 0
    blocks: list[int] = field(default_factory=list)
    computed: int = 0
    """Tokens whose KV is in `blocks`."""
    goal: int = 0
    """Tokens to have computed before decoding (again): the prompt, and what a victim had generated."""
    generated: int = 0
    cached_tokens: int = 0
    """Prompt tokens found in the prefix cache at the first admission."""
    preemptions: int = 0
    held_s: float = 0.0
    """How long the gateway kept it back before `arrived_at`; its client counts that, the engine does not."""
    queued_at: float = 0.0
    admitted_at: float | None = None
    first_token_at: float | None = None
    last_token_at: float = 0.0
    finished_at: float | None = None

    def lay_out(self, block_size: int) -> None:
        """Work out the block keys of the prompt for this block size; called once, on entry."""
        self.keys, chain, self.prompt_tokens = block_keys(self.segments, block_size)
        self.output_chain = hash((chain, self.segments[-1].tokens, OUTPUT_CONTENT + self.number))
        self.goal = self.prompt_tokens

    @property
    def output(self) -> Segment:
        """What it has generated so far, as content that a later turn of the conversation may hold."""
        return Segment(OUTPUT_CONTENT + self.number, self.generated)

    def output_key(self, block: int) -> int:
        """Content key of a block that ends in generated tokens."""
        return hash((self.output_chain, block))

    def key_of(self, block: int) -> int:
        return self.keys[block] if block < len(self.keys) else self.output_key(block)

    def keys_to(self, blocks: int) -> list[int]:
        """Content keys of the first `blocks` blocks, generated tokens included."""
        known = self.keys[:blocks]
        known.extend(self.output_key(block) for block in range(len(known), blocks))
        return known
