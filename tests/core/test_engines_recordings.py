"""Hours of real engines under faults keep the promises of a reading: counters rise, shares stay shares."""

from __future__ import annotations

import gzip
import json
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from inferguard_core.engines import EngineReader
from inferguard_core.signals import SIGNALS, Signal, SignalKind
from tests.core.captured import BESIDE, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from inferguard_core.reading import Reading

OURS = sorted((ROOT / "tests" / "fixtures" / "recordings").glob("*.jsonl.gz"))
WHOLE = sorted((BESIDE / "recordings").glob("*.jsonl.gz"))
COUNTERS = [s for s, info in SIGNALS.items() if info.kind is SignalKind.COUNTER]
RATIOS = [s for s, info in SIGNALS.items() if info.unit == "ratio"]


def bodies(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        next(lines)
        yield from filter(None, (json.loads(line)["body"] for line in lines))


@cache
def readings(path: Path) -> list[Reading]:
    reader = EngineReader()
    return [reader.read(body) for body in bodies(path)]


def name_of(path: Path) -> str:
    return f"{path.parent.parent.name}-{path.name.removesuffix('.jsonl.gz')}"


def of(engine: str) -> list[Path]:
    return [path for path in [*OURS, *WHOLE] if path.name.startswith(engine)]


@pytest.fixture(params=[*OURS, *WHOLE], ids=name_of)
def recorded(request: pytest.FixtureRequest) -> list[Reading]:
    return readings(request.param)


def test_there_are_recordings_to_check():
    assert OURS


def test_every_page_of_a_recording_is_read_without_a_doubt(recorded):
    assert {r.doubts for r in recorded} == {()}
    assert {r.bad_lines for r in recorded} == {0}
    assert {r.models for r in recorded} == {("tiny",)}


def test_counters_never_fall_while_the_engine_lives(recorded):
    """None of the recordings restarts an engine."""
    for signal in COUNTERS:
        seen = [r.values[signal] for r in recorded if signal in r.values]
        assert seen == sorted(seen), signal


def test_a_counter_once_read_stays(recorded):
    for signal in COUNTERS:
        seen = [signal in r.values for r in recorded]
        assert seen == sorted(seen), signal


def test_buckets_never_fall(recorded):
    for name in recorded[-1].histograms:
        seen = [r.histograms[name].counts for r in recorded if name in r.histograms]
        steps = [zip(*pair, strict=True) for pair in pairwise(seen)]
        assert all(before <= after for step in steps for before, after in step), name


def test_ratios_lie_between_0_and_1(recorded):
    values = [r.values[s] for r in recorded for s in RATIOS if s in r.values]
    assert values
    assert [v for v in values if not 0 <= v <= 1] == []


def test_a_signal_keeps_its_name_through_a_recording(recorded):
    """A counter that changes its source would look like a reset."""
    for signal in Signal:
        assert len({r.spellings[signal] for r in recorded if signal in r.spellings}) <= 1, signal


@pytest.mark.parametrize("path", of("vllm"), ids=name_of)
def test_prompt_tokens_by_source_add_up_to_all_prompt_tokens(path):
    for r in readings(path):
        split = [v for k, v in r.values.items() if k.startswith("prompt_tokens_by_source[")]
        assert len(split) == 3
        assert sum(split) == r.values[Signal.PROMPT_TOKENS]


@pytest.mark.parametrize("path", of("sglang"), ids=name_of)
def test_used_evictable_and_free_tokens_fill_the_pool(path):
    for r in readings(path):
        if Signal.KV_EVICTABLE_TOKENS in r.values:
            held = r.values[Signal.KV_USED_TOKENS] + r.values[Signal.KV_EVICTABLE_TOKENS]
            assert held + r.values["kv_available_tokens"] == r.values[Signal.KV_CAPACITY_TOKENS]
