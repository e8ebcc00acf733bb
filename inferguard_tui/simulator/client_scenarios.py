"""What clients get or do: errors from the engine, calls given up, retries that make it worse."""

from __future__ import annotations

from dataclasses import replace

from inferguard_tui.simulator.admission_scenarios import LEARNT_S, PRESSED, SLOW
from inferguard_tui.simulator.clients import CHAT, COMPLETIONS, USUAL
from inferguard_tui.simulator.faults import Throttle
from inferguard_tui.simulator.scenario import Episode, Scenario
from inferguard_tui.simulator.traffic import Lengths, Rate

ERROR_STORM = Scenario(
    "error_storm",
    "Every third request of one client ends in an engine error and HTTP 500.",
    (
        CHAT,
        replace(
            COMPLETIONS,
            rate=Rate.constant(2.0),
            # Short answers: SGLang times a first token that is not streamed by the whole answer.
            output=Lengths(20, 0.4, minimum=4),
            streaming=False,
            failing=Rate(((150.0, 0.0), (150.0, 0.4), (260.0, 0.4), (260.0, 0.0))),
        ),
    ),
    episodes=(
        Episode(
            onset=150.0,
            cause_ends=260.0,
            kinds=(("request_errors",),),
            cause=("error_storm",),
            actions=("none",),
            also=("throughput_drop",),
        ),
    ),
    seconds=420.0,
)

ABORT_STORM = Scenario(
    "abort_storm",
    "Answers slow down past the clients' time-outs; they hang up, ask again, and add to the load.",
    (
        replace(CHAT, deadline_s=18.0, retry_s=2.0),
        replace(COMPLETIONS, deadline_s=14.0, retry_s=2.0),
    ),
    faults=(Throttle(at=LEARNT_S, seconds=110.0, factor=3.5),),
    episodes=(
        Episode(
            onset=LEARNT_S,
            cause_ends=LEARNT_S + 110.0,
            kinds=(("request_errors",),),
            cause=("abort_storm",),
            actions=("throttle_concurrency",),
            also=PRESSED,
        ),
    ),
    seconds=600.0,
)

HASTY_CLIENTS = Scenario(
    "hasty_clients",
    "A client release with a time-out shorter than its answers take: it hangs up on nearly all of them.",
    (
        *USUAL,
        replace(
            COMPLETIONS,
            name="hasty",
            rate=Rate.between(150.0, 260.0, 1.5),
            output=Lengths(400, 0.3, minimum=150),
            deadline_s=2.0,
        ),
    ),
    episodes=(
        Episode(
            onset=150.0,
            cause_ends=260.0,
            kinds=(("request_errors",),),
            cause=("abort_storm",),
            also=SLOW,
        ),
    ),
    seconds=420.0,
)

CLIENT_SCENARIOS = (ERROR_STORM, ABORT_STORM, HASTY_CLIENTS)
