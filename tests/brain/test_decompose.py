"""A diagnosis by parts: what the root sees, what its questions bring, where it stops, and what it falls back to."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from inferguard_brain.context import Context, read
from inferguard_brain.decompose import Bounds
from inferguard_brain.llm import Model
from inferguard_brain.reason import Reasoner
from inferguard_brain.tools import Asked, FactBook, answer
from tests.brain.contexts import context
from tests.brain.incident import incident
from tests.brain.openai_server import answering, completion, serving, status
from tests.brain.test_llm import GOOD

if TYPE_CHECKING:
    from aiohttp import web

    from tests.brain.openai_server import Reply

PERSON = incident() | {"asked_by": "person"}


def asks(tool: str, **arguments: Any) -> Reply:
    return answering({"tool": tool, **arguments})


def concludes(text: str, fact: str) -> Reply:
    """Answers with the id under which `fact` was told."""

    def reply(body: dict[str, Any]) -> web.Response:
        told = "\n".join(m["content"] for m in body["messages"])
        found = re.search(rf"(F\d+) {re.escape(fact)}", told)
        ids = [found.group(1)] if found else []
        said = {"tool": "answer", "cause": "long_contexts", "why": [{"text": text, "facts": ids}]}
        return answering({**said, "actions": [], "flags": []})(body)

    return reply


async def thought(
    *replies: Reply, bounds: Bounds | None = None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    async with serving(*replies) as server:
        mind = Reasoner(Model(server.url, "m", "k", 5.0), bounds=bounds)
        found = await mind.think(PERSON)
        await mind.close()
        return found, server.asked


def user(body: dict[str, Any]) -> str:
    return str(body["messages"][1]["content"])


async def test_the_root_sees_what_there_is_and_asks_for_the_numbers() -> None:
    found, asked = await thought(
        asks("stats", signal="waiting", seconds=60),
        asks("sub_question", question="is the pool full?"),
        asks("slope", signal="kv_usage", seconds=300),
        concludes("the pool ended at 97.9 %", "kv_usage over 300 s ended"),
        concludes("up to 38 wait", "waiting in 60 s highest"),
    )
    assert (found["source"], found["error"]) == ("decomposed", None)
    assert found["diagnosis"]["cause"] == "long_contexts"
    assert found["narrative"] == ["up to 38 wait [waiting in 60 s highest 38 requests]"]
    assert "signal kv_usage (ratio): 61 values" in user(asked[0])
    assert "97.9" not in user(asked[0]), "data come only when asked for"
    assert "is the pool full?" in user(asked[2])
    assert "the pool ended at 97.9 %" in asked[4]["messages"][-1]["content"]
    steps = [step for step in found["trace"] if step.startswith("decomposed")]
    assert [s.split(":")[1].split(",")[0] for s in steps] == [
        " depth 0",
        " depth 1",
        " depth 1",
        " depth 0",
        " depth 0",
    ]
    assert any("kv_usage over 300 s ended" in text for text in found["sent"])


async def test_what_no_tool_told_is_struck_out() -> None:
    found, _ = await thought(concludes("up to 38 wait", "waiting in 60 s highest"))
    assert found["narrative"] == []
    assert "cites no fact" in found["unverified"][0]


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        (Bounds(calls=3), "stopped at 3 calls"),
        (Bounds(tokens=200), "stopped at 200 tokens"),
        (Bounds(seconds=0.0), "stopped at 0 s"),
    ],
)
async def test_a_bound_that_is_reached_falls_to_the_direct_call_and_says_so(
    bounds: Bounds, reason: str
) -> None:
    forever = asks("stats", signal="waiting")

    def reply(body: dict[str, Any]) -> Any:
        direct = "tool" not in body["response_format"]["json_schema"]["schema"]["properties"]
        return (answering(GOOD) if direct else forever)(body)

    found, asked = await thought(reply, bounds=bounds)
    assert found["source"] == "direct"
    assert any(f"decomposed: {reason}" in step for step in found["trace"])
    assert len(asked) <= bounds.calls + 1


async def test_when_the_direct_call_fails_too_the_rules_stay_and_each_step_is_named() -> None:
    found, _ = await thought(status(500, "down"))
    assert found["source"] == "rules"
    assert [step.split(":")[0] for step in found["trace"]][-2:] == ["decomposed", "direct"]
    assert found["trace"][0].startswith("rules")
    assert found["error"].endswith("rules alone")


async def test_depth_is_bounded() -> None:
    found, asked = await thought(
        asks("sub_question", question="a"),
        asks("sub_question", question="b"),
        asks("sub_question", question="c"),
        completion(json.dumps({"tool": "answer", "cause": "unclear", "why": []})),
        bounds=Bounds(depth=1),
    )
    assert "no deeper sub-question is allowed" in asked[2]["messages"][-1]["content"]
    assert found["source"] == "decomposed"


def data(**more: Any) -> Context:
    found = read(context(300.0, kv_usage=lambda t: 0.9 + t / 3000, waiting=lambda t: 30 + t / 10, more=more))
    assert isinstance(found, Context)
    return found


@pytest.mark.parametrize(
    ("asked", "tells"),
    [
        (
            Asked("stats", "kv_usage", seconds=300.0),
            ["median 85%", "lowest 80%", "highest 90%", "newest 90%"],
        ),
        (Asked("slope", "waiting", seconds=300.0), ["slope 0.1 requests/s", "began", "ended", "tau 1"]),
        (Asked("correlate", "kv_usage", "waiting", 300.0), ["correlation of kv_usage and waiting 1"]),
        (
            Asked("compare_baseline", "kv_usage"),
            ["median of 60 s 89%", "healthy median 45%", "part of healthy 198%"],
        ),
        (Asked("priors"), ["similarity 90%", "throttled, helped"]),
        (Asked("events"), ["at -5 s: opened"]),
        (Asked("stats", "no_such"), ["nothing is known"]),
        (Asked("exec", "import os"), ["no such tool"]),
    ],
)
def test_tools_answer_with_facts(asked: Asked, tells: list[str]) -> None:
    found = data(
        baselines={"kv_usage": {"centre": 0.45}},
        priors=[
            {
                "incident_id": "#1",
                "score": 0.9,
                "cause": "kv_exhausted",
                "done": "throttled",
                "grade": "helped",
            }
        ],
        events=[{"t": -5, "text": "opened"}],
    )
    told = "\n".join(answer(asked, found, FactBook()))
    for words in tells:
        assert words in told


def test_a_window_is_short_whatever_is_asked_for() -> None:
    rows = answer(Asked("window", "kv_usage", seconds=1e9), data(), FactBook())
    assert 6 <= len(rows) <= 12
    assert rows[-1].endswith("kv_usage at 0 s 90%") or "at -0 s 90%" in rows[-1]


def test_arguments_of_any_type_are_taken() -> None:
    asked = Asked.of({"tool": 7, "signal": ["x"], "seconds": "long", "question": None})
    assert asked == Asked("", seconds=300.0)
