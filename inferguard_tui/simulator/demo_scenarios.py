"""Scenarios to watch: one overload and what may become of it."""

from __future__ import annotations

from dataclasses import replace

from inferguard_tui.simulator.clients import CHAT, COMPLETIONS, REPORTS
from inferguard_tui.simulator.scenario import Episode, Scenario
from inferguard_tui.simulator.traffic import Crew, Lengths, Rate

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

_WORKERS = replace(
    REPORTS,
    rate=Rate.never(),
    prompt=Lengths(1200, 0.2, minimum=100, maximum=6000),
    output=Lengths(1200, 0.12, minimum=200),
    max_tokens=1920,
)
SELF_REPAIR = Scenario(
    "self_repair",
    "A second batch job joins the first: too many at once for the pool, for ever. Only a throttle helps.",
    (
        CHAT,
        COMPLETIONS,
        replace(_WORKERS, name="first", crew=Crew(members=33, think_s=1.0, spread_s=30.0)),
        replace(_WORKERS, name="second", crew=Crew(members=36, think_s=1.0, spread_s=4.0, since=8.0)),
    ),
    episodes=(replace(OVERLOAD, cause_ends=300.0, when_measured=True),),
    history_s=120.0,
)

DEMO_SCENARIOS = (HEALTHY, PRESSURE_RAMP, INCIDENT, RECOVERY, SELF_REPAIR, QUIET)
