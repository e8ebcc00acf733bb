"""`inferguard serve` as an agent meets it: a real process, a real MCP client, both transports."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import httpx2
import pytest
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from inferguard_tui.mcp_server.serving import needs_token
from inferguard_tui.simulator.launch import launched
from tests.e2e.test_commands import INFERGUARD, free_port, run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

TOOLS = {"scan", "incidents", "diagnose", "recall", "explain_signal", "dry_run_action"}
TOKEN = "a-token-of-the-test"


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    with launched("healthy", "vllm", 1, 1) as urls:
        yield urls[0]


@pytest.fixture
def pressed() -> Iterator[str]:
    """In an overload from the first instant. For one test only: half a minute later it has recovered."""
    with launched("recovery", "vllm", 1, 1) as urls:
        yield urls[0]


@asynccontextmanager
async def over_stdio(*arguments: str, **variables: str) -> AsyncIterator[ClientSession]:
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "inferguard_tui", "serve", "--interval", "1", *arguments],
        env={**os.environ, **variables},
    )
    async with stdio_client(parameters) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        yield session


@asynccontextmanager
async def over_http(
    url: str, token: str = "", **variables: str
) -> AsyncIterator[tuple[str, subprocess.Popen[str]]]:
    """The server's address and process."""
    port = free_port()
    arguments = ["serve", url, "--interval", "1", "--transport", "streamable-http", "--port", str(port)]
    child = subprocess.Popen(
        [*INFERGUARD, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **({"INFERGUARD_SERVE_TOKEN": token} if token else {}), **variables},
    )
    try:
        async with httpx.AsyncClient() as client:
            until = time.monotonic() + 20
            while True:
                try:
                    await client.get(f"http://127.0.0.1:{port}/")
                    break
                except httpx.TransportError:
                    assert child.poll() is None, child.stderr.read()
                    assert time.monotonic() < until
                    time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/mcp", child
    finally:
        if child.poll() is None:
            child.terminate()
        child.communicate(timeout=10)


@asynccontextmanager
async def http_session(at: str, token: str = "") -> AsyncIterator[ClientSession]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=20) as client,
        streamable_http_client(at, http_client=client) as (read, write, *_),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        yield session


async def called(session: ClientSession, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await session.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content


async def refused(session: ClientSession, tool: str, **arguments: Any) -> str:
    result = await session.call_tool(tool, arguments)
    assert result.is_error
    return result.content[0].text


async def course(session: ClientSession, url: str) -> None:
    """What an agent does: look, ask why, preview."""
    listed = await session.list_tools()
    assert {tool.name for tool in listed.tools} == TOOLS
    assert all(tool.output_schema and tool.description for tool in listed.tools)
    (found,) = (await called(session, "scan"))["endpoints"]
    assert (found["endpoint"], found["status"], found["proof_level"]) == (url, "critical", "simulated")
    assert found["signals"]["kv_usage"]["unit"] == "ratio"
    assert found["signals"]["swapped"] is None
    async with asyncio.timeout(30):
        while True:
            why = await called(session, "diagnose", endpoint=url.removeprefix("http://"))
            if why["diagnosis"] and any(a["action_type"] == "throttle_concurrency" for a in why["actions"]):
                break
            await asyncio.sleep(0.5)
    assert why["diagnosis"]["cause"] in ("kv_exhausted", "long_contexts")
    assert why["diagnosis"]["ranked"][0]["for"]
    throttle = next(a for a in why["actions"] if a["action_type"] == "throttle_concurrency")
    (incident,) = (await called(session, "incidents", open_only=True))["incidents"]
    assert incident["id"] == why["incident"]["id"] == throttle["incident_id"]
    preview = (await called(session, "dry_run_action", action_id=throttle["id"]))["preview"]
    assert preview["outcome"] == "dry_run"
    assert preview["payload"]["parameters"] == throttle["parameters"]
    assert preview["payload"]["incident_id"] == incident["id"]


DRY_RUN = {"INFERGUARD_ACTUATION_MODE": "dry_run", "INFERGUARD_ACTUATION_ALLOWLIST": "throttle_concurrency"}


async def test_an_agent_over_stdio(pressed: str, tmp_path: Path) -> None:
    async with over_stdio(pressed, **DRY_RUN, INFERGUARD_STATE_DIR=str(tmp_path)) as session:
        await course(session, pressed)


async def test_an_agent_over_http(pressed: str, tmp_path: Path) -> None:
    async with over_http(pressed, **DRY_RUN, INFERGUARD_STATE_DIR=str(tmp_path)) as (at, child):
        async with http_session(at) as session:
            await course(session, pressed)
        child.send_signal(signal.SIGINT)
        stdout, stderr = child.communicate(timeout=10)
    assert child.returncode == 130
    assert stdout == ""
    assert "Traceback" not in stderr


async def test_what_cannot_be_answered_says_why(engine: str, tmp_path: Path) -> None:
    variables = {"INFERGUARD_STATE_DIR": str(tmp_path), "INFERGUARD_MEMORY_MODE": "off"}
    async with over_stdio(engine, **variables) as session:
        said = await refused(session, "diagnose", endpoint="http://169.254.169.254:80")
        assert "not watched here" in said
        assert engine.removeprefix("http://") in said
        assert "give a query" in await refused(session, "recall")
        assert "near it: kv_usage" in await refused(session, "explain_signal", name="kv_usag")
        off = await called(session, "dry_run_action", action_id="none")
        assert off["preview"] is None
        assert "INFERGUARD_ACTUATION_MODE" in off["reason"]
        assert "off" in (await called(session, "recall", query="kv full"))["note"]
        assert "off" in (await called(session, "incidents"))["memory"]
        assert (await session.call_tool("incidents", {"limit": 0})).is_error
        # The session goes on after every mistake.
        assert (await called(session, "scan"))["endpoints"]


async def test_a_metric_is_explained_by_any_of_its_names(engine: str, tmp_path: Path) -> None:
    async with over_stdio(engine, INFERGUARD_STATE_DIR=str(tmp_path)) as session:
        for name in (
            "kv_usage",
            "vllm:kv_cache_usage_perc",
            "vllm:gpu_cache_usage_perc",
            "sglang:token_usage",
        ):
            found = await called(session, "explain_signal", name=name)
            assert (found["signal"], found["unit"]) == ("kv_usage", "ratio")
        assert found["exposed_as"]["vLLM V1"][0]["name"] == "vllm:kv_cache_usage_perc"
        first = await called(session, "explain_signal", name="vllm:time_to_first_token_seconds_bucket")
        assert (
            first["signal"] == (await called(session, "explain_signal", name="ttft_p95"))["signal"] == "ttft"
        )


async def test_an_incident_of_an_earlier_session_is_remembered(pressed: str, tmp_path: Path) -> None:
    async with over_stdio(pressed, INFERGUARD_STATE_DIR=str(tmp_path)) as session:
        async with asyncio.timeout(30):
            while not (found := (await called(session, "incidents"))["incidents"]):
                await asyncio.sleep(0.5)
        (now,) = found
        assert now["session"] == "now"
    dead = f"127.0.0.1:{free_port()}"
    async with over_stdio(dead, INFERGUARD_STATE_DIR=str(tmp_path)) as session:
        remembered = (await called(session, "incidents"))["incidents"]
        assert (now["id"], "before") in {(i["id"], i["session"]) for i in remembered}
        similar = (await called(session, "recall", query=now["headline"]))["similar"]
        assert now["id"] in {one["incident_id"] for one in similar}


async def test_who_does_not_send_the_token_gets_nothing(engine: str, tmp_path: Path) -> None:
    async with over_http(engine, TOKEN, INFERGUARD_STATE_DIR=str(tmp_path)) as (at, child):
        async with httpx.AsyncClient() as client:
            for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
                answer = await client.post(at, json={}, headers=headers)
                assert answer.status_code == 401
                assert TOKEN not in answer.text
        async with http_session(at, TOKEN) as session:
            assert (await called(session, "scan"))["endpoints"]
        child.terminate()
        stdout, stderr = child.communicate(timeout=10)
    assert (child.returncode, stdout) == (0, "")
    assert TOKEN not in stderr


async def test_another_site_in_a_browser_is_refused(engine: str, tmp_path: Path) -> None:
    """A name that resolves to loopback is how a web page would get at it."""
    async with (
        over_http(engine, INFERGUARD_STATE_DIR=str(tmp_path)) as (at, _),
        httpx.AsyncClient() as client,
    ):
        for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
            answer = await client.post(at, json={}, headers={"Accept": "application/json", **headers})
            assert answer.status_code in (403, 421)


@pytest.mark.parametrize(
    ("host", "needed"),
    [
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("::1", False),
        ("localhost", False),
        ("0.0.0.0", True),
        ("::", True),
        ("10.0.0.7", True),
        ("gpu-07", True),
    ],
)
def test_a_token_is_needed_wherever_others_can_reach(host: str, needed: bool) -> None:
    assert needs_token(host) is needed


def test_off_loopback_without_a_token_it_does_not_start(tmp_path: Path) -> None:
    done = run("serve", "127.0.0.1:1", "--transport", "streamable-http", "--host", "0.0.0.0", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert "INFERGUARD_SERVE_TOKEN" in done.stderr


def test_a_port_in_use_is_one_line(tmp_path: Path, engine: str) -> None:
    port = engine.rpartition(":")[2]
    done = run("serve", engine, "--transport", "streamable-http", "--port", port, cwd=tmp_path)
    assert done.returncode == 3
    assert f"--port {port}: Address already in use" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_the_extra_the_line_names_it(tmp_path: Path) -> None:
    code = "import sys; sys.modules['mcp'] = None; from inferguard_tui.cli import main; sys.exit(main(['serve', '127.0.0.1:1']))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert "pip install 'inferguard-tui[mcp]'" in done.stderr
