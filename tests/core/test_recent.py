"""Recent pages are bounded in time and bytes, and come back as they were polled."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.poll import EndpointFacts, Failure, FailureKind, Poll
from inferguard_core.recent import RecentPolls
from inferguard_core.sources.bad_input import BadInput
from inferguard_core.sources.recording import Header, RecordingFile

RECORDINGS = Path(__file__).parents[1] / "fixtures" / "recordings"
HEADER = Header("http://gpu:8000", 1_000.0, 1.0)


def poll(t: float, body: str = "a 1\n", **changes: object) -> Poll:
    return replace(Poll(t, 1_000.0 + t, 3.0, body=body), **changes)


def test_polls_come_back_as_they_were() -> None:
    recent = RecentPolls()
    polled = [
        poll(0.0, "µ 1\n"),
        poll(1.0, failure=Failure(FailureKind.REFUSED, "refused"), body=None),
        poll(2.0),
    ]
    for each in polled:
        recent.add(each)
    assert recent.slice().polls() == tuple(polled)


def page(t: int, rows: int = 400) -> str:
    """One line in eight moves with every poll."""
    return "\n".join(f'm{i}{{model="µ"}} {t * 3.7 if i % 8 == 0 else i}' for i in range(rows)) + "\n"


def test_pages_that_are_kept_as_changes_come_back_whole() -> None:
    recent = RecentPolls()
    bodies = [page(t) for t in range(150)]
    bodies[40:43] = [page(40, 380), page(40, 380), "", "\n", page(41)[:-1]][:3]
    polled = [poll(float(t), body) for t, body in enumerate(bodies)]
    for each in polled:
        recent.add(each)
    assert recent.slice().polls() == tuple(polled)
    assert recent.bytes < sum(map(len, bodies)) / 20


@given(st.lists(st.lists(st.text(" =!a1\r\x85", max_size=4), min_size=3, max_size=5), max_size=6))
def test_pages_of_any_lines_come_back_as_they_were(pages: list[list[str]]) -> None:
    same = [f"a_series_that_stays 1.{i}" for i in range(20)]
    polls = tuple(poll(float(t), "\n".join((*lines, *same))) for t, lines in enumerate(pages))
    recent = RecentPolls()
    for each in polls:
        recent.add(each)
    assert recent.slice().polls() == polls


@pytest.mark.parametrize("name", ["sglang-0.5.23-kv_pressure", "vllm-0.32-kv_pressure"])
def test_what_real_engines_say_in_ten_minutes_is_kept_in_a_fraction(name: str) -> None:
    opened = RecordingFile.open(RECORDINGS / f"{name}.jsonl.gz")
    assert isinstance(opened, RecordingFile)
    polls = tuple(opened.polls())
    recent = RecentPolls()
    for each in polls:
        recent.add(each)
    assert [each.body for each in recent.slice().polls()] == [each.body for each in polls]
    assert recent.bytes < sum(len(each.body or "") for each in polls) / 50


def test_a_page_outlives_the_one_that_its_changes_were_against() -> None:
    recent = RecentPolls(seconds=10.0)
    for t in range(30):
        recent.add(poll(float(t), page(t)))
    assert [each.body for each in recent.slice().polls()] == [page(t) for t in range(19, 30)]


def test_a_shorter_slice_has_the_facts_from_before_it() -> None:
    recent = RecentPolls()
    for t in range(20):
        recent.add(poll(float(t), facts=EndpointFacts(version=f"0.{t}.0") if t in (3, 9, 17) else None))
    polls = recent.slice(5.0).polls()
    assert [each.t for each in polls] == [14.0, 15.0, 16.0, 17.0, 18.0, 19.0]
    assert polls[0].facts == EndpointFacts(version="0.9.0")


def test_what_is_older_than_the_span_goes() -> None:
    recent = RecentPolls(seconds=10.0)
    for t in range(30):
        recent.add(poll(float(t)))
    assert [kept.t for kept in recent.slice().polls()] == [float(t) for t in range(19, 30)]


def test_bytes_are_bounded_and_one_page_too_large_is_still_kept() -> None:
    noise = random.Random(1)
    recent = RecentPolls(size=5_000)
    for t in range(20):
        recent.add(poll(float(t), noise.randbytes(900).hex()))
        assert recent.bytes <= 5_000
    assert 1 < len(recent.slice().kept) < 20
    recent.add(poll(20.0, noise.randbytes(50_000).hex()))
    assert [kept.t for kept in recent.slice().polls()] == [20.0]


def test_facts_told_before_the_slice_begins_go_with_its_first_poll() -> None:
    recent = RecentPolls(seconds=5.0)
    recent.add(poll(0.0, facts=EndpointFacts(version="0.32.0")))
    for t in range(1, 20):
        recent.add(poll(float(t)))
    first, *others = recent.slice().polls()
    assert first.facts == EndpointFacts(version="0.32.0")
    assert not any(other.facts for other in others)


def test_a_slice_is_a_recording(tmp_path: Path) -> None:
    recent = RecentPolls()
    for t in range(3):
        recent.add(poll(100.0 + t))
    path = recent.slice().write(tmp_path / "a.jsonl.gz", HEADER)
    assert path == tmp_path / "a.jsonl.gz"
    opened = RecordingFile.open(path)
    assert isinstance(opened, RecordingFile)
    assert [each.t for each in opened.polls()] == [0.0, 1.0, 2.0]
    assert isinstance(recent.slice().write(tmp_path / "a.jsonl.gz", HEADER), BadInput)


def test_nothing_kept_is_a_reason(tmp_path: Path) -> None:
    assert isinstance(RecentPolls().slice().write(tmp_path / "a.jsonl.gz", HEADER), BadInput)
