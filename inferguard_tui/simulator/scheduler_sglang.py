"""SGLang: prefill batches before decode batches, admission by reservation, retraction of the least advanced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.simulator.scheduler import Scheduler
from inferguard_tui.simulator.step import Step

if TYPE_CHECKING:
    import random

    from inferguard_tui.simulator.request import Request
    from inferguard_tui.simulator.size import EngineSize

CLIP_MAX_NEW_TOKENS = 4096
"""SGLang looks no further ahead than this when it reserves (`SGLANG_CLIP_MAX_NEW_TOKENS_ESTIMATION`)."""
INIT_NEW_TOKEN_RATIO = 0.7
MIN_NEW_TOKEN_RATIO_FACTOR = 0.14
NEW_TOKEN_RATIO_DECAY_STEPS = 600
RETRACT_DECODE_STEPS = 20
"""Steps of decode for which a retraction makes room."""


class SchedulerSglang(Scheduler):
    """First come, first served, as SGLang 0.5.23 with its defaults.

    A new request must fit with its whole `max_tokens`; running ones reserve `new_token_ratio` of what
    they have left. The ratio decays with every decode step and jumps after a retraction, whose victims
    go to the tail of the queue.
    """

    def __init__(self, size: EngineSize, jitter: random.Random, acceptance: random.Random) -> None:
        super().__init__(size, jitter, acceptance)
        self.initial_ratio = min(INIT_NEW_TOKEN_RATIO * size.schedule_conservativeness, 1.0)
        self.new_token_ratio = self.initial_ratio
        self._chunked: Request | None = None

    def plan(self, now: float) -> Step | None:
        step = Step(now, running_before=len(self.running))
        self._prefill_batch(step)
        if not step.prefills and self.running:
            self._decode_batch(step)
        if step.empty:
            self.new_token_ratio = self.initial_ratio
            return None
        return self._price(step)

    def abort(self, request: Request, now: float) -> None:
        if request is self._chunked:
            self._chunked = None
        super().abort(request, now)

    def _prefill_batch(self, step: Step) -> None:
        chunk = self.size.chunked_prefill_size
        if self._chunked is not None:
            chunk = self._prefill(self._chunked, chunk, step)
        room = self._unreserved_tokens()
        while self.waiting and chunk > 0 and len(self.running) < self.size.max_num_seqs:
            request = self.waiting[0]
            hits = self.kv.cached_prefix(request)
            ahead = min(request.max_tokens - request.generated, CLIP_MAX_NEW_TOKENS)
            fresh = request.goal - len(hits) * self.pool.block_size
            total = fresh + ahead + self.pool.unreferenced(hits) * self.pool.block_size
            if total >= room:
                break
            self.waiting.popleft()
            self._start(request, hits, step)
            chunk = self._prefill(request, chunk, step)
            room -= total

    def _prefill(self, request: Request, chunk: int, step: Step) -> int:
        """Compute as much of the prompt as the chunk allows; returns what is left of the chunk."""
        block_size = self.pool.block_size
        tokens = request.goal - request.computed
        if tokens > chunk:
            tokens = chunk // block_size * block_size
            self._chunked = request
        else:
            self._chunked = None
        if not tokens or not self.kv.grow(request, request.computed + tokens):
            return 0
        self.kv.compute(request, tokens)
        step.prefills.append((request, tokens))
        return 0 if self._chunked is request else chunk - tokens

    def _unreserved_tokens(self) -> float:
        """Free tokens less what running requests are expected to need still."""
        reserved = 0.0
        for request in self.running:
            left = min(request.max_tokens - request.generated, CLIP_MAX_NEW_TOKENS)
            ratio = 1.0 if request.ignore_eos else self.new_token_ratio
            reserved += left * ratio + max(0, request.goal - request.computed)
        return self.pool.free * self.pool.block_size - reserved

    def _decode_batch(self, step: Step) -> None:
        drafts = self.size.speculative_tokens
        decoding = [r for r in self.running if r is not self._chunked]
        if self._missing_blocks(decoding, 1 + drafts) > self.pool.free:
            decoding = self._retract(decoding, step)
        else:
            decay = self.initial_ratio * (1 - MIN_NEW_TOKEN_RATIO_FACTOR) / NEW_TOKEN_RATIO_DECAY_STEPS
            floor = self.initial_ratio * MIN_NEW_TOKEN_RATIO_FACTOR
            self.new_token_ratio = max(self.new_token_ratio - decay, floor)
        block_size = self.pool.block_size
        for request in decoding:
            ahead = request.computed + 1 + drafts
            if ahead > len(request.blocks) * block_size:
                self.kv.grow(request, ahead)
            if drafts:
                continue
            if ahead % block_size:
                request.computed = ahead
            else:
                self.kv.compute(request, 1)
        step.decodes = decoding

    def _missing_blocks(self, requests: list[Request], ahead: int) -> int:
        blocks_for = self.pool.blocks_for
        return sum(max(0, blocks_for(r.computed + ahead) - len(r.blocks)) for r in requests)

    def _retract(self, decoding: list[Request], step: Step) -> list[Request]:
        """Throw out the requests with the fewest output tokens until the rest can decode for a while."""
        # A half computed prompt has no output at all, so it goes first.
        candidates = decoding if self._chunked is None else [*decoding, self._chunked]
        order = sorted(candidates, key=lambda r: (r.generated, -r.prompt_tokens), reverse=True)
        while len(order) > 1:
            if self._missing_blocks(order, RETRACT_DECODE_STEPS) <= self.pool.free:
                break
            victim = order.pop()
            if victim is self._chunked:
                self._chunked = None
            self._recompute_later(victim)
            step.preempted.append(victim)
        victims = set(map(id, step.preempted))
        self.running = [r for r in self.running if id(r) not in victims]
        self.waiting.extend(step.preempted)
        made = sum(r.generated for r in order)
        asked = sum(r.max_tokens for r in order)
        self.new_token_ratio = min(1.0, (made + RETRACT_DECODE_STEPS * len(order)) / (asked + 1))
        return [r for r in decoding if id(r) not in victims]
