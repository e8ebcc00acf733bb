"""The flag tables: what exists when, what may be given, and that nothing else can come out of a fix."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import inf
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inferguard_core.engines.version import parse_version
from inferguard_core.reading import Engine, Histogram
from inferguard_core.remediation import TABLES, exposed_names, fix
from inferguard_core.remediation.flag import LEAVE_OUT
from inferguard_core.remediation.setup import setup
from inferguard_core.signals import Signal
from tests.core.advice_scenes import CAUSES, diagnosis, scene_of, steady

if TYPE_CHECKING:
    from inferguard_core.scene import Scene
    from inferguard_core.verdict import Fix

S = Signal
VLLM = TABLES[Engine.VLLM]
SGLANG = TABLES[Engine.SGLANG]

VLLM_VERSIONS = (
    *(f"0.{minor}.0" for minor in range(4, 34)),
    "0.3.3",
    "0.4.3",
    "0.5.5",
    "0.6.6",
    "0.7.3",
    "0.8.2",
    "0.8.3",
    "0.8.5",
    "0.9.2",
    "0.10.2",
    "0.11.1",
    "0.11.2",
    "0.34.0",
)
SGLANG_VERSIONS = (
    *("0.3.0", "0.3.6", "0.4.1.post7", "0.4.2", "0.4.4", "0.4.6.post5", "0.4.10", "0.5.1", "0.5.3", "0.5.4"),
    *(f"0.5.{patch}" for patch in range(5, 25)),
)
VERSIONS = [
    *((Engine.VLLM, v) for v in (*VLLM_VERSIONS, None)),
    *((Engine.SGLANG, v) for v in (*SGLANG_VERSIONS, None)),
]
INFO = {"gpu_memory_utilization": "0.9", "cache_dtype": "auto", "enable_prefix_caching": "True"}
CONFIG = {
    "mem_fraction_static": "0.88",
    "max_running_requests": "256",
    "schedule_conservativeness": "1.0",
    "chunked_prefill_size": "8192",
    "kv_cache_dtype": "auto",
    "schedule_policy": "fcfs",
    "speculative_eagle_topk": "1",
    "speculative_num_steps": "5",
    "hicache_ratio": "4",
}
BUSY = {
    S.RUNNING: lambda t: 40.0 + t % 3,
    S.WAITING: 12.0,
    S.KV_USAGE: 0.6,
    S.KV_CAPACITY_TOKENS: 100_000.0,
    S.FINISHED: lambda t: 5.0 * t,
    S.SPEC_DRAFTS: lambda t: 10 * t,
    S.SPEC_DRAFT_TOKENS: lambda t: 50 * t,
    S.SPEC_ACCEPTED_TOKENS: lambda t: 10 * t,
}


@cache
def busy(engine: Engine, told: bool) -> Scene:
    readings = steady(BUSY, engine=engine, seconds=70, info=INFO if told else {})
    last = max(readings)
    iterations = Histogram((2048.0, 8192.0, inf), (9.0, 18.0, 18.0), 0.0)
    readings[last] = replace(readings[last], histograms={"iteration_tokens_total": iterations})
    return scene_of(readings, config=CONFIG if told else {}, models=("openai/gpt-oss-20b",))


def fixed(cause: str, engine: Engine, version: str | None, *, told: bool = True) -> Fix:
    view = busy(engine, told)
    answer = fix(replace(view, facts=replace(view.facts, version=version)), diagnosis(cause))
    assert answer is not None
    return answer


@pytest.mark.parametrize("told", [True, False], ids=["values exposed", "nothing exposed"])
@pytest.mark.parametrize("cause", CAUSES)
def test_no_fix_names_a_flag_that_this_engine_and_version_lack(cause: str, told: bool) -> None:
    for engine, version in VERSIONS:
        for change in fixed(cause, engine, version, told=told).changes:
            flag = TABLES[engine].flags[change.flag]
            at_hand = parse_version(version)
            assert flag.exists(at_hand), (engine, version, change)
            assert flag.allows(change.proposed, at_hand), (engine, version, change)
            assert change.current != change.proposed
            assert change.since


def test_the_sweep_above_has_flags_to_refuse() -> None:
    """Were no flags proposed at all, the test before this one would pass for nothing."""
    proposed = {c.flag for e, v in VERSIONS for cause in CAUSES for c in fixed(cause, e, v).changes}
    assert {
        "--watermark",
        "--max-num-seqs",
        "--schedule-conservativeness",
        "--speculative-config",
    } <= proposed
    assert "--swap-space" not in proposed


@pytest.mark.parametrize(
    ("engine", "flag", "version", "there"),
    [
        (Engine.VLLM, "--swap-space", "0.17.0", True),
        (Engine.VLLM, "--swap-space", "0.18.0", False),
        (Engine.VLLM, "--watermark", "0.23.0", False),
        (Engine.VLLM, "--watermark", "0.24.0", True),
        (Engine.VLLM, "--max-num-seqs", "0.4.1", True),
        (Engine.VLLM, "--max-num-seqs", "0.33.0", True),
        (Engine.VLLM, "--max-num-queued-reqs", "0.28.0", False),
        (Engine.VLLM, "--max-num-queued-reqs", "0.29.0", True),
        (Engine.VLLM, "--num-speculative-tokens", "0.8.2", True),
        (Engine.VLLM, "--num-speculative-tokens", "0.8.3", False),
        (Engine.VLLM, "--speculative-config", "0.8.1", False),
        (Engine.VLLM, "--kv-offloading-size", "0.11.0", False),
        (Engine.VLLM, "--kv-offloading-size", "0.11.1", True),
        (Engine.SGLANG, "--max-queued-requests", "0.4.8", False),
        (Engine.SGLANG, "--max-queued-requests", "0.4.10", True),
        (Engine.SGLANG, "--schedule-conservativeness", "0.3.0", True),
        (Engine.SGLANG, "--speculative-adaptive", "0.5.10", False),
        (Engine.SGLANG, "--speculative-adaptive", "0.5.23", True),
        (Engine.SGLANG, "--enable-hierarchical-cache", "0.4.2", False),
    ],
)
def test_ranges_are_those_of_the_argument_parsers(
    engine: Engine, flag: str, version: str, there: bool
) -> None:
    assert (TABLES[engine].get(flag, parse_version(version)) is not None) is there


def test_an_unknown_version_has_only_what_all_have() -> None:
    assert VLLM.get("--max-num-seqs", None) is not None
    assert VLLM.get("--watermark", None) is None
    assert VLLM.get("--swap-space", None) is None


def test_a_flag_of_v0_alone_is_not_for_v1() -> None:
    at = parse_version("0.10.2")
    assert VLLM.get("--swap-space", at, "V0") is not None
    assert VLLM.get("--swap-space", at, "V1") is None


@pytest.mark.parametrize("engine", list(TABLES))
def test_a_flag_that_is_in_no_table_cannot_be_proposed(engine: Engine) -> None:
    at_hand = setup(scene_of(steady(BUSY, engine=engine, seconds=3)))
    with pytest.raises(KeyError):
        at_hand.change("--make-it-faster", 1)


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--watermark", "1.0"),
        ("--watermark", "-0.01"),
        ("--watermark", "nan"),
        ("--max-num-seqs", "0"),
        ("--max-num-seqs", "12.5"),
        ("--max-num-seqs", "many"),
        ("--gpu-memory-utilization", "1.01"),
        ("--kv-cache-dtype", "fp2"),
        ("--speculative-config", "3"),
    ],
)
def test_values_out_of_range_are_refused(flag: str, value: str) -> None:
    at_hand = setup(scene_of(steady(BUSY, seconds=3), version="0.33.0"))
    assert at_hand.change(flag, value) == ()


def test_what_runs_already_is_no_change() -> None:
    at_hand = setup(scene_of(steady(BUSY, seconds=3, info={"gpu_memory_utilization": "0.90"})))
    assert at_hand.change("--gpu-memory-utilization", 0.9) == ()
    assert at_hand.change("--gpu-memory-utilization", 0.92)[0].current == "0.90"


def test_a_choice_newer_than_the_engine_is_refused() -> None:
    flag = SGLANG.flags["--kv-cache-dtype"]
    assert not flag.allows("fp8_e4m3", parse_version("0.4.1"))
    assert flag.allows("fp8_e4m3", parse_version("0.4.6"))
    assert flag.allows("fp8_e5m2", None)
    assert flag.allows(LEAVE_OUT, None)


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda t: t.engine.value)
def test_every_table_says_where_it_was_read(table: object) -> None:
    assert parse_version(table.read_from) is not None  # type: ignore[attr-defined]
    for name, flag in table.flags.items():  # type: ignore[attr-defined]
        assert name.startswith("--")
        assert flag.default
        assert flag.helps
        since, removed = parse_version(flag.since), parse_version(flag.removed)
        assert since is None or removed is None or since < removed


def test_the_arguments_worth_asking_for_are_named() -> None:
    assert {"max_running_requests", "speculative_eagle_topk"} <= exposed_names(Engine.SGLANG)
    assert exposed_names(Engine.UNKNOWN) == frozenset()


@settings(max_examples=60)
@given(
    cause=st.sampled_from(CAUSES),
    engine=st.sampled_from(list(TABLES)),
    version=st.one_of(st.none(), st.text(max_size=8), st.from_regex(r"0\.\d{1,2}\.\d{1,2}", fullmatch=True)),
    info=st.dictionaries(
        st.sampled_from([*INFO, *CONFIG, "kv_offloading_size"]), st.text(max_size=6), max_size=6
    ),
    running=st.floats(0, 1e6),
    usage=st.floats(0, 1),
)
def test_whatever_an_engine_says_of_itself_a_fix_names_only_its_flags(
    cause: str, engine: Engine, version: str | None, info: dict[str, str], running: float, usage: float
) -> None:
    levels = {**BUSY, S.RUNNING: running, S.KV_USAGE: usage}
    view = scene_of(steady(levels, engine=engine, seconds=4), version=version, config=info)
    answer = fix(view, diagnosis(cause))
    assert answer is not None
    for change in answer.changes:
        flag = TABLES[engine].flags[change.flag]
        assert flag.exists(parse_version(version))
        assert flag.allows(change.proposed, parse_version(version))
