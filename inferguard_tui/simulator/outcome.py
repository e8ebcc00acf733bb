"""What a step brings when its time has passed: tokens, first tokens, gaps between tokens, finished requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from inferguard_tui.simulator.kv_blocks import KvBlocks
    from inferguard_tui.simulator.request import Request
    from inferguard_tui.simulator.step import Step


def deliver_prefills(step: Step) -> None:
    """A prompt that is complete yields a token; a victim that was recomputed goes on where it was."""
    for request, _ in step.prefills:
        if request.computed < request.goal:
            continue
        if request.fails:
            step.failed.append(request)
            continue
        if request.first_token_at is None:
            request.first_token_at = step.ended_at
            step.first_tokens.append(request)
        else:
            _note_gap(request, step)
        _deliver(request, 1, step)


def deliver_decodes(step: Step) -> None:
    """One token for every decoding sequence."""
    # The hot loop of the simulator, so gaps are grouped by the time they began.
    ended = step.ended_at
    since: dict[float, int] = {}
    finished = step.finished
    for request in step.decodes:
        since[request.last_token_at] = since.get(request.last_token_at, 0) + 1
        request.last_token_at = ended
        request.generated += 1
        if request.on_tokens is not None:
            request.on_tokens(1)
        if request.generated >= request.target_tokens:
            finished.append(request)
    step.generated += len(step.decodes)
    for start, count in since.items():
        step.gaps[ended - start] = step.gaps.get(ended - start, 0) + count


def deliver_drafts(step: Step, drafted: int, rng: random.Random, kv: KvBlocks) -> None:
    """Verify `drafted` tokens of every decoding sequence: each position counts only if all before it did."""
    step.accepted_by_position = [0] * drafted
    for request in step.decodes:
        accepted = 0
        while accepted < drafted and rng.random() < request.acceptance:
            step.accepted_by_position[accepted] += 1
            accepted += 1
        step.drafts += 1
        step.draft_tokens += drafted
        made = min(accepted + 1, request.target_tokens - request.generated)
        kv.compute(request, made)
        _note_gap(request, step)
        _deliver(request, made, step)


def _note_gap(request: Request, step: Step) -> None:
    gap = step.ended_at - request.last_token_at
    step.gaps[gap] = step.gaps.get(gap, 0) + 1


def _deliver(request: Request, tokens: int, step: Step) -> None:
    request.generated += tokens
    request.last_token_at = step.ended_at
    step.generated += tokens
    if request.on_tokens is not None:
        request.on_tokens(tokens)
    if request.generated >= request.target_tokens:
        step.finished.append(request)
