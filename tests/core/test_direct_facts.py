"""Version and models: asked beside the polls, once, and again when told."""

from __future__ import annotations

import asyncio
import json

import pytest

from inferguard_core.poll import EndpointFacts, ModelCard
from inferguard_core.sources.access import Access
from tests.core.live_source import source_at
from tests.e2e.hostile import PAGE, by_path, hung, listening, response

SGLANG_PAGE = PAGE.replace("vllm:", "sglang:")
MODELS = json.dumps({"data": [{"id": "m-8b", "max_model_len": 4096}, {"id": "lora\x1b[1m"}, "junk"]})
SGLANG_INFO = {"version": "0.5.23", "api_key": "sk-secret", "internal_states": []}


def vllm(**changed):
    pages = {"/metrics": PAGE, "/version": '{"version": "0.33.0"}', "/v1/models": MODELS} | changed
    return {path: page if isinstance(page, bytes) else response(page) for path, page in pages.items()}


async def facts_of(source, polls=100):
    """The first facts that come with a poll."""
    for _ in range(polls):
        if facts := (await source.poll()).facts:
            return facts
        await asyncio.sleep(0.02)
    return None


async def test_vllm_says_its_version_and_models():
    async with listening(by_path(vllm())) as at, source_at(at) as source:
        facts = await facts_of(source)
    assert facts == EndpointFacts("0.33.0", (ModelCard("m-8b", 4096), ModelCard("lora[1m")))


@pytest.mark.parametrize("info", ["/server_info", "/get_server_info"])
async def test_sglang_says_its_version_under_either_name(info):
    asked = []
    pages = {"/metrics": SGLANG_PAGE, info: json.dumps(SGLANG_INFO), "/v1/models": MODELS}
    answer = by_path({path: response(page) for path, page in pages.items()}, asked)
    async with listening(answer) as at, source_at(at) as source:
        facts = await facts_of(source)
    assert facts
    assert facts.version == "0.5.23"
    assert "sk-secret" not in repr(facts)
    assert not [path for path in asked if "health" in path]


async def test_of_sglangs_arguments_only_those_a_fix_may_change_are_kept():
    info = {**SGLANG_INFO, "max_running_requests": 48, "schedule_conservativeness": 0.3, "host_secret": "x"}
    pages = {"/metrics": SGLANG_PAGE, "/server_info": json.dumps(info), "/v1/models": MODELS}
    answer = by_path({path: response(page) for path, page in pages.items()}, [])
    async with listening(answer) as at, source_at(at) as source:
        facts = await facts_of(source)
    assert facts
    assert facts.config["max_running_requests"] == "48"
    assert facts.config["schedule_conservativeness"] == "0.3"
    assert "host_secret" not in facts.config
    assert "api_key" not in facts.config


async def test_facts_come_once_and_again_only_when_they_changed_after_a_refresh():
    asked = []
    pages = vllm()
    async with listening(by_path(pages, asked)) as at, source_at(at) as source:
        assert await facts_of(source)
        assert await facts_of(source, polls=5) is None
        assert asked.count("/version") == 1

        source.refresh_facts()
        assert await facts_of(source, polls=10) is None
        assert asked.count("/version") == 2

        pages["/version"] = response('{"version": "0.34.0"}')
        source.refresh_facts()
        facts = await facts_of(source)
    assert facts
    assert facts.version == "0.34.0"


@pytest.mark.parametrize(
    ("changed", "notes"),
    [
        (
            {"/v1/models": response("", "401 Unauthorized")},
            ("/v1/models: needs the engine's API key; set INFERGUARD_BEARER_TOKEN",),
        ),
        ({"/version": response("", "500 Oops")}, ("/version: HTTP 500",)),
        ({"/version": "[1]"}, ("/version: the answer is not a JSON object",)),
        ({"/v1/models": "[" * 100_000}, ("/v1/models: the answer is not a JSON object",)),
        ({"/v1/models": '{"data": 7}', "/version": '{"version": 3}'}, ()),
    ],
)
async def test_what_could_not_be_asked_is_a_note(changed, notes):
    async with listening(by_path(vllm(**changed))) as at, source_at(at) as source:
        facts = await facts_of(source)
    assert facts
    assert facts.notes == notes


async def test_a_page_of_another_program_asks_nothing():
    asked = []
    answer = by_path(vllm(**{"/metrics": "node_load1 0.5\n"}), asked)
    async with listening(answer) as at, source_at(at) as source:
        facts = await facts_of(source)
    assert facts
    assert facts.notes
    assert set(asked) == {"/metrics"}


async def test_a_hung_question_delays_no_poll():
    pages = vllm()

    async def answer(reader, writer):
        while head := await reader.readuntil(b"\r\n\r\n"):
            if b"/metrics" not in head:
                await asyncio.Event().wait()
            writer.write(pages["/metrics"])

    async with listening(answer) as at, source_at(at, Access(timeout_s=60)) as source:
        for _ in range(5):
            poll = await asyncio.wait_for(source.poll(), 10)
            assert poll.failure is None


async def test_a_question_that_may_succeed_later_is_asked_again(monkeypatch):
    monkeypatch.setattr("inferguard_core.sources.direct.ASK_AGAIN_S", 0.0)
    pages = vllm(**{"/version": b""})

    async def answer(reader, writer):
        while head := await reader.readuntil(b"\r\n\r\n"):
            page = pages[head.split(b" ")[1].decode()]
            if not page:
                return
            writer.write(page)

    async with listening(answer) as at, source_at(at) as source:
        first = await facts_of(source)
        pages["/version"] = response('{"version": "0.33.0"}')
        second = await facts_of(source)
    assert first
    assert (first.version, first.notes) == (None, ("/version: Disconnected",))
    assert second
    assert (second.version, second.notes) == ("0.33.0", ())


async def test_closing_while_asking_leaves_nothing_behind():
    async with listening(hung) as other, listening(by_path(vllm())) as at, source_at(at) as source:
        assert other
        await source.poll()
        await source.close()
        assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("facts of")]
