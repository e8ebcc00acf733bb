"""Engines that are well, in ways that look like trouble: a monitor must not raise its voice over any of them."""

from __future__ import annotations

import math
from dataclasses import replace

from inferguard_tui.simulator.clients import CHAT, COMPLETIONS, USUAL
from inferguard_tui.simulator.faults import SlowApi
from inferguard_tui.simulator.scenario import Scenario
from inferguard_tui.simulator.traffic import Bursts, Crew, Lengths, Rate, Sessions, Traffic

HOUR_S = 1200.0
"""An evaluation looks at each of these for twenty minutes, with several seeds."""
MINUTE_S = 60.0

STEADY = Scenario("steady", "Mixed traffic around the clock.", USUAL, seconds=HOUR_S)

BURSTS = Scenario(
    "bursts",
    "Traffic in gusts of four times the usual rate, some ten seconds long.",
    (
        replace(CHAT, rate=Rate.constant(0.7), bursts=Bursts(factor=4.0, every_s=45.0, length_s=9.0)),
        replace(COMPLETIONS, bursts=Bursts(factor=4.0, every_s=70.0, length_s=7.0)),
    ),
    seconds=HOUR_S,
)

KV_95 = Scenario(
    "kv_95",
    "A batch job keeps the pool 95 % full on purpose; nobody waits and nobody is thrown out.",
    (
        Traffic(
            name="workers",
            rate=Rate.never(),
            crew=Crew(members=74, think_s=0.3, spread_s=60.0),
            prompt=Lengths(1200, 0.0),
            output=Lengths(820, 0.1, minimum=600),
            max_tokens=900,
        ),
    ),
    history_s=240.0,
    seconds=HOUR_S,
    fixed_load=True,
)

IDLE_NIGHT = Scenario(
    "idle_night",
    "A request every twenty seconds.",
    (replace(COMPLETIONS, rate=Rate.constant(0.05)),),
    seconds=HOUR_S,
)

LULL = Scenario(
    "lull",
    "Traffic stops altogether for four minutes, and returns.",
    tuple(
        replace(t, rate=Rate(((600.0, t.rate.peak), (600.0, 0.0), (840.0, 0.0), (840.0, t.rate.peak))))
        for t in USUAL
    ),
    seconds=HOUR_S,
)

WARM_UP = Scenario(
    "warm_up",
    "A new server with an empty cache takes over its traffic little by little, for a quarter of an hour.",
    (
        replace(CHAT, rate=Rate(((0.0, 0.02), (900.0, 1.1)))),
        replace(COMPLETIONS, rate=Rate(((0.0, 0.02), (900.0, 1.2)))),
    ),
    history_s=0.0,
    seconds=HOUR_S,
)

DIURNAL = Scenario(
    "diurnal",
    "Day and night in fast motion: the rate swings by a factor of six, and the mix with it.",
    (
        replace(
            CHAT,
            rate=Rate(
                tuple(
                    (MINUTE_S * minute, 0.7 - 0.5 * math.cos(2 * math.pi * minute / 20))
                    for minute in range(61)
                )
            ),
        ),
        replace(
            COMPLETIONS,
            rate=Rate(
                tuple(
                    (MINUTE_S * minute, 0.8 + 0.5 * math.cos(2 * math.pi * minute / 20))
                    for minute in range(61)
                )
            ),
        ),
    ),
    seconds=2 * HOUR_S,
)

MISTAKEN_CLIENTS = Scenario(
    "mistaken_clients",
    "A client asks for more tokens than there are, is refused with 400 each time, and never learns.",
    (CHAT, replace(COMPLETIONS, rate=Rate.constant(2.0), invalid=Rate(((300.0, 0.0), (300.0, 0.5))))),
    seconds=HOUR_S,
)

CLOSED_TABS = Scenario(
    "closed_tabs",
    "People close the page now and then before the answer is complete.",
    (*USUAL, replace(CHAT, name="fickle", rate=Rate.constant(0.06), sessions=None, deadline_s=2.5)),
    seconds=HOUR_S,
)

SLOW_SCRAPES = Scenario(
    "slow_scrapes",
    "The API process is late with single answers; the engine never stops.",
    USUAL,
    faults=tuple(
        SlowApi(at=at, seconds=0.9, delay_s=2.5) for at in (120.2, 300.2, 400.2, 700.2, 705.2, 1000.2)
    ),
    seconds=HOUR_S,
)

WORKING_AGENTS = Scenario(
    "working_agents",
    "A dozen agents in long conversations, all of which fit in the cache; some begin anew.",
    (
        Traffic(
            name="agents",
            rate=Rate.never(),
            crew=Crew(members=12, think_s=9.0),
            prompt=Lengths(700, 0.4, minimum=50, maximum=3000),
            output=Lengths(160, 0.5, minimum=8),
            max_tokens=1024,
            sessions=Sessions(turns=1.0, think_s=1.0, longest=8000),
        ),
    ),
    seconds=HOUR_S,
)

BATCH_ANSWERS = Scenario(
    "batch_answers",
    "Clients that do not stream: their first token comes with the last, and nobody minds.",
    (CHAT, replace(COMPLETIONS, rate=Rate.constant(1.5), streaming=False)),
    seconds=HOUR_S,
)

HEALTHY_SCENARIOS = (
    STEADY,
    BURSTS,
    KV_95,
    IDLE_NIGHT,
    LULL,
    WARM_UP,
    DIURNAL,
    MISTAKEN_CLIENTS,
    CLOSED_TABS,
    SLOW_SCRAPES,
    WORKING_AGENTS,
    BATCH_ANSWERS,
)
