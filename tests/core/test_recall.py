"""Past incidents are found by words, by shape and by both, and each answer says why in numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.followup import Grade, Note
from inferguard_core.memory.case import Applied, Known
from inferguard_core.memory.protocol import Query, priors
from inferguard_core.memory.shape import TRAITS, Feature, Shape, joined
from inferguard_core.memory.sqlite import SqliteMemory
from inferguard_core.memory.wording import expression
from tests.core.memory_cases import KV, STALL, T0, case, stored

if TYPE_CHECKING:
    from pathlib import Path

NEAR_KV = replace(KV, numbers={"kv_level": 0.97, "queue": 50.0, "preemption": 1.0})
NO_CAUSE = replace(NEAR_KV, cause="", kinds=())


async def memory_of(tmp_path: Path) -> SqliteMemory:
    said = Applied("--max-num-seqs 64", Known.SAID, "kim", T0)
    memory = SqliteMemory(tmp_path / "state.db")
    noted = case("noted", T0 + 3e4, STALL)
    note = Note(T0, "kim", "the NCCL watchdog had fired")
    await stored(
        memory,
        case("kv", T0, KV, applied=(said,), grade=Grade.HELPED),
        case("hang", T0 + 1e4, STALL),
        replace(noted, incident=replace(noted.incident, notes=(note,))),
    )
    return memory


async def test_a_shape_finds_its_like_without_words_and_says_why_in_numbers(tmp_path: Path) -> None:
    memory = await memory_of(tmp_path)
    first, *others = await memory.recall(Query(shape=NEAR_KV))
    assert first.incident_id == "gpu-07:8000/kv"
    assert first.why == (
        "same cause kv_exhausted",
        "both had kv_saturated, queue_growth",
        "KV peak 99% (here 97%)",
        "queue peak 60 (here 50)",
        "preemptions 1.5/s (here 1/s)",
    )
    assert (first.done, first.grade) == ("--max-num-seqs 64 (said by kim)", Grade.HELPED)
    assert first.score > 0.9 > max(other.score for other in others)


async def test_numbers_alone_find_it_too(tmp_path: Path) -> None:
    found = await (await memory_of(tmp_path)).recall(Query(shape=NO_CAUSE))
    assert found[0].incident_id == "gpu-07:8000/kv"


async def test_a_large_number_is_written_out(tmp_path: Path) -> None:
    late = Shape(kinds=("ttft_high",), numbers={"ttft_step": 173.0})
    memory = SqliteMemory(tmp_path / "state.db")
    await stored(memory, case("late", T0, late))
    (first,) = await memory.recall(Query(shape=replace(late, numbers={"ttft_step": 164.4})))
    assert first.why[-1] == "TTFT × 173 (here 164)"


async def test_an_incident_is_not_like_itself(tmp_path: Path) -> None:
    found = await (await memory_of(tmp_path)).recall(Query(shape=KV, leave_out="gpu-07:8000/kv"))
    assert "gpu-07:8000/kv" not in {one.incident_id for one in found}


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("KV pressure on GPT-OSS", "kv_exhausted"),
        ("engine hung", "engine_stalled"),
        ("nccl", "engine_stalled"),
        ("what did max-num-seqs do", "kv_exhausted"),
    ],
)
async def test_words_find_what_was_written_and_what_people_call_it(
    tmp_path: Path, text: str, cause: str
) -> None:
    found = await (await memory_of(tmp_path)).recall(Query(text))
    assert found[0].cause == cause
    assert found[0].why[0].startswith("words: ")


async def test_words_and_shape_are_fused_by_rank(tmp_path: Path) -> None:
    found = await (await memory_of(tmp_path)).recall(Query("nccl watchdog", STALL))
    assert found[0].incident_id == "gpu-07:8000/noted"
    assert found[0].score > 0.98


async def test_a_query_of_no_telling_word_finds_nothing(tmp_path: Path) -> None:
    memory = await memory_of(tmp_path)
    for text in ("", "  ", "the of and", "???"):
        assert await memory.recall(Query(text)) == ()


@given(st.text())
def test_whatever_is_typed_is_words_and_never_an_operator(text: str) -> None:
    made = expression(text)
    words = made.split(" OR ") if made else []
    assert all(word.startswith('"') and word.endswith('"') and '"' not in word[1:-1] for word in words)


@given(st.dictionaries(st.sampled_from(list(Feature)), st.floats(-1e9, 1e9)))
def test_every_number_is_scaled_between_0_and_1(numbers: dict[Feature, float]) -> None:
    assert all(0.0 <= TRAITS[feature].scaled(value) <= 1.0 for feature, value in numbers.items())


def test_two_looks_at_one_incident_keep_the_worst_of_each_number() -> None:
    early = Shape({"kv_level": 0.9, "hit_rate": 0.2}, ("kv_high",), "kv_exhausted")
    late = Shape({"kv_level": 0.7, "hit_rate": 0.6, "queue": 3.0}, ("queue_growth",), "arrival_surge")
    both = joined(early, late)
    assert both.numbers == {"kv_level": 0.9, "hit_rate": 0.2, "queue": 3.0}
    assert (both.kinds, both.cause) == (("kv_high", "queue_growth"), "arrival_surge")


async def test_priors_are_plain_values(tmp_path: Path) -> None:
    (first,) = priors((await (await memory_of(tmp_path)).recall(Query(shape=KV)))[:1])
    assert (first["cause"], first["grade"], first["done"]) == (
        "kv_exhausted", "helped", "--max-num-seqs 64 (said by kim)")  # fmt: skip
    assert "endpoint" not in first
