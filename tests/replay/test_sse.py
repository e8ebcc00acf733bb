"""Events out of bytes, cut anywhere."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferguard_core.replay.sse import MAX_EVENT_BYTES, EventLines, NotAStreamError, Usage, read_piece

STREAM = (
    b": a comment\r\n\r\ndata: one\n\ndata:two\r\n\r\nevent: x\nid: 7\ndata: a\ndata: b\n\nretry: 5\n\n"
    b"data: \xe2\x82\xac\r\rdata:\n\ndata: unfinished"
)
EVENTS = ["one", "two", "a\nb", "€", ""]


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_events_do_not_depend_on_where_the_bytes_are_cut(cuts: list[int]) -> None:
    lines, edges = EventLines(), [0, *sorted(cuts), len(STREAM)]
    found = [e for a, b in pairwise(edges) for e in lines.feed(STREAM[a:b])]
    assert found == EVENTS


@pytest.mark.parametrize("line", [b"x" * 4096, b"data: " + b"x" * 4096 + b"\n"])
def test_an_event_without_end_is_given_up(line: bytes) -> None:
    lines = EventLines()
    with pytest.raises(NotAStreamError):
        [lines.feed(line) for _ in range(MAX_EVENT_BYTES // 4096 + 2)]


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        ({"delta": {"role": "assistant", "content": ""}}, False),
        ({"delta": {"content": "a"}}, True),
        ({"delta": {"reasoning_content": "a"}}, True),
        ({"delta": {"reasoning": "a", "content": None}}, True),
        ({"text": "a"}, True),
        ({"delta": None}, False),
        ({"delta": {"content": 7}}, False),
        ("odd", False),
    ],
)
def test_a_token_is_content_or_reasoning(choice: object, text: bool) -> None:
    assert read_piece(json.dumps({"choices": [choice]})).text is text


def test_usage_counts_only_where_it_is_whole() -> None:
    def usage(**said: object) -> Usage | None:
        return read_piece(json.dumps({"choices": [], "usage": said})).usage

    assert usage(prompt_tokens=3, completion_tokens=4) == Usage(3, 4)
    details = {"cached_tokens": 2}
    assert usage(prompt_tokens=3, completion_tokens=4, prompt_tokens_details=details) == Usage(3, 4, 2)
    assert usage(prompt_tokens=3) is None
    assert usage(prompt_tokens="3", completion_tokens=True) is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("<html>", "not JSON: <html>"),
        ("[1]", "not an object"),
        ('{"error": {"message": "out of\\u001b[31m memory"}}', "broke off: out of[31m memory"),
        ('{"object": "error", "message": "aborted"}', "broke off: aborted"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_what_is_no_chunk_says_what_it_is(data: str, said: str) -> None:
    with pytest.raises(NotAStreamError, match=said.replace("[", r"\[").replace("(", r"\(")):
        read_piece(data)
