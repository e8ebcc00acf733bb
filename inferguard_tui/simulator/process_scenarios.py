"""What happens to the process and the machine: freezes, crashes, restarts, a slower GPU."""

from __future__ import annotations

from dataclasses import replace

from inferguard_tui.simulator.admission_scenarios import PRESSED
from inferguard_tui.simulator.clients import COMPLETIONS, USUAL
from inferguard_tui.simulator.faults import Crash, ShapeCrash, Stall, Throttle
from inferguard_tui.simulator.scenario import Episode, Scenario
from inferguard_tui.simulator.traffic import Lengths, Rate, Traffic

AFTERWARDS = ("traffic_stopped", "request_errors", *PRESSED)
"""What a server that was away for a while goes through as well: a crowd, and an empty cache."""

ENGINE_STALLED = Scenario(
    "engine_stalled",
    "The engine loop freezes at work; the API server goes on answering /metrics.",
    USUAL,
    faults=(Stall(at=150.0, seconds=70.0),),
    episodes=(
        Episode(
            onset=150.0,
            cause_ends=220.0,
            kinds=(("stall",),),
            cause=("engine_stalled",),
            actions=("drain_and_recycle",),
            also=AFTERWARDS,
        ),
    ),
    seconds=360.0,
)

ENGINE_FROZEN_IDLE = Scenario(
    "engine_frozen_idle",
    "The engine loop freezes between two requests: every gauge says idle while clients pile up.",
    (replace(COMPLETIONS, rate=Rate.constant(1.0), output=Lengths(14, 0.4, minimum=4)),),
    faults=(Stall(at=150.0, seconds=80.0, when_idle=True),),
    episodes=(
        Episode(
            onset=150.0,
            cause_ends=230.0,
            kinds=(("stall",),),
            cause=("engine_stalled",),
            actions=("drain_and_recycle",),
            also=AFTERWARDS,
            when_measured=True,
        ),
    ),
    seconds=360.0,
)

ENGINE_RESTARTED = Scenario(
    "engine_restarted",
    "The server dies under load and a supervisor has it back within seconds.",
    USUAL,
    faults=(Crash(at=150.3, seconds=4.0),),
    episodes=(
        Episode(
            onset=150.3,
            cause_ends=155.0,
            kinds=(("engine_restart",),),
            cause=("engine_restarted",),
            actions=("none",),
            also=("endpoint_down", *AFTERWARDS),
        ),
    ),
    seconds=360.0,
)

RESTART_LOOP = Scenario(
    "restart_loop",
    "It dies again and again, whatever it is asked.",
    USUAL,
    faults=tuple(Crash(at=at, seconds=4.0) for at in (150.3, 215.3, 275.3)),
    episodes=(
        Episode(
            onset=150.3,
            cause_ends=280.0,
            kinds=(("engine_restart",),),
            cause=("engine_restarted",),
            actions=("drain_and_recycle",),
            also=("endpoint_down", *AFTERWARDS),
        ),
    ),
    seconds=480.0,
)

DEPLOY = Scenario(
    "deploy",
    "A planned restart: traffic is drained, the server is away for forty seconds, traffic returns.",
    tuple(
        replace(t, rate=Rate(((140.0, t.rate.peak), (140.0, 0.0), (230.0, 0.0), (230.0, t.rate.peak))))
        for t in USUAL
    ),
    faults=(Crash(at=170.3, seconds=40.0),),
    episodes=(
        Episode(
            onset=170.3,
            cause_ends=211.0,
            kinds=(("endpoint_down",), ("engine_restart",)),
            cause=("engine_restarted", "engine_down"),
            also=AFTERWARDS,
        ),
    ),
    seconds=400.0,
)

ENGINE_DOWN = Scenario(
    "engine_down",
    "The server is gone for more than a minute.",
    USUAL,
    faults=(Crash(at=150.3, seconds=75.0),),
    episodes=(
        Episode(
            onset=150.3,
            cause_ends=225.5,
            kinds=(("endpoint_down",),),
            cause=("engine_down", "engine_restarted"),
            also=("engine_restart", *AFTERWARDS),
        ),
    ),
    seconds=400.0,
)

SHAPE_CRASH = Scenario(
    "shape_crash",
    "Two requests of one outlandish shape at a time are more than the engine's memory can bear.",
    (
        *USUAL,
        Traffic(
            name="outlandish",
            rate=Rate.between(100.0, 380.0, 0.1),
            prompt=Lengths(14_000, 0.03, minimum=13_000, maximum=15_500),
            output=Lengths(420, 0.2, minimum=200),
            max_tokens=2048,
            handler="/v1/completions",
        ),
    ),
    faults=(ShapeCrash(at=100.0, seconds=300.0, prompt_tokens=12_000, max_tokens=2000, restart_s=20.0),),
    episodes=(
        Episode(
            onset=100.0,
            cause_ends=390.0,
            kinds=(("engine_restart",), ("endpoint_down",)),
            cause=("shape_crash",),
            actions=("quarantine_shape",),
            also=AFTERWARDS,
            when_measured=True,
        ),
    ),
    seconds=560.0,
)

SLOW_DECODE = Scenario(
    "slow_decode",
    "The GPU runs at half its clock: every token takes twice as long, at the same load.",
    USUAL,
    faults=(Throttle(at=420.0, seconds=260.0, factor=2.2),),
    episodes=(
        Episode(
            onset=420.0,
            cause_ends=680.0,
            kinds=(("decode_drift", "itl_high"),),
            also=PRESSED,
        ),
    ),
    seconds=800.0,
)

PROCESS_SCENARIOS = (
    ENGINE_STALLED,
    ENGINE_FROZEN_IDLE,
    ENGINE_RESTARTED,
    RESTART_LOOP,
    DEPLOY,
    ENGINE_DOWN,
    SHAPE_CRASH,
    SLOW_DECODE,
)
