"""What looking ahead costs: CPU of one investigation with a full window, a minute of it, and its memory."""

from __future__ import annotations

import time

from inferguard_brain.investigate import investigate
from inferguard_core.brain_context import brain_context
from inferguard_core.detect.limits import Limits
from inferguard_core.poll import Poll, ProofLevel
from inferguard_core.watch import EndpointWatch
from inferguard_tui.simulator.dialect import Dialect
from inferguard_tui.simulator.engine import SimulatedEngine
from inferguard_tui.simulator.scenarios import SCENARIOS

SECONDS = 1860
"""Longer than the window that an investigation looks at."""
INTERVAL_S = 2.0
EVERY = 5
ROUNDS = 50


def run() -> list[str]:
    watch = EndpointWatch("http://a", "a", INTERVAL_S, ProofLevel.SIMULATED, Limits())
    engine = SimulatedEngine(SCENARIOS["steady"], engine=Dialect.VLLM_V1, seed=1)
    for number in range(int(SECONDS / INTERVAL_S)):
        at = number * INTERVAL_S
        engine.advance(at)
        watch.observe(Poll(at, engine.epoch_unix + at, 1.0, body=engine.exposition()))
    assert watch.newest is not None
    contexts, answers = [], []
    for _ in range(ROUNDS):
        began = time.process_time()
        context = brain_context(watch, watch.newest.unix)
        between = time.process_time()
        investigate(context)
        contexts.append(between - began)
        answers.append(time.process_time() - between)
    one = min(contexts) + min(answers)
    a_minute = one * 60.0 / (INTERVAL_S * EVERY)
    return [
        f"one investigation, {len(context['window'])} rows; CPU, best of {ROUNDS}",
        f"  context  {min(contexts) * 1e3:5.2f} ms   calculation  {min(answers) * 1e3:5.2f} ms",
        f"  every {EVERY} polls of {INTERVAL_S:g} s: {a_minute:.3f} CPU s a minute and endpoint",
    ]
