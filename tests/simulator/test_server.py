"""The simulated engine over real sockets."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import aiohttp
import pytest

from inferguard_tui.simulator.clock import RealClock
from inferguard_tui.simulator.dialect import Dialect
from inferguard_tui.simulator.engine import SimulatedEngine
from inferguard_tui.simulator.faults import Crash, SlowApi, Stall
from inferguard_tui.simulator.fleet import Fleet
from inferguard_tui.simulator.scenario import Scenario
from inferguard_tui.simulator.server import EngineServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

IDLE = Scenario("idle", "", (), history_s=0.0)
MODEL = IDLE.size.model
dialects = pytest.mark.parametrize("dialect", list(Dialect))


@asynccontextmanager
async def serving(
    scenario: Scenario = IDLE, dialect: Dialect = Dialect.VLLM_V1, speed: float = 1.0
) -> AsyncIterator[tuple[str, aiohttp.ClientSession, SimulatedEngine]]:
    engine = SimulatedEngine(scenario, engine=dialect, seed=1)
    server = EngineServer(engine, RealClock(speed))
    fleet = Fleet([server])
    await fleet.open()
    time_keeper = asyncio.create_task(fleet.keep_time())
    try:
        async with aiohttp.ClientSession() as client:
            yield server.url, client, engine
    finally:
        time_keeper.cancel()
        await asyncio.gather(time_keeper, return_exceptions=True)
        await fleet.close()


async def stream(client: aiohttp.ClientSession, url: str, body: dict) -> list[dict | str]:
    events: list[dict | str] = []
    async with client.post(url, json={"stream": True, **body}) as response:
        assert response.status == 200
        async for line in response.content:
            if line.startswith(b"data: "):
                data = line[6:].strip().decode()
                events.append(data if data == "[DONE]" else json.loads(data))
    return events


@dialects
@pytest.mark.parametrize("tokens", [1, 2, 33])
async def test_a_streamed_completion_has_exactly_max_tokens_and_usage(dialect: Dialect, tokens: int) -> None:
    async with serving(dialect=dialect) as (url, client, _):
        body = {
            "model": MODEL,
            "prompt": "x" * 400,
            "max_tokens": tokens,
            "stream_options": {"include_usage": True},
        }
        *chunks, usage, done = await stream(client, f"{url}/v1/completions", body)
    assert done == "[DONE]"
    assert len(chunks) == tokens
    assert all(chunk["choices"][0]["text"] for chunk in chunks)
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * (tokens - 1) + ["length"]
    assert usage["choices"] == []
    assert usage["usage"]["prompt_tokens"] == 100
    assert usage["usage"]["completion_tokens"] == tokens
    assert usage["usage"]["total_tokens"] == 100 + tokens


async def test_a_chat_answer_without_streaming_has_its_text_and_usage() -> None:
    async with serving() as (url, client, _):
        body = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 7}
        async with client.post(f"{url}/v1/chat/completions", json=body) as response:
            answer = await response.json()
    assert len(answer["choices"][0]["message"]["content"].split()) == 7
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 7


async def test_a_repeated_prompt_is_served_from_the_prefix_cache() -> None:
    async with serving() as (url, client, _):
        body = {"prompt": "abcd" * 200, "max_tokens": 1}
        cached = []
        for _ in range(2):
            async with client.post(f"{url}/v1/completions", json=body) as response:
                cached.append((await response.json())["usage"]["prompt_tokens_details"]["cached_tokens"])
    # 200 tokens are 12 full blocks of 16; the rest and the last token are computed again.
    assert cached == [0, 192]


async def test_load_over_the_socket_shows_on_the_page() -> None:
    async with serving() as (url, client, _):
        body = {"prompt": "hello", "max_tokens": 20}
        await asyncio.gather(*(stream(client, f"{url}/v1/completions", body) for _ in range(5)))
        async with client.get(f"{url}/metrics") as response:
            page = await response.text()
            assert response.headers["Content-Type"].startswith("text/plain; version=")
    assert f'vllm:generation_tokens_total{{engine="0",model_name="{MODEL}"}} 100.0' in page
    assert 'http_requests_total{handler="/v1/completions",method="POST",status="2xx"} 5.0' in page


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/completions", {"prompt": "x", "max_tokens": 0}, 400),
        ("/v1/completions", {"prompt": "x", "max_tokens": 10**9}, 400),
        ("/v1/completions", {"prompt": "x", "model": "other"}, 404),
        ("/v1/completions", {}, 400),
        ("/v1/chat/completions", {"messages": []}, 400),
        ("/v1/chat/completions", {"messages": [7]}, 400),
        ("/v1/chat/completions", [], 400),
    ],
)
@dialects
async def test_what_does_not_fit_is_refused_with_a_reason_and_counted(
    dialect: Dialect, path, body, status
) -> None:
    async with serving(dialect=dialect) as (url, client, _):
        async with client.post(url + path, json=body) as response:
            assert response.status == status
            answer = await response.json()
        page = await (await client.get(f"{url}/metrics")).text()
    assert (answer["error"] if dialect is Dialect.VLLM_V1 else answer)["message"]
    if dialect is Dialect.VLLM_V1:
        assert f'http_requests_total{{handler="{path}",method="POST",status="4xx"}} 1.0' in page
    if dialect is Dialect.SGLANG:
        assert f'endpoint="{path}",method="POST",status_code="{status}"}} 1.0' in page


async def test_vllm_answers_its_read_only_routes() -> None:
    async with serving() as (url, client, _):
        assert await (await client.get(f"{url}/version")).json() == {"version": "0.32.0"}
        (card,) = (await (await client.get(f"{url}/v1/models")).json())["data"]
        assert (card["id"], card["max_model_len"]) == (MODEL, 32768)
        for path, status in (("/ping", 200), ("/health", 200), ("/get_server_info", 404)):
            assert (await client.get(url + path)).status == status


async def test_sglang_answers_its_read_only_routes() -> None:
    async with serving(dialect=Dialect.SGLANG) as (url, client, _):
        info = await (await client.get(f"{url}/get_server_info")).json()
        assert (info["version"], info["max_total_num_tokens"]) == ("0.5.23", IDLE.size.pool_tokens)
        assert (await (await client.get(f"{url}/get_model_info")).json())["model_path"] == MODEL
        for path, status in (("/ping", 200), ("/server_info", 200), ("/model_info", 200), ("/version", 404)):
            assert (await client.get(url + path)).status == status


async def test_a_client_that_hangs_up_frees_its_blocks() -> None:
    async with serving() as (url, client, engine):
        async with client.post(
            f"{url}/v1/completions", json={"prompt": "x", "max_tokens": 20_000, "stream": True}
        ) as response:
            await response.content.readline()
            assert engine.process.scheduler.pool.held > 0
        async with asyncio.timeout(5):
            while engine.process.scheduler.has_work:
                await asyncio.sleep(0.02)
        assert engine.process.scheduler.pool.held == 0
        assert engine.process.open == {}


async def test_a_stalled_engine_answers_metrics_while_requests_hang() -> None:
    async with serving(replace(IDLE, faults=(Stall(at=0.3, seconds=4.0),))) as (url, client, _):
        await asyncio.sleep(0.5)
        body = {"prompt": "x", "max_tokens": 2}
        answers = [asyncio.create_task(stream(client, f"{url}/v1/completions", body)) for _ in range(3)]
        await asyncio.sleep(0.5)
        page = await (await client.get(f"{url}/metrics")).text()
        assert f'vllm:num_requests_running{{engine="0",model_name="{MODEL}"}} 0.0' in page
        assert "process_open_fds 40.0" in page
        assert not any(task.done() for task in answers)
        await asyncio.gather(*answers)


async def test_a_crash_breaks_streams_refuses_connections_and_comes_back_from_zero() -> None:
    async with serving(replace(IDLE, faults=(Crash(at=1.0, seconds=1.5),))) as (url, client, _):
        first = await (await client.get(f"{url}/metrics")).text()
        with pytest.raises(aiohttp.ClientError):
            await stream(client, f"{url}/v1/completions", {"prompt": "x", "max_tokens": 20_000})
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.get(f"{url}/metrics")
        async with asyncio.timeout(5):
            while True:
                try:
                    second = await (await client.get(f"{url}/metrics")).text()
                    break
                except aiohttp.ClientConnectorError:
                    await asyncio.sleep(0.1)
    starts = [
        float(line.split()[1])
        for page in (first, second)
        for line in page.splitlines()
        if line.startswith("process_start_time_seconds ")
    ]
    assert starts[1] - starts[0] == pytest.approx(2.5, abs=0.02)
    assert f'vllm:generation_tokens_total{{engine="0",model_name="{MODEL}"}} 0.0' in second


async def test_a_slow_api_server_answers_late() -> None:
    async with serving(replace(IDLE, faults=(SlowApi(at=0.0, seconds=60.0, delay_s=0.4),))) as (
        url,
        client,
        _,
    ):
        began = time.monotonic()
        assert (await client.get(f"{url}/metrics")).status == 200
        assert time.monotonic() - began >= 0.4


async def test_sglang_health_fails_when_the_scheduler_does_not_turn() -> None:
    """Its probe waits 20 s; at speed 20 that is one."""
    async with serving(replace(IDLE, faults=(Stall(at=0.0, seconds=600.0),)), Dialect.SGLANG, speed=20.0) as (
        url,
        client,
        _,
    ):
        assert (await client.get(f"{url}/health")).status == 503
        assert (await client.get(f"{url}/ping")).status == 200
