"""The scenarios by name. A new one is a value here; nothing else needs to know of it."""

from __future__ import annotations

from dataclasses import replace

from inferguard_tui.simulator.scenario import Episode, Scenario
from inferguard_tui.simulator.traffic import BackOff, Bursts, Lengths, Rate, Sessions, Traffic

CHAT = Traffic(
    name="chat",
    rate=Rate.constant(1.6),
    prompt=Lengths(220, 0.7, minimum=12, maximum=4000),
    output=Lengths(240, 0.6, minimum=8),
    max_tokens=1024,
    shared_prefix=900,
    bursts=Bursts(factor=2.0, every_s=40.0, length_s=8.0),
    sessions=Sessions(turns=3.0, think_s=12.0),
)
"""People in conversation: a common system prompt, short turns, history that grows and is mostly cached."""

COMPLETIONS = Traffic(
    name="completions",
    rate=Rate.constant(1.2),
    prompt=Lengths(800, 0.6, minimum=50, maximum=6000),
    output=Lengths(160, 0.6, minimum=4),
    max_tokens=512,
    handler="/v1/completions",
)
"""A background service with prompts of its own."""

LONG_OUTPUTS = Traffic(
    name="reports",
    rate=Rate.between(12.0, 100.0, 5.0),
    prompt=Lengths(1500, 0.4, minimum=200, maximum=6000),
    output=Lengths(1100, 0.3, minimum=200),
    max_tokens=2048,
)
"""A batch of long generations: what fills a pool."""

PRESSURE = Episode(
    onset=12.0,
    cause_ends=100.0,
    kinds=(("preemption",), ("queue_growth",)),
    cause=("kv_exhausted", "arrival_surge", "long_contexts"),
    actions=("throttle_concurrency", "recommend_compaction"),
    also=("kv_high", "kv_saturated", "kv_exhaustion_forecast", "ttft_high", "itl_high", "throughput_drop"),
)

HEALTHY = Scenario("healthy", "Steady mixed traffic with bursts; nothing is wrong.", (CHAT, COMPLETIONS))

INCIDENT = Scenario(
    "incident",
    "A batch of long generations fills the KV pool: preemptions, a queue, slow first tokens.",
    (CHAT, COMPLETIONS, LONG_OUTPUTS),
    episodes=(PRESSURE,),
)

PRESSURE_RAMP = Scenario(
    "pressure_ramp",
    "Long generations grow slowly over ten minutes until the pool gives out.",
    (
        CHAT,
        COMPLETIONS,
        replace(LONG_OUTPUTS, rate=Rate(((0.0, 0.2), (600.0, 4.0), (900.0, 4.0), (901.0, 0.2)))),
    ),
    episodes=(replace(PRESSURE, onset=60.0, cause_ends=901.0, when_measured=True),),
)

RECOVERY = Scenario(
    "recovery",
    "Starts in the middle of an overload whose cause ends; the queue drains and health returns.",
    (CHAT, COMPLETIONS, replace(LONG_OUTPUTS, rate=Rate.between(-40.0, 5.0, 6.0))),
    episodes=(replace(PRESSURE, onset=-40.0, cause_ends=5.0),),
    history_s=60.0,
)

SELF_REPAIR = Scenario(
    "self_repair",
    "The overload of `incident` without an end, but its clients send less when they wait.",
    (
        CHAT,
        COMPLETIONS,
        replace(
            LONG_OUTPUTS,
            rate=Rate(((12.0, 0.0), (12.0, 5.0))),
            patience_s=30.0,
            back_off=BackOff(wait_s=6.0, factor=0.6, hold_s=8.0),
        ),
    ),
    episodes=(replace(PRESSURE, cause_ends=30.0),),
)

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario for scenario in (HEALTHY, PRESSURE_RAMP, INCIDENT, RECOVERY, SELF_REPAIR)
}
