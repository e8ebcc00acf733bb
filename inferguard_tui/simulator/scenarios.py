"""The scenarios by name. A new one is a value here; nothing else needs to know of it."""

from __future__ import annotations

from dataclasses import replace

from inferguard_tui.simulator.scenario import Episode, Scenario
from inferguard_tui.simulator.traffic import BackOff, Bursts, Lengths, Rate, Sessions, Traffic

CHAT = Traffic(
    name="chat",
    rate=Rate.constant(0.9),
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
    rate=Rate.constant(1.0),
    prompt=Lengths(800, 0.6, minimum=50, maximum=6000),
    output=Lengths(160, 0.6, minimum=4),
    max_tokens=512,
    handler="/v1/completions",
)
"""A background service with prompts of its own."""

REPORTS = Traffic(
    name="reports",
    rate=Rate(((8.0, 0.0), (8.0, 6.0), (26.0, 6.0), (26.0, 2.0), (120.0, 2.0), (120.0, 0.0))),
    prompt=Lengths(900, 0.4, minimum=100, maximum=6000),
    output=Lengths(1450, 0.25, minimum=200),
    max_tokens=1800,
)
"""A batch of long generations, more than the pool holds at once: first a crowd, then a steady stream."""

OVERLOAD = Episode(
    onset=8.0,
    cause_ends=120.0,
    kinds=(("preemption",), ("queue_growth",)),
    cause=("kv_exhausted", "arrival_surge", "long_contexts"),
    actions=("throttle_concurrency", "recommend_compaction"),
    also=("kv_high", "kv_saturated", "kv_exhaustion_forecast", "ttft_high", "itl_high", "throughput_drop"),
)

HEALTHY = Scenario("healthy", "Steady mixed traffic with bursts; nothing is wrong.", (CHAT, COMPLETIONS))

QUIET = Scenario(
    "quiet",
    "A request now and then: what most replicas of a large fleet do at night.",
    (replace(COMPLETIONS, rate=Rate.constant(0.1)),),
    history_s=1.0,
)

INCIDENT = Scenario(
    "incident",
    "A batch of long generations fills the KV pool: preemptions, a queue, slow first tokens.",
    (CHAT, COMPLETIONS, REPORTS),
    episodes=(OVERLOAD,),
)

PRESSURE_RAMP = Scenario(
    "pressure_ramp",
    "Long generations grow slowly over five minutes until the pool gives out.",
    (
        CHAT,
        COMPLETIONS,
        replace(REPORTS, rate=Rate(((0.0, 0.1), (300.0, 2.2), (360.0, 2.2), (360.0, 0.0)))),
    ),
    episodes=(replace(OVERLOAD, onset=30.0, cause_ends=360.0, when_measured=True),),
)

RECOVERY = Scenario(
    "recovery",
    "Starts in the middle of an overload whose cause ends; the queue drains and health returns.",
    (CHAT, COMPLETIONS, replace(REPORTS, rate=Rate.between(-55.0, 10.0, 3.5))),
    episodes=(replace(OVERLOAD, onset=-55.0, cause_ends=10.0),),
    history_s=70.0,
)

SELF_REPAIR = Scenario(
    "self_repair",
    "An overload without an end of its own, but its clients send less when they wait.",
    (
        CHAT,
        COMPLETIONS,
        replace(
            REPORTS,
            rate=Rate(((8.0, 0.0), (8.0, 5.0))),
            patience_s=30.0,
            back_off=BackOff(wait_s=6.0, factor=0.6, hold_s=8.0, floor=0.05),
        ),
    ),
    episodes=(replace(OVERLOAD, cause_ends=40.0, also=(*OVERLOAD.also, "request_errors")),),
)

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario for scenario in (HEALTHY, PRESSURE_RAMP, INCIDENT, RECOVERY, SELF_REPAIR, QUIET)
}
"""Every scenario that can be named on the command line."""
