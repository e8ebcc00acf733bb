"""What goes wrong with reuse: prefixes that no longer fit or no longer match, drafts that no longer hit."""

from __future__ import annotations

from dataclasses import replace

from inferguard_tui.simulator.admission_scenarios import LEARNT_S, PRESSED, SLOW
from inferguard_tui.simulator.clients import COMPLETIONS
from inferguard_tui.simulator.scenario import Episode, Scenario
from inferguard_tui.simulator.size import EngineSize
from inferguard_tui.simulator.traffic import Crew, Lengths, Rate, Sessions, Traffic

AGENTS = Traffic(
    name="agents",
    rate=Rate.never(),
    crew=Crew(members=7, think_s=18.0),
    prompt=Lengths(900, 0.3, minimum=100, maximum=3000),
    output=Lengths(120, 0.4, minimum=10),
    max_tokens=512,
    sessions=Sessions(turns=1.0, think_s=1.0, longest=10_000),
)
"""Agents at work: each turn repeats the whole conversation so far and adds a tool's answer."""

PREFIX_THRASH = Scenario(
    "prefix_thrash",
    "Ten times as many agents as the pool can remember: each comes back to find its prefix evicted.",
    (
        AGENTS,
        replace(
            AGENTS,
            name="more_agents",
            crew=Crew(members=66, think_s=18.0, since=LEARNT_S, until=LEARNT_S + 200.0),
        ),
    ),
    episodes=(
        Episode(
            # Until their conversations have outgrown the pool, more agents are only more agents.
            onset=LEARNT_S + 45.0,
            cause_ends=LEARNT_S + 200.0,
            kinds=(("prefix_thrash", "prefix_hit_drop"),),
            cause=("prefix_thrash",),
            actions=("throttle_concurrency",),
            also=(*PRESSED, "prefix_thrash", "prefix_hit_drop"),
        ),
    ),
    seconds=680.0,
)

ASSISTANTS = replace(
    COMPLETIONS,
    name="assistants",
    rate=Rate.constant(2.2),
    prompt=Lengths(150, 0.5, minimum=20, maximum=1500),
    output=Lengths(110, 0.5, minimum=8),
    shared_prefix=3000,
    handler="/v1/chat/completions",
)

PREFIX_BROKEN = Scenario(
    "prefix_broken",
    "A new prompt template puts the time of day at the head, and no prompt begins like another any more.",
    (replace(ASSISTANTS, stamped_from=LEARNT_S),),
    episodes=(
        Episode(
            onset=LEARNT_S,
            cause_ends=LEARNT_S + 200.0,
            kinds=(("prefix_hit_drop",),),
            cause=("prefix_broken",),
            actions=("none",),
            also=("prefix_thrash", *SLOW),
        ),
    ),
    seconds=LEARNT_S + 200.0,
)

CODE = replace(
    COMPLETIONS,
    name="code",
    rate=Rate(((LEARNT_S, 2.6), (LEARNT_S, 0.0), (560.0, 0.0), (560.0, 2.6))),
    output=Lengths(300, 0.4, minimum=30),
    max_tokens=1024,
    acceptance=0.82,
)

SPEC_COLLAPSE = Scenario(
    "spec_collapse",
    "Speculation tuned on code meets free prose: most drafted tokens are thrown away.",
    (
        CODE,
        replace(CODE, name="prose", rate=Rate.between(LEARNT_S, 560.0, 2.6), acceptance=0.15),
    ),
    size=EngineSize(speculative_tokens=4),
    episodes=(
        Episode(
            onset=LEARNT_S,
            cause_ends=560.0,
            kinds=(("spec_acceptance_drop",),),
            cause=("spec_collapse",),
            actions=("shrink_speculation_window",),
            also=(*SLOW, "queue_growth"),
        ),
    ),
    seconds=720.0,
)

CACHE_SCENARIOS = (PREFIX_THRASH, PREFIX_BROKEN, SPEC_COLLAPSE)
