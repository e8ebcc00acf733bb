"""Laws that hold at every step of every scheduler, under any load."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferguard_tui.simulator.dialect import Dialect
from inferguard_tui.simulator.request import FinishReason, Request, Segment, Status
from inferguard_tui.simulator.rng import stream
from inferguard_tui.simulator.scheduler_sglang import SchedulerSglang
from inferguard_tui.simulator.scheduler_v0 import SchedulerV0
from inferguard_tui.simulator.size import EngineSize

if TYPE_CHECKING:
    from inferguard_tui.simulator.scheduler import Scheduler
    from inferguard_tui.simulator.step import Step

SMALL = EngineSize(
    num_blocks=64, max_model_len=512, max_num_seqs=8, max_num_batched_tokens=128, chunked_prefill_size=128
)


def request(number: int, prompt: int, output: int, *, prefix: int = 0, acceptance: float = 0.5) -> Request:
    segments = (
        (Segment(1, prefix), Segment(1000 + number, prompt)) if prefix else (Segment(1000 + number, prompt),)
    )
    made = Request(
        number=number,
        arrived_at=0.0,
        segments=segments,
        max_tokens=output,
        target_tokens=output,
        acceptance=acceptance,
    )
    made.lay_out(16)
    return made


def scheduler(dialect: Dialect, size: EngineSize = SMALL) -> Scheduler:
    return dialect.schedulers(size, stream(0, "jitter"), stream(0, "acceptance"))[0]


def run(engine: Scheduler, requests: list[Request], watch=None, limit: int = 20_000) -> list[Step]:
    """All requests at once, until all are finished; `watch(step)` after each step."""
    for each in requests:
        engine.add(each, 0.0)
    now, steps = 0.0, []
    while engine.has_work:
        step = engine.plan(now)
        assert step is not None, "work but no step: the engine is stuck"
        assert step.seconds > 0
        now = step.ended_at
        engine.complete(step)
        steps.append(step)
        if watch:
            watch(step)
        assert len(steps) < limit
    return steps


loads = st.lists(
    st.tuples(st.integers(1, 300), st.integers(1, 120), st.sampled_from([0, 0, 64])), min_size=1, max_size=14
)
sizes = st.builds(
    lambda drafts, swap, caching: EngineSize(
        num_blocks=64,
        max_model_len=512,
        max_num_seqs=8,
        max_num_batched_tokens=128,
        chunked_prefill_size=128,
        speculative_tokens=drafts,
        swap_blocks=swap,
        prefix_caching=caching,
    ),
    st.sampled_from([0, 0, 3]),
    st.sampled_from([0, 48]),
    st.booleans(),
)


@pytest.mark.parametrize("dialect", list(Dialect))
@given(loads, sizes)
@settings(max_examples=40)
def test_requests_blocks_and_tokens_are_conserved(dialect: Dialect, load, size: EngineSize) -> None:
    engine = scheduler(dialect, size)
    requests = [request(n, p, o, prefix=s) for n, (p, o, s) in enumerate(load, 1)]
    made = Counter()

    def watch(step: Step) -> None:
        pool = engine.pool
        assert pool.blank + pool.reusable + pool.held == pool.total
        held = {block for r in requests for block in r.blocks}
        assert pool.held == len(held)
        assert pool.usage == len(held) / 64
        places = Counter(r.status for r in requests)
        swapped = engine.swapped_requests
        assert places[Status.WAITING] == len(engine.waiting)
        assert places[Status.RUNNING] == len(engine.running)
        assert places[Status.SWAPPED] == swapped
        assert sum(places.values()) == len(requests)
        assert len({*map(id, engine.waiting)} | {*map(id, engine.running)}) == len(engine.waiting) + len(
            engine.running
        )
        assert len(engine.running) <= size.max_num_seqs
        assert all(r.computed <= len(r.blocks) * 16 for r in engine.running)
        made["tokens"] += step.generated

    run(engine, requests, watch)
    assert all(r.status is Status.FINISHED for r in requests)
    assert [r.generated for r in requests] == [r.target_tokens for r in requests]
    assert made["tokens"] == sum(r.target_tokens for r in requests)
    assert engine.pool.held == 0


@pytest.mark.parametrize("dialect", list(Dialect))
def test_nothing_is_preempted_while_the_pool_has_room(dialect: Dialect) -> None:
    """4 requests of at most 8 blocks each need half of the pool."""
    steps = run(scheduler(dialect), [request(n, 64, 60) for n in range(1, 5)])
    assert not any(step.preempted for step in steps)


@pytest.mark.parametrize("dialect", [Dialect.VLLM_V1, Dialect.VLLM_V0])
def test_vllm_preempts_only_when_the_pool_is_full(dialect: Dialect) -> None:
    """When a victim falls, the survivors' next tokens did not fit into what was free."""
    engine = scheduler(dialect)
    requests = [request(n, 40, 200) for n in range(1, 9)]
    before: list[int] = []
    for each in requests:
        engine.add(each, 0.0)
    now, preempted = 0.0, 0
    while engine.has_work:
        free = engine.pool.free
        wanted = sum(1 for r in engine.running if r.computed >= r.goal and r.computed % 16 == 0)
        step = engine.plan(now)
        assert step is not None
        if step.preempted:
            before.append(wanted - free)
            preempted += len(step.preempted)
        now = step.ended_at
        engine.complete(step)
    assert preempted > 0
    assert min(before) > 0


def test_v1_puts_the_last_running_request_at_the_head_of_the_queue() -> None:
    engine = scheduler(Dialect.VLLM_V1)
    for each in [request(n, 40, 200) for n in range(1, 9)]:
        engine.add(each, 0.0)
    now = 0.0
    while True:
        order = list(engine.running)
        step = engine.plan(now)
        assert step is not None
        if step.preempted:
            break
        now = step.ended_at
        engine.complete(step)
    assert step.preempted == order[: -len(step.preempted) - 1 : -1]
    assert list(engine.waiting)[: len(step.preempted)] == step.preempted[::-1]
    assert not step.admitted


def test_v1_keeps_a_prompt_waiting_until_all_of_it_fits() -> None:
    """Beside the first's 30 of 40 blocks the second's first chunk (8) would fit, but not its 19 blocks."""
    size = EngineSize(num_blocks=40, max_model_len=512, max_num_batched_tokens=128)
    first, second = request(1, 480, 20), request(2, 300, 4)
    run(scheduler(Dialect.VLLM_V1, size), [first, second])
    assert first.finished_at is not None
    assert second.admitted_at is not None
    assert second.admitted_at >= first.finished_at


def test_v1_never_computes_more_tokens_in_a_step_than_its_budget() -> None:
    engine = scheduler(Dialect.VLLM_V1)
    steps = run(engine, [request(n, 300, 30) for n in range(1, 6)])
    assert max(step.prefill_tokens + len(step.decodes) for step in steps) == 128


def test_v0_prefills_and_decodes_in_separate_steps() -> None:
    steps = run(scheduler(Dialect.VLLM_V0), [request(n, 100, 30) for n in range(1, 6)])
    assert not any(step.prefills and step.decodes for step in steps)


def test_v0_swaps_victims_to_the_host_and_back_without_computing_again() -> None:
    size = EngineSize(num_blocks=64, max_model_len=512, max_num_seqs=8, swap_blocks=200)
    engine = scheduler(Dialect.VLLM_V0, size)
    assert isinstance(engine, SchedulerV0)
    most = [0.0]
    requests = [request(n, 40, 200) for n in range(1, 9)]
    steps = run(engine, requests, lambda _: most.append(engine.cpu_usage))
    assert sum(len(step.preempted) for step in steps) > 0
    assert 0.0 < max(most) <= 1.0
    assert engine.cpu_usage == 0.0
    assert sum(step.prefill_tokens for step in steps) == sum(r.prompt_tokens for r in requests)


def test_sglang_sends_the_least_advanced_to_the_tail_and_raises_its_ratio() -> None:
    size = EngineSize(num_blocks=64, max_model_len=512, max_num_seqs=8, chunked_prefill_size=128)
    engine = scheduler(Dialect.SGLANG, size)
    assert isinstance(engine, SchedulerSglang)
    for each in [request(n, 20 + n, 220) for n in range(1, 13)]:
        engine.add(each, 0.0)
    now = 0.0
    while True:
        ratio, queued = engine.new_token_ratio, list(engine.waiting)
        generated = {r: r.generated for r in engine.running}
        step = engine.plan(now)
        assert step is not None
        if step.preempted:
            break
        now = step.ended_at
        engine.complete(step)
    survivors = [generated[r] for r in engine.running]
    assert max(generated[victim] for victim in step.preempted) <= min(survivors)
    assert list(engine.waiting) == [*queued, *step.preempted]
    assert engine.new_token_ratio > ratio


def test_sglang_admits_a_request_only_when_its_whole_max_tokens_fit() -> None:
    """Each needs 16 + 400 of 1024 tokens, so the third waits although three prompts would fit easily."""
    engine = scheduler(Dialect.SGLANG)
    for each in [request(n, 16, 400) for n in range(1, 4)]:
        engine.add(each, 0.0)
    step = engine.plan(0.0)
    assert step is not None
    assert len(step.admitted) == 2
    assert len(engine.waiting) == 1


def test_sglang_ratio_decays_to_its_floor_within_600_decode_steps() -> None:
    size = EngineSize(num_blocks=256, max_model_len=2048)
    engine = scheduler(Dialect.SGLANG, size)
    assert isinstance(engine, SchedulerSglang)
    assert engine.new_token_ratio == 0.7
    ratios: list[float] = []
    run(engine, [request(1, 16, 700)], lambda _: ratios.append(engine.new_token_ratio))
    assert ratios[300] == pytest.approx(0.7 - 0.7 * 0.86 / 2, abs=0.003)
    assert ratios[620] == pytest.approx(0.098)


@pytest.mark.parametrize("dialect", list(Dialect))
def test_a_second_request_reuses_the_full_blocks_of_a_shared_prefix(dialect: Dialect) -> None:
    engine = scheduler(dialect)
    run(engine, [request(1, 50, 4, prefix=70)])
    second = request(2, 50, 4, prefix=70)
    run(engine, [second])
    assert second.cached_tokens == 64


@pytest.mark.parametrize("dialect", list(Dialect))
def test_the_next_turn_finds_the_answer_of_the_one_before_in_the_cache(dialect: Dialect) -> None:
    engine = scheduler(dialect)
    first = request(1, 100, 60)
    run(engine, [first])
    turn = Request(2, 0.0, (*first.segments, first.output, Segment(9, 30)), max_tokens=4, target_tokens=4)
    turn.lay_out(16)
    run(engine, [turn])
    # 159 of 160 tokens had their KV computed: the last one was only sampled.
    assert turn.cached_tokens == 144


@pytest.mark.parametrize("dialect", list(Dialect))
def test_an_abort_frees_everything_wherever_the_request_is(dialect: Dialect) -> None:
    engine = scheduler(dialect)
    requests = [request(n, 300, 100) for n in range(1, 9)]
    for each in requests:
        engine.add(each, 0.0)
    step = engine.plan(0.0)
    assert step is not None
    engine.complete(step)
    for each in requests:
        engine.abort(each, step.ended_at)
    assert not engine.has_work
    assert engine.pool.held == 0
    assert {r.finish_reason for r in requests} == {FinishReason.ABORT}


def test_acceptance_by_position_falls_geometrically() -> None:
    """With p = 0.7 per position, position k is accepted with p to the power k + 1."""
    size = EngineSize(num_blocks=2048, max_model_len=4096, speculative_tokens=3)
    steps = run(scheduler(Dialect.VLLM_V1, size), [request(n, 16, 2000, acceptance=0.7) for n in range(1, 9)])
    drafts = sum(step.drafts for step in steps)
    for position in range(3):
        accepted = sum(step.accepted_by_position[position] for step in steps if step.accepted_by_position)
        assert accepted / drafts == pytest.approx(0.7 ** (position + 1), abs=0.03)
