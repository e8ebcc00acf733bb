"""vLLM V1: one token budget a step, running requests first, chunked prefill, recomputation of the last one in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inferguard_tui.simulator.scheduler import Scheduler
from inferguard_tui.simulator.step import Step

if TYPE_CHECKING:
    from inferguard_tui.simulator.request import Request


class SchedulerV1(Scheduler):
    """First come, first served, as vLLM 0.33 with its defaults.

    On an allocation failure the last running request loses its blocks and goes to the head of the
    queue, and nothing is admitted in that step. A prompt is admitted only when all of it fits
    (`scheduler_reserve_full_isl`).
    """

    def plan(self, now: float) -> Step | None:
        step = Step(now, running_before=len(self.running))
        budget = self._schedule_running(step, self.size.max_num_batched_tokens)
        if not step.preempted:
            self._admit(step, budget)
        return None if step.empty else self._price(step)

    def _schedule_running(self, step: Step, budget: int) -> int:
        running = self.running
        block_size = self.pool.block_size
        drafts = self.size.speculative_tokens
        index = 0
        while index < len(running) and budget > 0:
            request = running[index]
            computed = request.computed
            if computed < request.goal:
                tokens = min(request.goal - computed, budget)
                if not self._make_room(request, computed + tokens, step):
                    break
                step.prefills.append((request, tokens))
                self.kv.compute(request, tokens)
                budget -= tokens
            else:
                ahead = computed + 1 + drafts
                if ahead > len(request.blocks) * block_size and not self._make_room(request, ahead, step):
                    break
                step.decodes.append(request)
                if not drafts:
                    # kv.compute, without its call for the fifteen tokens of sixteen that fill no block.
                    if (computed + 1) % block_size:
                        request.computed = computed + 1
                    else:
                        self.kv.compute(request, 1)
                budget -= 1 + drafts
            index += 1
        return budget

    def _make_room(self, request: Request, tokens: int, step: Step) -> bool:
        """Grow `request`, preempting from the end of the batch; False when it was preempted itself."""
        while not self.kv.grow(request, tokens):
            victim = self.running.pop()
            self._recompute_later(victim)
            self.waiting.appendleft(victim)
            step.preempted.append(victim)
            if victim is request:
                return False
        return True

    def _admit(self, step: Step, budget: int) -> None:
        while self.waiting and budget > 0 and len(self.running) < self.size.max_num_seqs:
            request = self.waiting[0]
            hits = self.kv.cached_prefix(request)
            needed = self.kv.needed(request, hits)
            if needed > self.pool.free:
                break
            self.waiting.popleft()
            self._start(request, hits, step)
            tokens = min(request.goal - request.computed, budget)
            self.kv.grow(request, request.computed + tokens)
            self.kv.compute(request, tokens)
            step.prefills.append((request, tokens))
            budget -= tokens
