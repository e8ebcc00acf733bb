"""Why requests wait: a surge, a full pool, the sequence cap, compute, a reservation, one pressed core."""

from __future__ import annotations

from dataclasses import replace

from inferguard_tui.simulator.clients import CHAT, COMPLETIONS, REPORTS, USUAL
from inferguard_tui.simulator.dialect import Dialect
from inferguard_tui.simulator.scenario import Episode, Scenario
from inferguard_tui.simulator.size import EngineSize
from inferguard_tui.simulator.traffic import Crew, Lengths, Rate, Traffic

SLOW = ("ttft_high", "itl_high", "throughput_drop", "decode_drift")
PRESSED = (
    "kv_high",
    "kv_saturated",
    "kv_exhaustion_forecast",
    "preemption",
    "queue_growth",
    "prefix_hit_drop",
    "prefix_thrash",
    *SLOW,
)
"""What is true of most overloads as well: a full pool keeps no prefixes either."""
LEARNT_S = 330.0
"""From here on a monitor that polls every five seconds has its baselines."""

ARRIVAL_SURGE = Scenario(
    "arrival_surge",
    "Everybody comes at once: four times the usual arrivals for seventy seconds, of the usual kind.",
    (
        replace(CHAT, rate=Rate(((330.0, 0.9), (330.0, 3.6), (400.0, 3.6), (400.0, 0.9)))),
        replace(COMPLETIONS, rate=Rate(((330.0, 1.0), (330.0, 4.0), (400.0, 4.0), (400.0, 1.0)))),
    ),
    episodes=(
        Episode(
            onset=LEARNT_S,
            cause_ends=400.0,
            kinds=(("queue_growth", "ttft_high"),),
            cause=("arrival_surge",),
            actions=("throttle_concurrency",),
            also=PRESSED,
            when_measured=True,
        ),
    ),
    seconds=620.0,
)

KV_EXHAUSTED = Scenario(
    "kv_exhausted",
    "Long generations, a third more requests than usual, need more KV than there is.",
    (
        # Without gusts, and with the short requests away meanwhile: a crowd is another scenario.
        replace(CHAT, bursts=None),
        replace(COMPLETIONS, rate=Rate(((90.0, 1.0), (90.0, 0.0), (220.0, 0.0), (220.0, 1.0)))),
        replace(REPORTS, rate=Rate.between(90.0, 220.0, 2.2)),
    ),
    episodes=(
        Episode(
            onset=90.0,
            cause_ends=220.0,
            kinds=(("preemption",), ("queue_growth",)),
            cause=("kv_exhausted",),
            actions=("throttle_concurrency",),
            also=PRESSED,
            when_measured=True,
        ),
    ),
    seconds=420.0,
)

LONG_CONTEXTS = Scenario(
    "long_contexts",
    "A few requests with very long prompts take the pool from the many with short ones.",
    (
        *USUAL,
        Traffic(
            name="dossiers",
            rate=Rate.between(LEARNT_S, LEARNT_S + 110.0, 0.55),
            prompt=Lengths(15_000, 0.15, minimum=8000, maximum=24_000),
            output=Lengths(700, 0.3, minimum=200),
            max_tokens=1500,
        ),
    ),
    episodes=(
        Episode(
            onset=LEARNT_S,
            cause_ends=LEARNT_S + 110.0,
            kinds=(("queue_growth", "preemption"),),
            cause=("long_contexts",),
            actions=("recommend_compaction", "throttle_concurrency"),
            also=PRESSED,
            when_measured=True,
        ),
    ),
    seconds=640.0,
)

SEQUENCE_CAP = Scenario(
    "sequence_cap",
    "The batch is full at --max-num-seqs while most of the pool is free: answers grew longer, arrivals did not.",
    (
        replace(CHAT, bursts=None),
        replace(COMPLETIONS, rate=Rate(((110.0, 1.0), (110.0, 0.0), (260.0, 0.0), (260.0, 1.0)))),
        replace(
            COMPLETIONS,
            name="essays",
            rate=Rate.between(110.0, 260.0, 1.0),
            output=Lengths(1500, 0.3, minimum=300),
            max_tokens=3000,
        ),
    ),
    size=EngineSize(max_num_seqs=26),
    episodes=(
        Episode(
            onset=110.0,
            cause_ends=260.0,
            kinds=(("queue_growth", "ttft_high"),),
            cause=("sequence_cap",),
            actions=("none",),
            also=("ttft_high", "queue_growth", "itl_high", "throughput_drop", "prefix_hit_drop"),
            when_measured=True,
        ),
    ),
    seconds=420.0,
)

COMPUTE_BOUND = Scenario(
    "compute_bound",
    "More prompt tokens a second than the GPUs can compute; neither pool nor batch is full.",
    (
        replace(COMPLETIONS, output=Lengths(60, 0.5, minimum=4), rate=Rate.constant(2.0)),
        Traffic(
            name="scoring",
            rate=Rate.between(110.0, 220.0, 1.1),
            prompt=Lengths(14_000, 0.1, minimum=9000, maximum=18_000),
            output=Lengths(1, 0.0),
            max_tokens=1,
            handler="/v1/completions",
        ),
    ),
    episodes=(
        Episode(
            onset=110.0,
            cause_ends=220.0,
            kinds=(("queue_growth", "ttft_high"),),
            cause=("compute_bound",),
            actions=("none",),
            also=PRESSED,
            when_measured=True,
        ),
    ),
    seconds=400.0,
)

PREFILL_INTERFERENCE = Scenario(
    "prefill_interference",
    "Prompts of thousands of tokens keep breaking into the decoding of everybody else.",
    (
        *USUAL,
        Traffic(
            name="summaries",
            rate=Rate.between(LEARNT_S, LEARNT_S + 180.0, 2.4),
            prompt=Lengths(2600, 0.15, minimum=1500, maximum=4000),
            output=Lengths(20, 0.3, minimum=5),
            max_tokens=64,
            handler="/v1/completions",
        ),
    ),
    episodes=(
        Episode(
            onset=LEARNT_S,
            cause_ends=LEARNT_S + 180.0,
            kinds=(("itl_high",),),
            cause=("prefill_interference",),
            actions=("none",),
            also=(*SLOW, "queue_growth", "prefix_hit_drop"),
        ),
    ),
    seconds=600.0,
)

CONSERVATIVE_ADMISSION = Scenario(
    "conservative_admission",
    "Clients that reserve all of a large max_tokens: a queue before a pool that is half empty.",
    (
        *USUAL,
        Traffic(
            name="fixed_length",
            rate=Rate.between(110.0, 210.0, 2.4),
            prompt=Lengths(300, 0.3, minimum=50, maximum=2000),
            output=Lengths(2048, 0.0),
            max_tokens=2048,
            ignore_eos=True,
        ),
    ),
    engines=(Dialect.SGLANG,),
    episodes=(
        Episode(
            onset=110.0,
            cause_ends=210.0,
            kinds=(("queue_growth", "ttft_high"),),
            cause=("conservative_admission",),
            actions=("none",),
            also=PRESSED,
            when_measured=True,
        ),
    ),
    seconds=460.0,
)

RANK_IMBALANCE = Scenario(
    "rank_imbalance",
    "Four data-parallel cores; a router sends all of one large tenant to the first.",
    (
        *USUAL,
        Traffic(
            name="tenant",
            rate=Rate.never(),
            crew=Crew(members=43, think_s=1.0, since=110.0, until=300.0),
            prompt=Lengths(900, 0.3, minimum=100, maximum=4000),
            output=Lengths(1000, 0.3, minimum=200),
            max_tokens=1500,
            pinned=0,
        ),
    ),
    size=EngineSize(num_blocks=4096, data_parallel=4),
    episodes=(
        Episode(
            onset=110.0,
            cause_ends=300.0,
            kinds=(("rank_imbalance",),),
            cause=("rank_imbalance",),
            actions=("drain_and_recycle",),
            also=PRESSED,
            when_measured=True,
        ),
    ),
    seconds=460.0,
)

OFFLOAD_PRESSURE = Scenario(
    "offload_pressure",
    "A pool that is too small swaps running requests to host memory and back.",
    (*USUAL, replace(REPORTS, rate=Rate.between(90.0, 180.0, 3.0), prompt=Lengths(200, 0.4, minimum=50))),
    size=EngineSize(swap_blocks=8192),
    engines=(Dialect.VLLM_V0,),
    episodes=(
        Episode(
            onset=90.0,
            cause_ends=180.0,
            kinds=(("swap",),),
            cause=("offload_pressure",),
            actions=("drain_and_recycle", "throttle_concurrency"),
            also=PRESSED,
            when_measured=True,
        ),
    ),
    seconds=420.0,
)

ADMISSION_SCENARIOS = (
    ARRIVAL_SURGE,
    KV_EXHAUSTED,
    LONG_CONTEXTS,
    SEQUENCE_CAP,
    COMPUTE_BOUND,
    PREFILL_INTERFERENCE,
    CONSERVATIVE_ADMISSION,
    RANK_IMBALANCE,
    OFFLOAD_PRESSURE,
)
